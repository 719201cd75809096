// SPDX-License-Identifier: Apache-2.0
// A rule over history: what it would have said, had it been there. Pure: the history is any View, production's own
// or one that a test gives.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "rule/ladder.hpp"

namespace ronda::rule {

/// A view as it was at an instant: it knows nothing after it. Statuses of checks come from their status history.
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
  std::span<const measure::Point> statuses(std::string_view check, std::int64_t after_ns, std::int64_t until_ns) const override;
  std::int64_t interval_ns(measure::SeriesId id) const override { return whole_.interval_ns(id); }
  std::span<const measure::Rollup> rollups(measure::SeriesId id, std::int64_t after_ns, std::int64_t until_ns) const override;

 private:
  const measure::View& whole_;
  std::int64_t now_ns_ = 0;
};

inline constexpr std::uint64_t most_looks = 2'000'000;  // of one replay

struct Replay {
  std::vector<Change> changes;
  AlertState state;  // at the end
  std::uint64_t looks = 0;
  bool is_cut = false;  // there would have been more than most_looks
};

/// Looks at every result of the checks of the alert and of their parents in (from, until], at each instant that the state
/// asks for, and at `more` (ascending). `seen`, if given, is told the state after each look.
Replay replay(const Alert& alert, const Facts& facts, const measure::View& whole, std::int64_t from_ns, std::int64_t until_ns,
              const std::vector<std::int64_t>& more = {}, const std::function<void(std::int64_t, const AlertState&)>& seen = {});

/// What `rules backtest` tells: how often each level would have been reached, and for how long.
struct Backtest {
  Replay replay;
  std::array<std::uint32_t, 4> reached{};  // p1 to p4: by `fired` and by `level_changed`
  std::array<std::int64_t, 4> time_ns{};   // on the level, up to `until`
  std::uint32_t fired = 0;
};
Backtest backtest(const Alert& alert, const Facts& facts, const measure::View& whole, std::int64_t from_ns, std::int64_t until_ns);

}  // namespace ronda::rule
