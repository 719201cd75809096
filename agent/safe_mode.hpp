// SPDX-License-Identifier: Apache-2.0
// Whether tasks run by their schedule in this life of the agent. They do not when an operator starts it so, nor when
// five lives in a row ended by themselves within a minute of their start: what ends the agent would go on doing so, and
// tasks are what it can do without. [loop], but for count_start.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

#include "store/start_count.hpp"
#include "store/store.hpp"

namespace ronda {

class SafeMode {
 public:
  SafeMode(boost::asio::io_context& loop, const std::string& state_directory, bool asked_for);

  /// Before anything else is read of the state directory, which is ours. On any thread, but before judge().
  void count_start();
  /// Decides; logs what it decided and writes safe mode into the journal.
  void judge(store::Store& store);
  /// The agent runs: a minute from now this life is well.
  void watch();
  /// An operator's word; not where it was asked for.
  void leave();
  /// The agent was told to stop, or refuses to start: no crash.
  void end_orderly();

  /// Why no task runs by itself, for people; empty: they do.
  const std::string& reason() const { return reason_; }
  bool asked_for() const { return asked_for_; }

 private:
  void forget_starts();

  store::StartCount starts_;
  boost::asio::steady_timer well_timer_;
  const bool asked_for_;
  std::string trouble_;  // why this start is not counted
  std::string reason_;
};

}  // namespace ronda
