// SPDX-License-Identifier: Apache-2.0
#include "runner/gate.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace ronda::runner {
namespace {

constexpr std::uint32_t once = EPOLLIN | EPOLLONESHOT;

epoll_event event_of(Event what, std::uint32_t flags) {
  epoll_event event{};
  event.events = flags;
  event.data.u32 = static_cast<std::uint32_t>(what);
  return event;
}

}  // namespace

Gate::Gate(int socket)
    : socket_(socket), epoll_(::epoll_create1(EPOLL_CLOEXEC)), bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      clock_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  // edges, or each event would wake one idle thread after the other
  epoll_event bytes = event_of(Event::socket, once), rung = event_of(Event::bell, EPOLLIN | EPOLLET),
              time = event_of(Event::clock, EPOLLIN | EPOLLET);
  const bool made = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &bytes) == 0 && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &rung) == 0 &&
                    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, clock_, &time) == 0;
  if (!made) std::abort();
}

Event Gate::wait() const {
  while (true) {
    epoll_event event{};
    const int ready = ::epoll_wait(epoll_, &event, 1, -1);
    if (ready == 1) return static_cast<Event>(event.data.u32);
    if (ready < 0 && errno != EINTR) return Event::broken;
  }
}

void Gate::open() const {
  epoll_event bytes = event_of(Event::socket, once);
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_, &bytes);
}

void Gate::ring() const {
  // an edge comes with every write; nobody reads what is counted, which is far from full after a billion years
  const std::uint64_t one = 1;
  static_cast<void>(::write(bell_, &one, sizeof one));
}

void Gate::set_clock(std::uint64_t mono_ns) const {
  itimerspec at{};
  if (mono_ns != never) {
    at.it_value.tv_sec = static_cast<time_t>(mono_ns / 1'000'000'000U);
    at.it_value.tv_nsec = static_cast<long>(mono_ns % 1'000'000'000U);
    if (mono_ns == 0) at.it_value.tv_nsec = 1;  // zero would disarm it
  }
  ::timerfd_settime(clock_, TFD_TIMER_ABSTIME, &at, nullptr);
}

}  // namespace ronda::runner
