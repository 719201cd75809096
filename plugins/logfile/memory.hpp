// SPDX-License-Identifier: Apache-2.0
// What is remembered of messages, in the agent's store, so that one which comes again is not written again: the last that
// were written, and of one that was about to be, where. Best effort: without the store a line may come twice, never less.
#pragma once

#include <ronda/plugin.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "append.hpp"

namespace logfile {

class Memory {
 public:
  static constexpr std::size_t max_remembered = 64;

  /// `id` of the message; of an empty one nothing is remembered.
  Memory(const ronda::kv_service& kv, std::string_view id);

  bool is_written() const;
  /// Of an attempt before this one of which nobody knows how it ended.
  std::optional<Trace> begun() const;
  /// Durable now: what ends the process a moment later is what this is for.
  void begin(const Trace& trace);
  /// No line was left; the next attempt need not look for one.
  void give_up();
  void end();

 private:
  const ronda::kv_service& kv_;
  std::string name_;  // of the message, as short as a key wants it
};

}  // namespace logfile
