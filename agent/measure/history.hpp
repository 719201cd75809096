// SPDX-License-Identifier: Apache-2.0
// The recent past in memory: a View that is fed by results. It keeps only what somebody wants (rules, objectives, services),
// only as long as the longest window that was asked for, and nothing at all of other checks. It owns no clock, no thread and
// no store: what is to be written is handed back, what was read is handed in.
//
// Order of time: a result that is dated before the newest of its check means that the clock was set back. What lies after it
// is then forgotten, so that judgement goes on with the clock as it is; the store does the same (store/samples.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/view.hpp"
#include "schedule/zone.hpp"

namespace ronda::measure {

/// What a rule, an objective or a service asks for. The same may be asked several times: the longest holds.
struct Want {
  std::string check;
  std::string metric;          // empty: of this check only results as such (check(), statuses()), and samples for the store
  std::int64_t window_ns = 0;  // the longest; 0: only the newest value
  bool baseline = false;
  std::int64_t interval_ns = 0;  // of the check; 0: none
};

/// One result, as schedule has graded it.
struct Result {
  std::string_view check;
  Status status = Status::unknown;
  std::int64_t since_ns = 0;  // of this status
  std::int64_t started_ns = 0, ended_ns = 0, duration_ns = 0;
  std::string_view metrics;       // encoded, see plugin::decode_metrics
  std::string_view summary = {};  // the plugin's words; History has no use for them
};

class History final : public View {
 public:
  /// Series of one metric of one check by its labels; what is beyond is dropped and counted.
  static constexpr std::size_t series_per_metric_max = 256;
  static constexpr std::size_t series_per_check_max = 1000;  // as many metrics as a call may give
  /// Of a series: 24 h at 5 s, 270 KiB. Where a window would have more it is answered from roll-ups.
  static constexpr std::size_t points_max = 17'280;

  /// The zone is of baselines.
  explicit History(schedule::ZonePtr zone);
  ~History() override;

  /// The whole of what is wanted from here on, after each reload. What stays keeps its points; what nobody wants any more is
  /// let go.
  void want(const std::vector<Want>& wants, const std::vector<std::string>& tasks = {});
  bool wants(std::string_view check) const;
  /// Of baselines from here on: another zone by a reload, or other rules of the same one (tzdata).
  void use_zone(schedule::ZonePtr zone);

  /// What the store is to keep of it; nothing for a check that nobody wants, at the cost of one look-up.
  std::optional<store::Sampled> observe(const Result& result);
  /// A series that is no check's metric, for example what an objective judged: ("slo:api", "good").
  std::optional<store::Sampled> observe_value(std::string_view check, std::string_view metric, std::int64_t at_ns, double value,
                                              const Labels& labels = {});
  void task_succeeded(std::string_view task, std::int64_t at_ns);
  /// The clock was set forward by so much, to `now_ns`: what this life has seen moves with it, so that nothing is too old by that. What
  /// the store said of checks and tasks is by the clock of then, and stays.
  void move(std::int64_t by_ns, std::int64_t now_ns);
  /// Of those that never succeeded: they are known since then, unless it is known since when already.
  void note_tasks(std::int64_t now_ns);

  // --- from the store, at start ---
  struct Load {
    std::string check, metric;
    std::int64_t points_after_ns = 0, rollups_after_ns = 0, hours_after_ns = 0;  // 0: none of these
  };
  /// What of the store would fill the windows, as of `now_ns`.
  std::vector<Load> loads(std::int64_t now_ns) const;
  /// Older than what is there already; what is not older is left out. Points and stretches ascend.
  void restore(const store::SeriesKey& key, std::span<const Point> points, std::span<const Rollup> five_minutes,
               std::span<const Rollup> hours);
  /// If it has no result yet.
  void restore_check(std::string_view check, const CheckNow& now);
  /// What is later counts; 0: it never succeeded.
  void restore_task(std::string_view task, std::int64_t last_success_ns, std::int64_t known_since_ns);

  // --- View ---
  std::optional<CheckNow> check(std::string_view name) const override;
  std::vector<SeriesId> series(std::string_view check, std::string_view metric) const override;
  const SeriesInfo& info(SeriesId id) const override;
  std::span<const Point> points(SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::optional<double> baseline(SeriesId id, std::int64_t at_ns, std::int64_t frozen_at_ns) const override;
  std::optional<std::int64_t> task_last_success_ns(std::string_view task) const override;
  std::optional<std::int64_t> task_known_since_ns(std::string_view task) const override;
  std::span<const Point> statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::int64_t interval_ns(SeriesId id) const override;
  std::int64_t reach_ns(SeriesId id) const override;
  std::span<const Rollup> rollups(SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;

  struct Size {
    std::size_t checks = 0, series = 0, points = 0, bytes = 0;  // bytes: of points, stretches and hours
    std::uint64_t dropped_values = 0;                           // not a number, or beyond the caps
    std::uint64_t clock_steps = 0;                              // results dated before the newest of their check
  };
  Size size() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ronda::measure
