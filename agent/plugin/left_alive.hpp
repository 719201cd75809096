// SPDX-License-Identifier: Apache-2.0
// What the programs of a detached call have left alive, as /proc shows it. Does not wait. Any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ronda::plugin {

struct LeftAlive {
  pid_t pid = -1;
  std::int64_t started_wall_ns = 0;  // to a tick of the kernel, mostly 10 ms
  std::string command;               // the kernel's short name of it: at most 64 bytes of UTF-8, controls escaped
};

inline constexpr std::size_t left_alive_most = 16;  // of one call; the others are alive too and not listed

/// Children of a keeper besides its worker, and of the worker: who has lost its parents comes back to the keeper. What these
/// have started in turn is their own business. Those that have ended or are about to (SIGKILL is on its way) are left out. A daemon forks
/// twice while it is looked for: it is looked again until two looks agree, a bounded number of times.
std::vector<LeftAlive> left_alive_below(pid_t keeper, pid_t worker);

/// Of these, who is alive and has started since `since` on the clock of boottime().
std::vector<LeftAlive> left_alive_of(std::span<const pid_t> pids, std::chrono::nanoseconds since);

/// For people: "sleep (pid 123), ronda-db (pid 124)".
std::string text_of(const std::vector<LeftAlive>& left);

}  // namespace ronda::plugin
