// SPDX-License-Identifier: Apache-2.0
// A world from a seed: alerts that come and go, people who decide at once and late, windows, restarts, a clock that is set
// back. Moves are plain values that mean something in whatever state they meet, so any part of a list of them is a world
// too: that is what makes a failing list small. After each move what must always hold is checked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "incident/engine.hpp"

namespace ronda::incident {

struct Move {
  enum class What : std::uint8_t { alert, command, mute, restart, remove, clock_back };
  What what = What::alert;
  std::int64_t after_ns = 0;  // time that goes by before it
  std::uint32_t a = 0, b = 0, c = 0;
};
std::string to_text(const Move& move);
std::vector<Move> random_moves(std::uint64_t seed, std::size_t count, std::int64_t mean_gap_ns);

/// What may be planted to see that it is found.
enum class Fault : std::uint8_t { none, lost_event, page_after_ack };

class Simulation {
 public:
  explicit Simulation(Fault fault = Fault::none);

  /// What was broken first; none: all held.
  std::optional<std::string> run(const std::vector<Move>& moves);

  std::size_t opened() const { return opened_; }
  std::size_t pages() const { return pages_; }
  std::size_t events() const { return events_seen_; }
  /// In order; of incidents that are known yet.
  const std::vector<Event>& stored() const { return stored_; }
  std::int64_t now() const { return now_; }
  const std::map<std::string, std::size_t>& kinds() const { return kinds_; }

 private:
  struct Alert {
    std::string name, check, service, parent;
    config::Level level = config::Level::none;
    bool blocked = false;
  };

  void pass(std::int64_t ns);
  void make(const Move& move);
  void change_alert(const Move& move);
  void say(const Move& move);
  void switch_mute(const Move& move);
  void remove(const Move& move);
  void restart();
  void set_clock_back(const Move& move);
  void give(const Input& input);
  void take(const Event& event);
  void judge_level(const Event& event);
  void take(const Notice& notice);
  void deliver(const Notice& notice);
  void check();
  void check_incident(const Incident& incident);
  void check_alerts();
  void fail(std::string what);
  Alert* find_alert(const std::string& name);

  Fault fault_;
  Settings settings_;
  State state_;
  State shadow_;  // the fold over the events as they were stored
  std::vector<Event> stored_;
  std::vector<Alert> alerts_;
  std::vector<bool> muted_;
  std::int64_t now_;
  std::uint64_t entropy_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t checks_ = 0;
  std::set<std::string> touched_;
  std::map<std::string, std::int64_t> elapsed_;
  std::map<std::string, config::Level> persons_;  // by incident: what a person said last
  std::map<std::string, std::size_t> kinds_;
  std::vector<Notice> to_deliver_;
  std::optional<std::string> broken_;
  std::size_t opened_ = 0, pages_ = 0, events_seen_ = 0;
};

}  // namespace ronda::incident
