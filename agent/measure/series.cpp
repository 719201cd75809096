// SPDX-License-Identifier: Apache-2.0
#include "measure/series.hpp"

#include <algorithm>
#include <utility>

#include "base/clock_set.hpp"

namespace ronda::measure {
namespace {

using store::five_minutes_ns, store::floor_to, store::hour_ns;

/// Grows by a quarter: twice would be half empty on average, in memory that is kept for ever.
template <class T>
void push(std::vector<T>& into, T value) {
  if (into.size() == into.capacity() && into.size() >= 8) into.reserve(into.size() + into.size() / 4);
  into.push_back(std::move(value));
}

template <class T, class At>
void drop_before(std::vector<T>& from, std::int64_t before_ns, At at) {
  const auto kept = std::ranges::lower_bound(from, before_ns, {}, at);
  // not one at a time: each moves all that stays
  if (kept - from.begin() > 16 || kept == from.end()) from.erase(from.begin(), kept);
}

}  // namespace

Point hour_value(const Rollup& hour, Shape shape) {
  if (shape == Shape::gauge) return {hour.from_ns, hour.mean()};
  const auto seconds = static_cast<double>(hour.last_ns - hour.first_ns) / 1e9;
  return {hour.from_ns, seconds > 0 ? hour.increase / seconds : 0};
}

void Series::rename(store::SeriesRef key) {
  key_ = std::move(key);
  info_ = {key_->labels, key_->unit, key_->shape};
  points_.clear();
  begin_ = 0;
  if (long_) *long_ = {};
}

void Series::set_keep(const Keep& keep) {
  const bool first_rollups = keep_.rollups_ns == 0 && keep.rollups_ns > 0;
  keep_ = keep;
  if (keep_.rollups_ns == 0 && keep_.hours_ns == 0)
    long_.reset();
  else if (!long_)
    long_ = std::make_unique<Long>();
  if (long_ && keep_.rollups_ns == 0) long_->rollups = {};
  if (long_ && keep_.hours_ns == 0) long_->hours = {};
  if (first_rollups) rebuild_rolled();
  if (!points().empty()) age();
  points_.shrink_to_fit();
}

void Series::add(const Point& point) {
  if (!points().empty() && point.at_ns <= newest_ns()) take_back(point.at_ns);
  push(points_, point);
  if (keep_.rollups_ns > 0) roll(point);
  if (keep_.hours_ns > 0) roll_hour(point);
  age();
}

void Series::move(std::int64_t by_ns, std::int64_t now_ns) {
  for (Point& point : points_) point.at_ns = moved_with_clock(point.at_ns, by_ns, now_ns);
  std::ranges::stable_sort(points_, {}, &Point::at_ns);  // one that lay ahead may lie before them now
}

/// What is dated at `at_ns` or later was not.
void Series::take_back(std::int64_t at_ns) {
  while (points_.size() > begin_ && points_.back().at_ns >= at_ns) points_.pop_back();
  if (!long_) return;
  std::erase_if(long_->rollups, [&](const Rollup& one) { return one.last_ns >= at_ns; });
  rebuild_rolled();
  std::erase_if(long_->hours, [&](const Point& one) { return one.at_ns + hour_ns > at_ns; });
  long_->open_hour = {};
}

/// From the points that lie after the closed ones.
void Series::rebuild_rolled() {
  if (keep_.rollups_ns == 0) return;
  long_->open = {};
  const std::int64_t from = long_->rollups.empty() ? 0 : long_->rollups.back().from_ns + five_minutes_ns;
  for (const Point& point : points()) {
    if (point.at_ns >= from) roll(point);
  }
}

void Series::roll(const Point& point) {
  const std::int64_t from = floor_to(point.at_ns, five_minutes_ns);
  Rollup& open = long_->open;
  if (open.count > 0 && open.from_ns != from) push(long_->rollups, std::exchange(open, {}));
  open.from_ns = from;
  store::add(open, point, info_.shape);
}

void Series::roll_hour(const Point& point) {
  const std::int64_t from = floor_to(point.at_ns, hour_ns);
  Rollup& open = long_->open_hour;
  if (open.count > 0 && open.from_ns != from) push(long_->hours, hour_value(std::exchange(open, {}), info_.shape));
  open.from_ns = from;
  store::add(open, point, info_.shape);
}

void Series::age() {
  const std::int64_t now = newest_ns();
  const std::size_t all = points_.size();
  while (begin_ + 1 < all && (points_[begin_].at_ns <= now - keep_.points_ns || all - begin_ > keep_.points_max)) ++begin_;
  if (begin_ > 4 && begin_ > all / 4) {
    points_.erase(points_.begin(), points_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  if (!long_) return;
  drop_before(long_->rollups, now - keep_.rollups_ns, &Rollup::from_ns);
  drop_before(long_->hours, now - keep_.hours_ns, &Point::at_ns);
}

void Series::restore(std::span<const Point> points, std::span<const Rollup> five_minutes, std::span<const Rollup> hours) {
  const auto own = this->points();
  std::vector<Point> all;
  for (const Point& point : points) {
    if (own.empty() || point.at_ns < own.front().at_ns) all.push_back(point);
  }
  all.insert(all.end(), own.begin(), own.end());
  points_ = std::move(all);
  begin_ = 0;
  if (keep_.rollups_ns > 0) restore_rolled(five_minutes);
  if (keep_.hours_ns > 0) restore_hours(hours);
  if (!points_.empty()) age();
}

/// Of a stretch that both have, the one that saw more stays: this one may have begun in its middle.
void Series::restore_rolled(std::span<const Rollup> five_minutes) {
  std::vector<Rollup> rolled(five_minutes.begin(), five_minutes.end());
  for (Rollup& one : long_->rollups) {
    if (!rolled.empty() && rolled.back().from_ns == one.from_ns && rolled.back().count < one.count) rolled.back() = one;
    if (rolled.empty() || rolled.back().from_ns < one.from_ns) rolled.push_back(std::move(one));
  }
  long_->rollups = std::move(rolled);
  rebuild_rolled();
}

void Series::restore_hours(std::span<const Rollup> hours) {
  std::vector<Point> older;
  for (const Rollup& hour : hours) {
    if (long_->hours.empty() || hour.from_ns < long_->hours.front().at_ns) older.push_back(hour_value(hour, info_.shape));
  }
  long_->hours.insert(long_->hours.begin(), older.begin(), older.end());
}

std::size_t Series::bytes() const {
  std::size_t bytes = sizeof *this + points_.capacity() * sizeof(Point);
  if (long_) bytes += sizeof *long_ + long_->rollups.capacity() * sizeof(Rollup) + long_->hours.capacity() * sizeof(Point);
  return bytes;
}

}  // namespace ronda::measure
