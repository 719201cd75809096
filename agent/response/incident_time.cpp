// SPDX-License-Identifier: Apache-2.0
#include "response/incident_time.hpp"

#include <algorithm>

namespace ronda::response {

std::int64_t IncidentTime::read(std::int64_t boot_ns, std::int64_t wall_ns) {
  now_ns_ = now_ns_ == 0 ? wall_ns : now_ns_ + std::max<std::int64_t>(boot_ns - boot_ns_, 0);
  boot_ns_ = boot_ns;
  const std::int64_t apart = wall_ns - now_ns_;
  if (apart < step_ns) now_ns_ = std::max(now_ns_, wall_ns);
  if (apart < step_ns || wall_ns < earliest_ns) {
    apart_since_.reset();
    return now_ns_;
  }
  const std::int64_t more = apart - first_apart_ns_;
  if (!apart_since_ || more >= step_ns || more <= -step_ns) {  // one that is set once more has to stand anew
    apart_since_ = boot_ns;
    first_apart_ns_ = apart;
  }
  apart_ns_ = apart;
  return now_ns_;
}

std::int64_t IncidentTime::not_before(std::int64_t at_ns) {
  const std::int64_t by = std::max<std::int64_t>(at_ns - now_ns_, 0);
  now_ns_ += by;
  return by;
}

std::int64_t IncidentTime::proof_ns() const {
  return now_ns_ < earliest_ns ? least_proof_ns : std::clamp(apart_ns_ / 60, least_proof_ns, most_proof_ns);
}

std::optional<std::int64_t> IncidentTime::step_at_ns() const {
  if (!apart_since_) return std::nullopt;
  return now_ns_ + std::max<std::int64_t>(*apart_since_ + proof_ns() - boot_ns_, 0);
}

std::int64_t IncidentTime::take_step() {
  if (!apart_since_ || boot_ns_ - *apart_since_ < proof_ns()) return 0;
  apart_since_.reset();
  now_ns_ += apart_ns_;
  return apart_ns_;
}

}  // namespace ronda::response
