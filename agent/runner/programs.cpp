// SPDX-License-Identifier: Apache-2.0
#include "runner/programs.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace ronda::runner {

Programs* Programs::make() {
  void* const page = ::mmap(nullptr, sizeof(Programs), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? nullptr : new (page) Programs;
}

bool Programs::add(pid_t leader) noexcept {
  for (std::atomic<pid_t>& place : leaders_) {
    pid_t free = 0;
    if (place.compare_exchange_strong(free, leader)) return true;
  }
  return false;
}

void Programs::remove(pid_t leader) noexcept {
  for (std::atomic<pid_t>& place : leaders_) {
    pid_t its_own = leader;
    if (place.compare_exchange_strong(its_own, 0)) return;
  }
}

bool Programs::holds(pid_t leader) const noexcept {
  return leader > 1 && std::ranges::any_of(leaders_, [&](const auto& place) { return place.load() == leader; });
}

void Programs::end_all() const noexcept {
  for (const std::atomic<pid_t>& place : leaders_) {
    const pid_t leader = place.load();
    if (leader > 1) ::kill(-leader, SIGKILL);
  }
}

}  // namespace ronda::runner
