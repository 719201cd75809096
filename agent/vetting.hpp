// SPDX-License-Identifier: Apache-2.0
// Reads conf.d and has its bytes parsed by a throw-away child while the event loop goes on: what is due
// during a reload does not wait for a parser. Takes over nothing and decides nothing. [loop]
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "base/descriptor.hpp"
#include "config/parse_child.hpp"
#include "schedule/candidate.hpp"

namespace ronda {

class Vetting final : public std::enable_shared_from_this<Vetting> {
 public:
  /// Called once, from the loop, unless the last reference is gone before.
  using Told = std::function<void(schedule::VettedFiles)>;

  static std::shared_ptr<Vetting> start(boost::asio::io_context& loop, const schedule::CandidateRequest& request,
                                        std::chrono::milliseconds deadline, Told told);

  explicit Vetting(boost::asio::io_context& loop) : loop_(loop), ended_(loop), timer_(loop) {}
  ~Vetting();

 private:
  void begin(const schedule::CandidateRequest& request, std::chrono::milliseconds deadline);
  void watch(Descriptor ended, std::chrono::milliseconds deadline);
  void on_ended();
  void tell();

  boost::asio::io_context& loop_;
  schedule::VettedFiles files_;
  Told told_;
  std::optional<config::ParseChild> child_;
  boost::asio::posix::stream_descriptor ended_;
  boost::asio::steady_timer timer_;
};

}  // namespace ronda
