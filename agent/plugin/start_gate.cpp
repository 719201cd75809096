// SPDX-License-Identifier: Apache-2.0
#include "plugin/start_gate.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <utility>

#include "base/clock.hpp"
#include "plugin/runner_life.hpp"

namespace ronda::plugin {
namespace asio = boost::asio;

class StartGate::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& loop, std::size_t most, Mono patience) : loop_(loop), most_(most), patience_(patience), timer_(loop) {}

  void ask(std::function<void(Pass)> begin) {
    waiting_.push_back(std::move(begin));
    turn_soon();
  }

  void give_back(std::uint64_t number) {
    if (out_.erase(number) > 0) turn_soon();
  }

  void shut() {
    waiting_.clear();
    timer_.cancel();
  }

 private:
  void turn_soon() {
    if (waiting_.empty() || std::exchange(posted_, true)) return;
    asio::post(loop_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->turn();
    });
  }

  void turn() {
    posted_ = false;
    const Mono now = monotonic();
    while (!out_.empty() && out_.begin()->second + patience_ <= now) out_.erase(out_.begin());
    if (waiting_.empty()) return;
    if (out_.size() >= most_) return arm(out_.begin()->second + patience_);
    const auto begin = std::move(waiting_.front());
    waiting_.pop_front();
    out_.emplace(++last_, now);
    begin(Pass(weak_from_this(), last_));
    turn_soon();
  }

  void arm(Mono at) {
    timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::duration_cast<std::chrono::steady_clock::duration>(at)));
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      if (const auto self = weak.lock(); self && !error) self->turn_soon();
    });
  }

  asio::io_context& loop_;
  std::size_t most_;
  Mono patience_;
  asio::steady_timer timer_;
  std::deque<std::function<void(Pass)>> waiting_;
  std::map<std::uint64_t, Mono> out_;  // since when; the oldest first
  std::uint64_t last_ = 0;
  bool posted_ = false;
};

StartGate::Pass::Pass(Pass&& other) noexcept : state_(std::move(other.state_)), number_(std::exchange(other.number_, 0)) {}

StartGate::Pass& StartGate::Pass::operator=(Pass&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  state_ = std::move(other.state_);
  number_ = std::exchange(other.number_, 0);
  return *this;
}

void StartGate::Pass::give_back() {
  const std::uint64_t number = std::exchange(number_, 0);
  if (number == 0) return;
  if (const auto state = state_.lock()) state->give_back(number);
}

StartGate::StartGate(asio::io_context& loop, std::size_t most, std::chrono::nanoseconds patience)
    : state_(std::make_shared<State>(loop, most, patience)) {}

StartGate::~StartGate() {
  state_->shut();
}

void StartGate::ask(std::function<void(Pass)> begin) {
  state_->ask(std::move(begin));
}

}  // namespace ronda::plugin
