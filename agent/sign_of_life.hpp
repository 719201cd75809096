// SPDX-License-Identifier: Apache-2.0
// `[agent] heartbeat`: the agent's own sign of life to an outside address, by a notifier and around the outbox (decision
// 0052). Beats only while the agent can judge and tell; that it stays away is the alarm. All [loop], so a loop that hangs
// is silent by itself.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/units.hpp"
#include "config/generation.hpp"
#include "notify/heartbeat.hpp"
#include "plugin/messages.hpp"
#include "schedule/scheduler.hpp"

namespace ronda {

/// What a beat stands for.
struct Fitness {
  bool store_failed = false;
  Nanos overdue{0};     // what is due by the schedule and was not taken up
  bool has_way = true;  // a notifier besides the one that beats that is not given up for now, or there is none at all
};
/// What overdue is too much.
inline constexpr Nanos scheduler_stuck_after = std::chrono::seconds(30);
/// Why no beat may leave; empty: it may.
std::string why_unfit(const Fitness& fitness);

class SignOfLife {
 public:
  struct Ports {
    boost::asio::io_context& loop;
    std::function<void(std::string_view notifier, std::shared_ptr<const wire::Message> message,
                       std::function<void(const schedule::DeliveryEnd&)> ended)>
        deliver;
    std::function<Fitness(const std::string& notifier)> fitness;
    std::function<void(config::Level level, std::string_view text)> trouble;  // about the way of the heartbeat
    std::function<std::int64_t()> wall_ns;
  };
  explicit SignOfLife(Ports ports) : ports_(std::move(ports)), timer_(ports_.loop) {}
  ~SignOfLife() { *alive_ = false; }

  /// As a generation says; the same again changes nothing.
  void use(const config::AgentSettings& settings, const std::string& host);
  void stop();

  const std::string& notifier() const { return notifier_; }  // empty: it is not configured
  const std::string& unfit() const { return unfit_; }        // why the last beat did not leave
  const notify::Heartbeat& beat() const { return beat_; }

 private:
  void arm();
  void look();

  Ports ports_;
  boost::asio::steady_timer timer_;
  notify::Heartbeat beat_;
  std::string notifier_, host_, unfit_;
  Nanos every_{0};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ronda
