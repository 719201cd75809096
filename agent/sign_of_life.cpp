// SPDX-License-Identifier: Apache-2.0
#include "sign_of_life.hpp"

#include <algorithm>

namespace ronda {
namespace {

constexpr std::int64_t longest_sleep_ns = 60 * notify::second_ns;  // the wall clock may be set meanwhile

notify::Delivery delivery_of(const schedule::DeliveryEnd& end) {
  using What = notify::Delivery::What;
  const What what = end.what == schedule::DeliveryEnd::What::delivered ? What::delivered : What::retry;
  return {what, 0, end.detail};
}

}  // namespace

std::string why_unfit(const Fitness& fitness) {
  if (fitness.overdue > scheduler_stuck_after)
    return "the scheduler is stuck: what is due waits for " + format_duration(std::chrono::floor<std::chrono::seconds>(fitness.overdue));
  if (fitness.store_failed) return "the store has failed";
  if (!fitness.has_way) return "no notifier takes messages";
  return {};
}

void SignOfLife::use(const config::AgentSettings& settings, const std::string& host) {
  host_ = host;
  if (notifier_ == settings.heartbeat && every_ == settings.heartbeat_every) return;
  notifier_ = settings.heartbeat;
  every_ = settings.heartbeat_every;
  *alive_ = false;  // what is in flight belongs to the one before
  alive_ = std::make_shared<bool>(true);
  beat_ = notify::Heartbeat(every_.count());
  unfit_.clear();
  timer_.cancel();
  ports_.trouble(config::Level::none, "the heartbeat is another one");
  if (!notifier_.empty()) look();
}

void SignOfLife::stop() {
  notifier_.clear();
  timer_.cancel();
}

void SignOfLife::arm() {
  const std::int64_t wait = std::clamp<std::int64_t>(beat_.next_at() - ports_.wall_ns(), notify::second_ns / 20, longest_sleep_ns);
  timer_.expires_after(std::chrono::nanoseconds(wait));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !notifier_.empty()) look();
  });
}

void SignOfLife::look() {
  const std::int64_t now = ports_.wall_ns();
  const std::string unfit = why_unfit(ports_.fitness(notifier_));
  unfit_ = unfit;
  if (beat_.tick(now, unfit.empty())) {
    auto message = std::make_shared<wire::Message>();
    message->id = "heartbeat/" + std::to_string(now / notify::second_ns);
    message->title = "heartbeat of " + host_;
    message->body = "The agent on " + host_ + " runs, judges and has a way to people.\n";
    message->event = "heartbeat";
    message->fields.emplace_back("host", host_);
    ports_.deliver(notifier_, std::move(message), [this, alive = alive_](const schedule::DeliveryEnd& end) {
      if (!*alive) return;
      using Change = notify::Heartbeat::Change;
      const Change change = beat_.on_result(delivery_of(end), ports_.wall_ns());
      if (change == Change::lost)
        ports_.trouble(config::Level::p2,
                       "the heartbeat does not arrive by notifier " + notifier_ + "; ronda explain " + notifier_ + " says why");
      // also of a loss before the agent's start
      if (beat_.missed() == 0) ports_.trouble(config::Level::none, "the heartbeat arrives again");
    });
  }
  arm();
}

}  // namespace ronda
