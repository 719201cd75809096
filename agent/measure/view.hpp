// SPDX-License-Identifier: Apache-2.0
// What is known of the past at one instant, as rules see it. Pure: no clock, no store; times are nanoseconds
// of the wall clock, UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ronda::measure {

struct Point {
  std::int64_t at_ns = 0;
  double value = 0;
};
using Labels = std::vector<std::pair<std::string, std::string>>;  // sorted by name
enum class Shape : std::uint8_t { gauge, counter };
struct SeriesInfo {
  Labels labels;
  std::string unit;  // in base units: "s" "B" "ratio" "" ...
  Shape shape = Shape::gauge;
};
using SeriesId = std::uint32_t;
enum class Status : std::uint8_t { ok, warning, critical, unknown, pending };  // of a check
struct CheckNow {
  Status status = Status::pending;
  std::int64_t since_ns = 0;
  std::int64_t last_result_ns = 0;
  double duration_s = 0;
};

/// Answers do not change while it is used. Points ascend in time.
class View {
 public:
  virtual ~View() = default;
  /// None: no such check, or no result ever.
  virtual std::optional<CheckNow> check(std::string_view name) const = 0;
  /// One per label set.
  virtual std::vector<SeriesId> series(std::string_view check, std::string_view metric) const = 0;
  virtual const SeriesInfo& info(SeriesId id) const = 0;
  /// Those in (after, until].
  virtual std::span<const Point> points(SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const = 0;
  /// The usual value at this hour of the week, from before `frozen_at_ns` if that is not 0; none: not enough history.
  virtual std::optional<double> baseline(SeriesId id, std::int64_t at_ns, std::int64_t frozen_at_ns) const = 0;
  virtual std::optional<std::int64_t> task_last_success_ns(std::string_view task) const = 0;
  /// Status history of a check, for `x.status` inside time functions and SLOs: value 0..3 by severity order of Status.
  virtual std::span<const Point> statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const = 0;
};

}  // namespace ronda::measure
