// SPDX-License-Identifier: Apache-2.0
// A history as it was at an instant, for what looks at the past as if it were now. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/view.hpp"

namespace ronda::rule {

/// A view as it was at an instant: it knows nothing after it. Statuses of checks come from their status history, and so
/// does when a task had succeeded last.
class Past final : public measure::View {
 public:
  /// `whole` must outlive it.
  explicit Past(const measure::View& whole) : whole_(whole) {}
  void move_to(std::int64_t now_ns) { now_ns_ = now_ns; }

  std::optional<measure::CheckNow> check(std::string_view name) const override;
  std::vector<measure::SeriesId> series(std::string_view check, std::string_view metric) const override {
    return whole_.series(check, metric);
  }
  const measure::SeriesInfo& info(measure::SeriesId id) const override { return whole_.info(id); }
  std::span<const measure::Point> points(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::optional<double> baseline(measure::SeriesId id, std::int64_t at_ns, std::int64_t frozen_at_ns) const override;
  std::optional<std::int64_t> task_last_success_ns(std::string_view task) const override;
  std::optional<std::int64_t> task_known_since_ns(std::string_view task) const override;
  std::span<const measure::Point> statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::int64_t interval_ns(measure::SeriesId id) const override { return whole_.interval_ns(id); }
  std::span<const measure::Rollup> rollups(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;

 private:
  const std::vector<std::int64_t>& successes_of(std::string_view task) const;

  const measure::View& whole_;
  mutable std::map<std::string, std::vector<std::int64_t>, std::less<>> successes_;  // of tasks, as they are asked for
  std::int64_t now_ns_ = 0;
};

}  // namespace ronda::rule
