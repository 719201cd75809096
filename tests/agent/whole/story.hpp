// SPDX-License-Identifier: Apache-2.0
// A part of a whole agent's life as a plot tells it: step by step somebody does something or waits for what the agent does. Whatever
// ends the agent, the next one goes on from what had been accepted. And the agent below strace, which ends or stops it at one of its
// calls.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kill_bench.hpp"

namespace ronda::test {

class Story;

struct Step {
  std::string name;
  std::function<bool(Story&)> how;
  bool is_awaited = false;  // asked again and again until it is so; else it is so at once, or the agent is dead
};

/// What an agent that has a mistake would have done to its store by the end, and what is said of that.
struct Plant {
  std::string mistake, statement, found;
};

struct Plot {
  std::string name;
  KillBench::Cast cast;
  std::vector<Step> before;  // in a life that ends in good order
  std::vector<Step> steps;
  std::function<std::string(Story&)> find_wrong = {};                     // of an agent that lives, at the end
  std::function<std::string(const KillBench&)> find_wrong_in_store = {};  // when it has stopped
  std::vector<Plant> plants = {};
  std::function<void(const KillBench&)> alter = {};  // what happens to the state after it
  std::chrono::seconds rest{0};                      // and the time that passes
  bool is_everywhere = false;                        // its calls for files that are not in the state count too
};

class Story {
 public:
  /// What the bench's books say has happened already has.
  Story(KillBench& bench, const Plot& plot);

  /// The life before; the agent runs, and does at the end.
  bool prepare(std::chrono::milliseconds limit = std::chrono::seconds(30));
  /// True: told to its end. False: there is no agent any more, or it does not go on.
  bool go_on(std::chrono::milliseconds limit = std::chrono::seconds(30));
  /// The next agent starts and all goes on to its end; what is wrong then.
  std::string end(std::chrono::milliseconds limit = std::chrono::seconds(30));
  /// The step that an agent which is alive did not come to; empty: none.
  const std::string& stuck() const { return stuck_; }

  KillBench& bench() { return bench_; }
  WholeAgent& agent() { return bench_.agent(); }
  /// `ronda` with these words did what they say.
  bool does(const std::vector<std::string>& words);
  bool has_happened(const std::string& step) const { return acts_.contains(step); }
  /// A word that a later step wants, as the name of an incident; empty: none was noted.
  std::string recall(const std::string& what) const;
  bool note(const std::string& what, const std::string& word);
  /// The incident whose member has that name, once there is one; it is noted as `incident`.
  bool find_incident(const std::string& alert);
  /// The noted incident, as the agent shows it; null: it does not.
  json::value incident();
  /// How often its timeline has that kind.
  int times_in_timeline(const std::string& kind);
  bool is_at(const std::string& stage);
  /// How many messages that notifier took of it; "-" is what is no alert's.
  int heard(const std::string& notifier, const std::string& alert, const std::string& event) const;

 private:
  bool lives() const;
  bool tell(const std::vector<Step>& steps, std::chrono::milliseconds limit);

  KillBench& bench_;
  const Plot& plot_;
  std::set<std::string> acts_;  // what somebody did, when the agent had said that it was done, and what had come to pass
  std::map<std::string, std::string> words_;
  std::string stuck_;
};

/// The state of an agent that has stopped, and the books beside it: for benches of the same plot.
class Kept {
 public:
  explicit Kept(KillBench& bench);
  void put_into(KillBench& bench) const;

 private:
  Scratch scratch_;
};

/// False: there is no strace, or this user may not trace processes here.
bool may_trace();
/// The words of strace before those of the agent, for `calls`: "fsync,rename"; with `of_files` those of the state's own files
/// only. The tracer is no parent of the agent, and what the agent runs is not traced.
std::vector<std::string> traced(const WholeAgent& agent, const std::string& calls, bool of_files, const std::vector<std::string>& more);

}  // namespace ronda::test
