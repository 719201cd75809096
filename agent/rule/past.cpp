// SPDX-License-Identifier: Apache-2.0
#include "rule/past.hpp"

#include <algorithm>

#include "config/task_prefix.hpp"

namespace ronda::rule {

using measure::Point;
using measure::SeriesId;

std::optional<measure::CheckNow> Past::check(std::string_view name) const {
  const auto statuses = whole_.statuses(name, 0, now_ns_);
  if (statuses.empty()) return std::nullopt;
  constexpr std::size_t most_steps = 1000;
  measure::CheckNow out;
  out.status = static_cast<measure::Status>(static_cast<int>(std::clamp(statuses.back().value, 0.0, 4.0)));
  out.last_result_ns = out.since_ns = statuses.back().at_ns;
  std::size_t steps = 0;
  for (auto point = statuses.rbegin(); point != statuses.rend() && point->value == statuses.back().value && ++steps < most_steps; ++point)
    out.since_ns = point->at_ns;
  for (const SeriesId id : whole_.series(name, "duration")) {
    const auto points = whole_.points(id, out.last_result_ns - 1, now_ns_);
    if (!points.empty()) out.duration_s = points.back().value;
  }
  return out;
}

std::span<const Point> Past::points(SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const {
  return whole_.points(id, after_ns, std::min(until_ns, now_ns_));
}

std::optional<double> Past::baseline(SeriesId id, std::int64_t at_ns, std::int64_t frozen_at_ns) const {
  return whole_.baseline(id, at_ns, frozen_at_ns);
}

std::optional<std::int64_t> Past::task_last_success_ns(std::string_view task) const {
  auto last = whole_.task_last_success_ns(task);
  if (last && *last > now_ns_) last.reset();
  const std::vector<std::int64_t>& all = successes_of(task);
  const auto later = std::ranges::upper_bound(all, now_ns_);
  if (later == all.begin()) return last;
  return std::max(last.value_or(INT64_MIN), *std::prev(later));
}

/// How it ended is kept as if it were a check. Looked through once: it may have failed a long time since.
const std::vector<std::int64_t>& Past::successes_of(std::string_view task) const {
  const auto known = successes_.find(task);
  if (known != successes_.end()) return known->second;
  std::vector<std::int64_t>& out = successes_[std::string(task)];
  for (const Point& end : whole_.statuses(std::string(config::task_prefix) + std::string(task), INT64_MIN, INT64_MAX)) {
    if (end.value == static_cast<double>(measure::Status::ok)) out.push_back(end.at_ns);
  }
  return out;
}

std::optional<std::int64_t> Past::task_known_since_ns(std::string_view task) const {
  const auto since = whole_.task_known_since_ns(task);
  return since && *since <= now_ns_ ? since : std::nullopt;
}

std::span<const Point> Past::statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const {
  return whole_.statuses(check, after_ns, std::min(until_ns, now_ns_));
}

std::span<const measure::Rollup> Past::rollups(SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const {
  return whole_.rollups(id, after_ns, std::min(until_ns, now_ns_));
}

}  // namespace ronda::rule
