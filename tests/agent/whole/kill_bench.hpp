// SPDX-License-Identifier: Apache-2.0
// A whole agent that is killed: its sinks are one process that writes down what it receives, whoever posts alerts writes down
// what was taken, and what was on its way at a kill is read from a copy of the store that the agent does not know of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ledgers.hpp"
#include "whole_agent.hpp"

namespace ronda::test {

/// RONDA_TEST_SEED, else another one each time.
unsigned seed_of_run();

/// The first column of a query on a database of no agent that runs; the only row may be an error.
std::vector<std::string> column_of(const std::string& database, const std::string& query);

class KillBench {
 public:
  enum class Way : std::uint8_t { straight, by_fallback };  // by_fallback: one that refuses everything for good stands before them

  /// `notifiers` of ana, who is told of all P1 and P2.
  KillBench(const std::vector<std::string>& notifiers, int hold_ms, Way way = Way::straight);
  /// What an agent is that others than ana, or more than checks and alerts from outside, belong to.
  struct Cast {
    std::string configuration;           // SINK stands for where notifiers send to, OPEN for a directory that all may write to
    std::vector<std::string> notifiers;  // each is owed all that is accepted
    std::vector<std::string> events;     // of one alert, in the order in which they are owed, each once
  };
  KillBench(Cast cast, int hold_ms);
  static Cast cast_of(const std::vector<std::string>& notifiers, Way way);
  ~KillBench();
  KillBench(const KillBench&) = delete;
  KillBench& operator=(const KillBench&) = delete;

  WholeAgent& agent() { return agent_; }
  const WholeAgent& agent() const { return agent_; }

  /// Posts the next step of an alert, 0 to 2: it fires at P2, at P1, and is over. What the agent took goes into the ledger.
  bool post(const std::string& alert, std::size_t step) const;
  /// The same of any: "open:p2" or "resolve:p1".
  bool post(const std::string& alert, const std::string& event) const;
  /// The same where nothing is owed for it, or not yet.
  bool tell(const std::string& alert, const std::string& event) const;
  void note_accepted(const std::string& alert, const std::string& event) const;

  void stop_agent();  // in good order: nothing is on its way then
  void kill_agent();
  void kill_sink();                     // a new one takes its place
  void kill_below(std::size_t random);  // one of the agent's own processes
  /// The agent ended by itself, or by others: as after kill_agent().
  void note_end();
  bool start();

  bool is_told() const;     // each notifier has received all that was accepted
  bool is_drained() const;  // and the agent knows
  /// Once the agent has stopped: what is wrong; empty: nothing.
  std::string said_wrong() const;
  Ledgers ledgers() const;
  /// The same once the agent has stopped: with what its store has.
  Ledgers last_ledgers() const;
  /// column_of() the store of an agent that does not run.
  std::vector<std::string> rows(const std::string& query) const;
  /// The bodies of all requests that the sinks took.
  std::string received_text() const;
  /// From now on the notifier `late` takes messages, which it refused for good until then.
  void mend_late() const;
  /// Plants a mistake into the store of an agent that is dead; so many rows.
  int plant(const std::string& statement) const;
  const std::vector<std::size_t>& flying() const { return flying_; }  // messages on their way, at each kill

 private:
  void start_sink();
  /// The agent is stopped or dead: what its files say.
  void note_flying();
  void check_nobody_left();
  std::vector<std::string> evidence_of(const std::string& lost) const;

  const Cast cast_;
  const int hold_ms_, port_;
  WholeAgent agent_;
  pid_t sink_ = -1;
  std::map<std::string, int> in_flight_;
  std::vector<std::size_t> flying_;
};

}  // namespace ronda::test
