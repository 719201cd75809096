// SPDX-License-Identifier: Apache-2.0
// What happens in a world, as plain values. A move means something in whatever state it meets, so any part of a list of
// moves is a world too: that is what makes a failing list small.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ronda::sim {

struct Move {
  enum class What : std::uint8_t {
    status,           // a check finds another status from now on
    flap,             // a check changes with each of its next results
    say,              // a person's command
    silence,          // a person mutes a check
    expire,           // a person ends a silence
    maintain,         // a person starts maintenance
    end_maintenance,  // and ends it
    stand_in,         // somebody else is on call
    inbound,          // others judge something
    sink,             // a notifier answers otherwise from now on
    disk,             // the store is late or full, or well again
    clock,            // the wall clock is set
    reload,           // to the other configuration
    stop,             // the agent is stopped in order and started again
    kill,             // it is killed and started again
    retry,            // a person sends a dead letter once more
  };
  What what = What::status;
  std::int64_t after_s = 0;  // that go by before it
  std::uint32_t a = 0, b = 0, c = 0;
};
inline constexpr std::size_t move_kinds = 16;

std::string to_text(const Move& move);
std::vector<Move> random_moves(std::uint64_t seed, std::size_t count);

}  // namespace ronda::sim
