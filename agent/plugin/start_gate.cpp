// SPDX-License-Identifier: Apache-2.0
#include "plugin/start_gate.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <utility>

#include "base/clock.hpp"

namespace ronda::plugin {
namespace asio = boost::asio;

class StartGate::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::io_context& loop, std::size_t most, std::chrono::nanoseconds patience)
      : loop_(loop), most_(most), patience_(patience), timer_(loop) {}

  void ask(For what, std::function<void(Pass)> begin) {
    (what == For::calls ? calls_ : trials_).push_back(std::move(begin));
    turn_soon();
  }

  void give_back(std::uint64_t number) {
    if (out_.erase(number) > 0) turn_soon();
  }

  void shut() {
    calls_.clear();
    trials_.clear();
    timer_.cancel();
  }

 private:
  bool nobody_waits() const { return calls_.empty() && trials_.empty(); }

  void turn_soon() {
    if (nobody_waits() || std::exchange(posted_, true)) return;
    asio::post(loop_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->turn();
    });
  }

  void turn() {
    posted_ = false;
    const std::chrono::nanoseconds now = monotonic();
    while (!out_.empty() && out_.begin()->second + patience_ <= now) out_.erase(out_.begin());
    if (nobody_waits()) return;
    if (out_.size() >= most_) return arm(out_.begin()->second + patience_);
    auto& queue = calls_.empty() ? trials_ : calls_;
    const auto begin = std::move(queue.front());
    queue.pop_front();
    out_.emplace(++last_, now);
    begin(Pass(weak_from_this(), last_));
    turn_soon();
  }

  void arm(std::chrono::nanoseconds at) {
    timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::duration_cast<std::chrono::steady_clock::duration>(at)));
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      if (const auto self = weak.lock(); self && !error) self->turn_soon();
    });
  }

  asio::io_context& loop_;
  std::size_t most_;
  std::chrono::nanoseconds patience_;
  asio::steady_timer timer_;
  std::deque<std::function<void(Pass)>> calls_, trials_;
  std::map<std::uint64_t, std::chrono::nanoseconds> out_;  // since when; the oldest first
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

void StartGate::ask(For what, std::function<void(Pass)> begin) {
  state_->ask(what, std::move(begin));
}

}  // namespace ronda::plugin
