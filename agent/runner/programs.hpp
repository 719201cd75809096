// SPDX-License-Identifier: Apache-2.0
// The programs that the calls of a runner wait for, where what programs leave alive is not ended with the runner: of these the
// groups still are. In a page that the worker shares with its keeper, which outlives it.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>

namespace ronda::runner {

class Programs {
 public:
  static constexpr std::size_t most = 256;

  /// Seen by this process and by those it forks; null when the kernel gives no memory.
  static Programs* make();

  /// `leader` leads a process group, or is about to. False when there are too many. Safe in a child that shares memory. [any]
  bool add(pid_t leader) noexcept;
  /// Before it is reaped: its number may become another's then. [any]
  void remove(pid_t leader) noexcept;
  bool holds(pid_t leader) const noexcept;
  /// Whatever number the plugin has written there too. [any]
  template <class Visit>
  void each(const Visit& visit) const {
    for (const std::atomic<pid_t>& place : leaders_) {
      if (const pid_t leader = place.load(); leader > 1) visit(leader);
    }
  }
  /// SIGKILL to all of their groups, by the process that started them. The plugin can write into the page too: never called by a
  /// process that may signal what the plugin may not. [any]
  void end_all() const noexcept;

 private:
  std::array<std::atomic<pid_t>, most> leaders_{};  // 0: free
};

static_assert(std::atomic<pid_t>::is_always_lock_free);

}  // namespace ronda::runner
