// SPDX-License-Identifier: Apache-2.0
// Memory that only a start or a reload needed goes back to the system: what the allocator keeps of it, and code and
// constants that are not needed again (decisions 0013 and 0019).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <utility>

namespace ronda {

/// [loop] for all of it.
class GiveBack {
 public:
  /// `calm`: no run is in flight; asked while this lives.
  GiveBack(boost::asio::io_context& loop, std::function<bool()> calm) : timer_(loop), calm_(std::move(calm)) {}

  /// After a start or a reload: what is free now at once, the rest soon, and again when the first runs are over.
  void begin();

 private:
  void look_later(int looks);

  boost::asio::steady_timer timer_;
  const std::function<bool()> calm_;
};

}  // namespace ronda
