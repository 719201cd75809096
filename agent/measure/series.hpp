// SPDX-License-Identifier: Apache-2.0
// One series in memory: its newest points, and roll-ups and hours where its windows need them. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "measure/view.hpp"

namespace ronda::measure {

/// How long what is kept of a series.
struct Keep {
  std::int64_t points_ns = 0;   // 0: the newest point only
  std::int64_t rollups_ns = 0;  // 0: none
  std::int64_t hours_ns = 0;    // 0: none
  std::size_t points_max = 1;
  bool operator==(const Keep&) const = default;
};

class Series {
 public:
  Series(store::SeriesRef key, const Keep& keep) : key_(std::move(key)), info_{key_->labels, key_->unit, key_->shape} { set_keep(keep); }

  const store::SeriesRef& key() const { return key_; }
  const SeriesInfo& info() const { return info_; }
  /// Another unit or shape: what was kept cannot be compared with what comes.
  void rename(store::SeriesRef key);
  void set_keep(const Keep& keep);

  /// A point that is not later than the newest takes back what is not earlier than it.
  void add(const Point& point);
  /// The clock was set forward by so much, to `now_ns`: its points move with it. Stretches and hours stay with those that they were
  /// seen in; no function reads both.
  void move(std::int64_t by_ns, std::int64_t now_ns);
  /// What is older than everything that is here.
  void restore(std::span<const Point> points, std::span<const Rollup> five_minutes, std::span<const Rollup> hours);

  std::span<const Point> points() const { return std::span(points_).subspan(begin_); }
  std::span<const Rollup> rollups() const { return long_ ? std::span<const Rollup>(long_->rollups) : std::span<const Rollup>(); }
  std::span<const Point> hours() const { return long_ ? std::span<const Point>(long_->hours) : std::span<const Point>(); }
  std::int64_t newest_ns() const { return begin_ == points_.size() ? 0 : points_.back().at_ns; }
  std::size_t bytes() const;

 private:
  void take_back(std::int64_t at_ns);
  void roll(const Point& point);
  void roll_hour(const Point& point);
  void age();
  void rebuild_rolled();
  void restore_rolled(std::span<const Rollup> five_minutes);
  void restore_hours(std::span<const Rollup> hours);

  /// What few series have.
  struct Long {
    std::vector<Rollup> rollups;  // closed
    Rollup open;
    std::vector<Point> hours;  // closed: beginning and mean, of a counter what it grew per second
    Rollup open_hour;
  };

  store::SeriesRef key_;
  SeriesInfo info_;
  Keep keep_;
  std::vector<Point> points_;  // those before begin_ are gone
  std::size_t begin_ = 0;
  std::unique_ptr<Long> long_;  // null: neither roll-ups nor hours are kept
};

/// What a baseline is made of.
Point hour_value(const Rollup& hour, Shape shape);

}  // namespace ronda::measure
