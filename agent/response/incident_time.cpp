// SPDX-License-Identifier: Apache-2.0
#include "response/incident_time.hpp"

#include <algorithm>

namespace ronda::response {

std::int64_t IncidentTime::read(std::int64_t boot_ns, std::int64_t wall_ns) {
  now_ns_ = now_ns_ == 0 ? wall_ns : now_ns_ + std::max<std::int64_t>(boot_ns - boot_ns_, 0);
  boot_ns_ = boot_ns;
  const std::int64_t apart = wall_ns - now_ns_;
  const auto is_step = [](std::int64_t by_ns) { return by_ns >= step_ns || by_ns <= -step_ns; };
  if (!is_step(apart) || wall_ns < earliest_ns) {
    if (!is_step(apart)) now_ns_ = std::max(now_ns_, wall_ns);
    apart_since_.reset();
    return now_ns_;
  }
  // one that is set once more has to stand anew
  if (!apart_since_ || is_step(apart - apart_ns_)) apart_since_ = boot_ns;
  apart_ns_ = apart;
  return now_ns_;
}

void IncidentTime::not_before(std::int64_t at_ns) {
  now_ns_ = std::max(now_ns_, at_ns);
}

std::optional<std::int64_t> IncidentTime::step_at_ns() const {
  if (!apart_since_) return std::nullopt;
  return now_ns_ + std::max<std::int64_t>(*apart_since_ + believed_after_ns - boot_ns_, 0);
}

std::int64_t IncidentTime::take_step() {
  if (!apart_since_ || boot_ns_ - *apart_since_ < believed_after_ns) return 0;
  apart_since_.reset();
  now_ns_ += apart_ns_;
  return apart_ns_;
}

}  // namespace ronda::response
