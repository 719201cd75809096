// SPDX-License-Identifier: Apache-2.0
#include "notify/heartbeat.hpp"

#include <utility>

namespace ronda::notify {

bool Heartbeat::tick(std::int64_t now, bool fit) {
  if (now < next_at_ && next_at_ - now <= every_) return false;  // further away: the clock was set back
  next_at_ = now + every_;
  if (!fit || in_flight_) return false;
  in_flight_ = true;
  return true;
}

Heartbeat::Change Heartbeat::on_result(const Delivery& delivery, std::int64_t now) {
  if (!std::exchange(in_flight_, false)) return Change::none;
  if (delivery.what == Delivery::What::delivered) {
    last_arrived_ = now;
    last_error_.clear();
    return std::exchange(missed_, 0) >= lost_after_ ? Change::back : Change::none;
  }
  last_error_ = delivery.detail;
  return ++missed_ == lost_after_ ? Change::lost : Change::none;
}

}  // namespace ronda::notify
