// SPDX-License-Identifier: Apache-2.0
// Tells at once when the wall clock was set, so that slots need not wait for the next look at it. The kernel says so
// (timerfd, TFD_TIMER_CANCEL_ON_SET), also after a suspend. Where it cannot, nobody is told; the regular look remains.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

namespace ronda::schedule {

class ClockWatch {
 public:
  /// `on_set` is called by the loop, as long as this lives.
  ClockWatch(boost::asio::io_context& loop, std::function<void()> on_set);
  ClockWatch(const ClockWatch&) = delete;
  ClockWatch& operator=(const ClockWatch&) = delete;

  /// Whether the kernel takes part.
  bool is_armed() const { return timer_.is_open(); }

 private:
  bool arm();
  void wait();

  boost::asio::posix::stream_descriptor timer_;
  std::function<void()> on_set_;
};

}  // namespace ronda::schedule
