// SPDX-License-Identifier: Apache-2.0
// A rule over history: what it would have said, had it been there. Pure: the history is any View, production's own
// or one that a test gives.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "rule/ladder.hpp"

namespace ronda::rule {

inline constexpr std::uint64_t most_looks = 2'000'000;  // of one replay

struct Replay {
  std::vector<Change> changes;
  AlertState state;  // at the end
  std::uint64_t looks = 0;
  bool is_cut = false;  // there would have been more than most_looks
};

/// Looks at every result of the checks of the alert, of their parents and of tasks whose age it asks for in (from, until], at each instant
/// that the state asks for, and at `more` (ascending). `seen`, if given, is told the state after each look.
Replay replay(const Alert& alert, const Facts& facts, const measure::View& whole, std::int64_t from_ns, std::int64_t until_ns,
              const std::vector<std::int64_t>& more = {}, const std::function<void(std::int64_t, const AlertState&)>& seen = {});

/// What `rules backtest` tells: how often each level would have been reached, and for how long.
struct Backtest {
  Replay replay;
  std::array<std::uint32_t, 4> reached{};  // p1 to p4: by `fired` and by `level_changed`
  std::array<std::int64_t, 4> time_ns{};   // on the level, up to `until`
  std::uint32_t fired = 0;
};
/// Points that stand for a stretch of which the single ones are gone: as many as there were, evenly from the first to the last.
/// Those are as they were, the worst and the least lie between them, all others are the mean; of a status (`is_status`) the
/// last. At most most_spread of them.
inline constexpr std::uint64_t most_spread = 600;
std::vector<measure::Point> spread(const measure::Rollup& rollup, bool is_status);

/// Of what a replay found.
Backtest counted(Replay replay, std::int64_t from_ns, std::int64_t until_ns);

Backtest backtest(const Alert& alert, const Facts& facts, const measure::View& whole, std::int64_t from_ns, std::int64_t until_ns);

}  // namespace ronda::rule
