// SPDX-License-Identifier: Apache-2.0
#include "virtual_time.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace {

using ronda::sim::second_ns;
constexpr std::int64_t millisecond_ns = 1'000'000;
constexpr std::int64_t start_ns = 1000 * second_ns;  // of the clocks that never step

bool is_virtual = false;
std::int64_t steady_now = 0, wall_ahead = 0;

}  // namespace

namespace ronda::sim {

VirtualTime::VirtualTime(std::int64_t wall_ns) {
  steady_now = start_ns;
  wall_ahead = wall_ns - start_ns;
  is_virtual = true;
}

VirtualTime::~VirtualTime() {
  is_virtual = false;
}

void VirtualTime::step_wall(std::int64_t by_ns) {
  wall_ahead += by_ns;
}

std::int64_t VirtualTime::wall_ns() const {
  return steady_now + wall_ahead;
}

std::int64_t VirtualTime::passed_ns() const {
  return steady_now - start_ns;
}

}  // namespace ronda::sim

// The C library's own are replaced in this program alone: what asks for the time, wherever it was compiled, asks here.
extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  if (!is_virtual) return static_cast<int>(syscall(SYS_clock_gettime, clock, now));
  ++steady_now;  // who asks twice is told two instants
  const std::int64_t at = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? steady_now + wall_ahead : steady_now;
  now->tv_sec = at / second_ns;
  now->tv_nsec = at % second_ns;
  return 0;
}

// A loop without a timer of the kernel's says in epoll_wait how long it would sleep.
int timerfd_create(int clock, int flags) noexcept {
  if (!is_virtual) return static_cast<int>(syscall(SYS_timerfd_create, clock, flags));
  errno = ENOSYS;
  return -1;
}

int epoll_wait(int descriptor, epoll_event* events, int most, int timeout_ms) {
  if (!is_virtual) return static_cast<int>(syscall(SYS_epoll_pwait, descriptor, events, most, timeout_ms, nullptr, 8));
  if (timeout_ms > 0) steady_now += timeout_ms * millisecond_ns;
  return 0;
}
}
