// SPDX-License-Identifier: Apache-2.0
// A history that somebody gives: of `rules test`, and of the tests of rules. It knows all of it at once; Past shows
// what of it was there at an instant.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "measure/baseline.hpp"
#include "measure/view.hpp"

namespace ronda::rule {

struct GivenSeries {
  std::string check, metric;
  measure::SeriesInfo info;
  std::vector<measure::Point> points;      // ascending
  std::optional<double> baseline;          // the same at every hour; none: what `hours` say
  std::vector<measure::Point> hours = {};  // as measure::baseline() reads them, ascending
};

class Given final : public measure::View {
 public:
  void add(GivenSeries series);
  /// Ascending; a result of the check each.
  void add_statuses(const std::string& check, std::vector<measure::Point> statuses);
  void add_task(const std::string& task, std::int64_t success_ns) { tasks_[task] = success_ns; }
  /// One that never succeeded, and is known since then.
  void add_unsuccessful_task(const std::string& task, std::int64_t known_since_ns) { unsuccessful_[task] = known_since_ns; }
  /// Of baselines that are made of hours; without one they are not known.
  void use_zone(schedule::ZonePtr zone) { zone_ = std::move(zone); }
  void set_interval(const std::string& check, std::int64_t interval_ns) { intervals_[check] = interval_ns; }

  std::optional<measure::CheckNow> check(std::string_view name) const override;
  std::vector<measure::SeriesId> series(std::string_view check, std::string_view metric) const override;
  const measure::SeriesInfo& info(measure::SeriesId id) const override { return series_[id].info; }
  std::span<const measure::Point> points(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::optional<double> baseline(measure::SeriesId id, std::int64_t at_ns, std::int64_t frozen_at_ns) const override;
  std::span<const measure::Point> hours(measure::SeriesId id) const { return series_[id].hours; }
  std::optional<std::int64_t> task_last_success_ns(std::string_view task) const override;
  std::optional<std::int64_t> task_known_since_ns(std::string_view task) const override;
  std::span<const measure::Point> statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::int64_t interval_ns(measure::SeriesId id) const override;
  std::span<const measure::Rollup> rollups(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;

 private:
  std::vector<GivenSeries> series_;
  std::vector<std::vector<measure::Rollup>> rollups_;  // as series_
  std::map<std::string, std::vector<measure::Point>, std::less<>> statuses_;
  std::map<std::string, std::int64_t, std::less<>> tasks_, unsuccessful_;
  std::map<std::string, std::int64_t, std::less<>> intervals_;
  schedule::ZonePtr zone_;
};

}  // namespace ronda::rule
