// SPDX-License-Identifier: Apache-2.0
// The agent's own sign of life to an outside address, by a notifier: the other side raises the alarm when it stays away
// (a dead man's switch). Pure; it goes around the outbox: a beat that is late is worth nothing, the next one is the
// repetition. It beats only while what it stands for works.
#pragma once

#include <cstdint>
#include <string>

#include "notify/outbox.hpp"

namespace ronda::notify {

class Heartbeat {
 public:
  /// Times are wall ns; `every` at least 1 s.
  explicit Heartbeat(std::int64_t every = minute_ns, int lost_after = 3) : every_(every), lost_after_(lost_after) {}

  /// Whether a beat is to be sent now. `fit`: the loop, the store and a way to people are in order.
  bool tick(std::int64_t now, bool fit);
  enum class Change : std::uint8_t { none, lost, back };
  /// How the beat in flight ended; lost: `lost_after` one after the other did not arrive.
  Change on_result(const Delivery& delivery, std::int64_t now);
  std::int64_t next_at() const { return next_at_; }

  std::int64_t last_arrived() const { return last_arrived_; }  // 0: never
  int missed() const { return missed_; }
  const std::string& last_error() const { return last_error_; }

 private:
  std::int64_t every_;
  int lost_after_;
  std::int64_t next_at_ = 0, last_arrived_ = 0;
  int missed_ = 0;
  bool in_flight_ = false;
  std::string last_error_;
};

}  // namespace ronda::notify
