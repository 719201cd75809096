// SPDX-License-Identifier: Apache-2.0
#include "schedule/clock_watch.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace ronda::schedule {

ClockWatch::ClockWatch(boost::asio::io_context& loop, std::function<void()> on_set) : timer_(loop), on_set_(std::move(on_set)) {
  const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return;
  timer_.assign(fd);
  if (arm())
    wait();
  else
    timer_.close();
}

/// The time itself is of no interest: it is as far away as can be.
bool ClockWatch::arm() {
  constexpr time_t a_year = 366 * 86400;
  itimerspec at{};
  at.it_value.tv_sec = std::chrono::floor<std::chrono::seconds>(wall_clock()).count() + a_year;
  return ::timerfd_settime(timer_.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr) == 0;
}

void ClockWatch::wait() {
  timer_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    std::uint64_t expirations = 0;
    const bool was_set = ::read(timer_.native_handle(), &expirations, sizeof expirations) < 0 && errno == ECANCELED;
    // first armed anew: a clock that is set once more meanwhile is then seen too
    if (!arm())
      timer_.close();
    else
      wait();
    if (was_set) on_set_();
  });
}

}  // namespace ronda::schedule
