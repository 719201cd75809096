// SPDX-License-Identifier: Apache-2.0
// What is known of the past at one instant, as rules and objectives read it. Pure: it has no clock and does no I/O, and
// the answers do not change while it is used. What it hands out lives until the next result is taken in.
// All times are wall clock, nanoseconds since 1970-01-01 UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/sample.hpp"

namespace ronda::measure {

using store::Labels;  // sorted by name
using store::Point;   // { at_ns, value }
using store::Rollup;
using store::Shape;  // gauge, counter

struct SeriesInfo {
  Labels labels;
  std::string unit;  // base units: "s" "B" "ratio" ""
  Shape shape = Shape::gauge;
};
using SeriesId = std::uint32_t;

/// Of a check. As a value in statuses() it is this number: 0 ok, 1 warning, 2 critical, 3 unknown, 4 pending.
enum class Status : std::uint8_t { ok, warning, critical, unknown, pending };

struct CheckNow {
  Status status = Status::pending;
  std::int64_t since_ns = 0;        // of this status
  std::int64_t last_result_ns = 0;  // when the last run ended
  std::optional<double> duration_s = 0;  // of the last run; none: it ran in a life before this one
};

/// Longer windows are answered from roll-ups; of fast checks shorter ones too, see View::reach_ns.
inline constexpr std::int64_t points_reach_ns = std::int64_t{24} * 3'600'000'000'000;

class View {
 public:
  virtual ~View() = default;
  /// None: no such check, or no result ever.
  virtual std::optional<CheckNow> check(std::string_view name) const = 0;
  /// One per label set, in the order of the labels.
  virtual std::vector<SeriesId> series(std::string_view check, std::string_view metric) const = 0;
  virtual const SeriesInfo& info(SeriesId id) const = 0;
  /// Single points in (after, until], ascending. No more than reach_ns() back: a longer window is answered from
  /// rollups(), see functions.hpp, `over`.
  virtual std::span<const Point> points(SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const = 0;
  /// The usual value at this hour of the week, from before `frozen_at_ns` if that is not 0; none: not enough history.
  virtual std::optional<double> baseline(SeriesId id, std::int64_t at_ns, std::int64_t frozen_at_ns) const = 0;
  virtual std::optional<std::int64_t> task_last_success_ns(std::string_view task) const = 0;
  /// Since when there is a task that never succeeded; none: that is not known, or it did.
  virtual std::optional<std::int64_t> task_known_since_ns(std::string_view /*task*/) const { return {}; }
  /// Status history of a check, for `x.status` inside functions over time and for objectives: see Status.
  virtual std::span<const Point> statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const = 0;

  /// How far apart results of the check of this series are, as configured; 0: not known.
  virtual std::int64_t interval_ns(SeriesId) const { return 0; }
  /// How far back there may be single points.
  virtual std::int64_t reach_ns(SeriesId) const { return points_reach_ns; }
  /// Five-minute stretches that lie wholly in (after, until], ascending; only for windows beyond reach_ns().
  virtual std::span<const Rollup> rollups(SeriesId, std::int64_t /*after_ns*/, std::int64_t /*until_ns*/) const { return {}; }
};

}  // namespace ronda::measure
