// SPDX-License-Identifier: Apache-2.0
#include "rule/given.hpp"

#include <algorithm>

namespace ronda::rule {
namespace {

template <class T, class When>
std::span<const T> between(const std::vector<T>& all, std::int64_t after, std::int64_t until, When when) {
  const auto first = std::ranges::upper_bound(all, after, {}, when);
  const auto last = std::ranges::upper_bound(all, until, {}, when);
  return first < last ? std::span<const T>(first, last) : std::span<const T>();
}

std::vector<measure::Rollup> roll_up(const GivenSeries& series) {
  std::vector<measure::Rollup> out;
  for (const measure::Point& point : series.points) {
    const std::int64_t from = store::floor_to(point.at_ns, store::five_minutes_ns);
    if (out.empty() || out.back().from_ns != from) {
      out.emplace_back();
      out.back().from_ns = from;
    }
    store::add(out.back(), point, series.info.shape);
  }
  return out;
}

}  // namespace

void Given::add(GivenSeries series) {
  rollups_.push_back(roll_up(series));
  series_.push_back(std::move(series));
}

void Given::add_statuses(const std::string& check, std::vector<measure::Point> statuses) {
  statuses_[check] = std::move(statuses);
}

std::optional<measure::CheckNow> Given::check(std::string_view name) const {
  const auto found = statuses_.find(name);
  if (found == statuses_.end() || found->second.empty()) return std::nullopt;
  measure::CheckNow out;
  out.status = static_cast<measure::Status>(static_cast<int>(found->second.back().value));
  out.since_ns = out.last_result_ns = found->second.back().at_ns;
  return out;
}

std::vector<measure::SeriesId> Given::series(std::string_view check, std::string_view metric) const {
  std::vector<measure::SeriesId> out;
  for (measure::SeriesId id = 0; id < series_.size(); ++id) {
    if (series_[id].check == check && series_[id].metric == metric) out.push_back(id);
  }
  return out;
}

std::span<const measure::Point> Given::points(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const {
  return between(series_[id].points, after_ns, until_ns, &measure::Point::at_ns);
}

std::optional<double> Given::baseline(measure::SeriesId id, std::int64_t at_ns, std::int64_t frozen_at_ns) const {
  const GivenSeries& series = series_[id];
  if (series.baseline || zone_ == nullptr) return series.baseline;
  return measure::baseline(series.hours, at_ns, frozen_at_ns, *zone_);
}

std::optional<std::int64_t> Given::task_known_since_ns(std::string_view task) const {
  const auto found = unsuccessful_.find(task);
  return found == unsuccessful_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> Given::task_last_success_ns(std::string_view task) const {
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? std::nullopt : std::optional(found->second);
}

std::span<const measure::Point> Given::statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const {
  const auto found = statuses_.find(check);
  if (found == statuses_.end()) return {};
  return between(found->second, after_ns, until_ns, &measure::Point::at_ns);
}

std::int64_t Given::interval_ns(measure::SeriesId id) const {
  const auto found = intervals_.find(series_[id].check);
  return found == intervals_.end() ? 0 : found->second;
}

std::span<const measure::Rollup> Given::rollups(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const {
  const std::int64_t first = after_ns;  // a stretch that begins at `after` lies wholly behind it
  return between(rollups_[id], first - 1, until_ns - store::five_minutes_ns, &measure::Rollup::from_ns);
}

}  // namespace ronda::rule
