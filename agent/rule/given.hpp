// SPDX-License-Identifier: Apache-2.0
// A history that somebody gives: of `rules test`, and of the tests of rules. It knows all of it at once; Past shows
// what of it was there at an instant.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "measure/view.hpp"

namespace ronda::rule {

struct GivenSeries {
  std::string check, metric;
  measure::SeriesInfo info;
  std::vector<measure::Point> points;  // ascending
  std::optional<double> baseline;      // the same at every hour
};

class Given final : public measure::View {
 public:
  void add(GivenSeries series);
  /// Ascending; a result of the check each.
  void add_statuses(const std::string& check, std::vector<measure::Point> statuses);
  void add_task(const std::string& task, std::int64_t success_ns) { tasks_[task] = success_ns; }
  void set_interval(const std::string& check, std::int64_t interval_ns) { intervals_[check] = interval_ns; }

  std::optional<measure::CheckNow> check(std::string_view name) const override;
  std::vector<measure::SeriesId> series(std::string_view check, std::string_view metric) const override;
  const measure::SeriesInfo& info(measure::SeriesId id) const override { return series_[id].info; }
  std::span<const measure::Point> points(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::optional<double> baseline(measure::SeriesId id, std::int64_t, std::int64_t) const override { return series_[id].baseline; }
  std::optional<std::int64_t> task_last_success_ns(std::string_view task) const override;
  std::span<const measure::Point> statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::int64_t interval_ns(measure::SeriesId id) const override;
  std::span<const measure::Rollup> rollups(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;

 private:
  std::vector<GivenSeries> series_;
  std::vector<std::vector<measure::Rollup>> rollups_;  // as series_
  std::map<std::string, std::vector<measure::Point>, std::less<>> statuses_;
  std::map<std::string, std::int64_t, std::less<>> tasks_;
  std::map<std::string, std::int64_t, std::less<>> intervals_;
};

}  // namespace ronda::rule
