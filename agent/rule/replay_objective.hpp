// SPDX-License-Identifier: Apache-2.0
// An objective over history: how its alert would have moved over what a store has of its judgements. Pure.
#pragma once

#include <span>
#include <vector>

#include "rule/objective.hpp"
#include "rule/replay.hpp"

namespace ronda::rule {

/// One series of judgements, ascending: single ones, and stretches of five minutes, which stand only for the time before those.
struct Judged {
  std::vector<measure::Rollup> rolled;  // as `GET /v1/samples` gives them: without sketches
  std::vector<measure::Point> single;
};

/// Ascending. By time `good` are values of Goodness and `bad` is empty; by requests both are so many since the judgement before.
/// Of a stretch of five minutes in which all three were judged, good, bad and unknown, bad is not seen: half
/// of it is taken for good and half for unknown.
std::vector<measure::slo::Stretch> stretches_of(const Slo& slo, const Judged& good, const Judged& bad);

/// Looked at once a minute, as the agent does. `stretches` reach back as far as the longest window of a burn, else less is bad
/// in it than was.
Backtest backtest(const Slo& slo, std::span<const measure::slo::Stretch> stretches, std::int64_t from_ns, std::int64_t until_ns);

}  // namespace ronda::rule
