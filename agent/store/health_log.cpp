// SPDX-License-Identifier: Apache-2.0
#include "store/health_log.hpp"

namespace ronda::store {

std::optional<HealthLog::Line> HealthLog::tell(const Health& health, std::chrono::nanoseconds now) {
  const bool is_new = state_ != health.state || reason_ != health.reason;
  state_ = health.state;
  reason_ = health.reason;
  if (is_new && health.state == HealthState::ok) return Line{true, "the store is well"};
  if (is_new) return Line{false, "the store is not well: " + health.reason};
  const bool may_tell = !dropped_told_ || now - *dropped_told_ >= drops_pause;
  if (health.dropped_observed == dropped_ || !may_tell) return {};
  const std::uint64_t more = health.dropped_observed - dropped_;
  dropped_ = health.dropped_observed;
  dropped_told_ = now;
  return Line{false, std::to_string(more) + " results of checks could not be kept, " + std::to_string(dropped_) + " since the start"};
}

}  // namespace ronda::store
