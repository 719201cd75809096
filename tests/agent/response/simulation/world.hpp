// SPDX-License-Identifier: Apache-2.0
// One agent's response part as it is (desk, incidents, escalation, outbox, courier and the shell around them) between checks
// that somebody else makes, people, notifiers and a disk; all of these follow a list of moves.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "disk.hpp"
#include "judge.hpp"
#include "moves.hpp"
#include "response/response.hpp"
#include "virtual_time.hpp"

namespace ronda::sim {

class World {
 public:
  explicit World(Fault fault = Fault::none);
  ~World();

  /// What was broken first, and when; none: all held.
  std::optional<std::string> run(const std::vector<Move>& moves);
  const Judge& judge() const { return judge_; }
  std::int64_t passed_ns() const { return time_.passed_ns(); }
  std::size_t lives() const { return lives_; }
  std::size_t told() const { return replies_; }

 private:
  struct Check {
    schedule::Entry entry;
    std::uint32_t flaps = 0;  // results that change yet
  };
  struct Sink {
    enum class Mode : std::uint8_t { well, refuse, drop, slow, answer_lost, away, later } mode = Mode::well;
    std::int64_t takes_s = 0;
  };
  struct Left {  // by a life that ended with nothing open
    incident::State state;
    incident::SilenceBook silences;
    incident::UpkeepBook upkeep;
    std::map<std::string, config::Level> levels;
  };

  // world.cpp: time, and the agent's lives
  void pass(std::int64_t ns);
  void settle();
  void judge_now();
  void start();
  void end(bool in_order, std::size_t written, std::int64_t down_s);
  std::optional<Left> what_is_left() const;
  void compare(const Left& left);
  void look_round();
  void give_result(Check& check);
  void hand_over(std::string_view notifier, const std::shared_ptr<const wire::Message>& message,
                 std::function<void(const schedule::DeliveryEnd&)> ended);
  void on_decide(const store::Decision& decision);
  void calm_down();

  // world_moves.cpp: what people and others do
  void make(const Move& move);
  void set_clock(const Move& move);
  void step_clock(std::int64_t by_ns);
  void set_status(const Move& move, bool flaps);
  void say(const Move& move);
  void silence(const Move& move);
  void expire(const Move& move);
  void maintain(const Move& move);
  void end_maintenance(const Move& move);
  void stand_in(const Move& move);
  void inbound(const Move& move);
  void turn_sink(const Move& move);
  void turn_disk(const Move& move);
  void retry(const Move& move);

  const Fault fault_;
  VirtualTime time_;
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;  // a loop without timers has not ended
  Disk disk_;
  Judge judge_;
  std::vector<Check> checks_;
  std::map<std::string, Sink, std::less<>> sinks_;
  boost::asio::steady_timer round_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<response::Response> response_;
  std::size_t plan_ = 0, lives_ = 0, replies_ = 0, handed_ = 0;
  bool up_ = false, is_planted_ = false;
  bool reloaded_ = false;  // in this life: what the other ladder owed before that is told at the next start
  std::uint64_t random_ = 0;
  std::int64_t clock_set_at_ = -hour_ns;
  std::int64_t instant_ms_ = 0;
  std::size_t at_instant_ = 0;  // handlers that ran at it
  std::optional<Left> left_;
};

}  // namespace ronda::sim
