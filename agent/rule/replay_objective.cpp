// SPDX-License-Identifier: Apache-2.0
#include "rule/replay_objective.hpp"

#include <algorithm>
#include <map>

namespace ronda::rule {
namespace {

using measure::Point, measure::Rollup;
using measure::slo::Goodness, measure::slo::Stretch;

std::int64_t first_of(const Judged& judged) {
  return judged.single.empty() ? INT64_MAX : judged.single.front().at_ns;
}

/// Of 0, 1 and 2 there are their number, their sum and the ends.
Stretch mixture_of(const Rollup& rollup) {
  Stretch out{rollup.from_ns, rollup.from_ns + store::five_minutes_ns, 0, 0, 0};
  if (rollup.count == 0) return out;
  const auto count = static_cast<double>(rollup.count);
  const auto unknown = static_cast<double>(Goodness::unknown), bad = static_cast<double>(Goodness::bad);
  double unknowns = 0, bads = 0;
  if (rollup.max < unknown) {
    bads = rollup.sum;
  } else if (rollup.min >= bad) {
    unknowns = rollup.sum - count;
    bads = count - unknowns;
  } else {
    unknowns = rollup.sum / unknown;
  }
  const double each = static_cast<double>(store::five_minutes_ns) / 1e9 / count;
  out.bad = bads * each;
  out.unknown = unknowns * each;
  out.good = (count - bads - unknowns) * each;
  return out;
}

void put_until(Stretch stretch, std::int64_t until_ns, std::vector<Stretch>& out) {
  if (stretch.from_ns >= until_ns) return;
  if (stretch.until_ns > until_ns) {
    const double share = static_cast<double>(until_ns - stretch.from_ns) / static_cast<double>(stretch.until_ns - stretch.from_ns);
    stretch.until_ns = until_ns;
    stretch.good *= share, stretch.bad *= share, stretch.unknown *= share;
  }
  out.push_back(stretch);
}

std::vector<Stretch> by_time(const Slo& slo, const Judged& judged) {
  std::vector<Stretch> out;
  for (const Rollup& rollup : judged.rolled) put_until(mixture_of(rollup), first_of(judged), out);
  const std::int64_t hold = hold_of(slo);
  for (std::size_t i = 0; i < judged.single.size(); ++i) {
    const Point& point = judged.single[i];
    Stretch one{point.at_ns, point.at_ns + hold, 0, 0, 0};
    if (i + 1 < judged.single.size()) one.until_ns = std::min(one.until_ns, judged.single[i + 1].at_ns);
    if (one.until_ns <= one.from_ns) continue;
    const double seconds = static_cast<double>(one.until_ns - one.from_ns) / 1e9;
    (point.value == static_cast<double>(Goodness::good)  ? one.good
     : point.value == static_cast<double>(Goodness::bad) ? one.bad
                                                         : one.unknown) = seconds;
    out.push_back(one);
  }
  return out;
}

std::vector<Stretch> by_requests(const Judged& good, const Judged& bad) {
  const std::int64_t first = std::min(first_of(good), first_of(bad));
  std::map<std::int64_t, Stretch> rolled, single;  // of both; by where a stretch begins, and by when a judgement was
  const auto take = [&](const Judged& judged, double Stretch::*part) {
    for (const Rollup& rollup : judged.rolled) {
      if (rollup.from_ns < first) rolled[rollup.from_ns].*part += rollup.sum;
    }
    for (const Point& point : judged.single) single[point.at_ns].*part += point.value;
  };
  take(good, &Stretch::good);
  take(bad, &Stretch::bad);
  std::vector<Stretch> out;
  for (auto& [from, stretch] : rolled) {
    stretch.from_ns = from;
    stretch.until_ns = std::min(from + store::five_minutes_ns, first);  // what it counts was before the first single one
    out.push_back(stretch);
  }
  std::int64_t before = out.empty() ? 0 : out.back().until_ns;
  for (auto& [at, stretch] : single) {
    stretch.from_ns = std::max(before, at - store::five_minutes_ns);
    stretch.until_ns = before = at;
    if (stretch.from_ns >= at) stretch.from_ns = at - 1;
    out.push_back(stretch);
  }
  return out;
}

}  // namespace

std::vector<Stretch> stretches_of(const Slo& slo, const Judged& good, const Judged& bad) {
  return slo.definition.objective.counts ? by_requests(good, bad) : by_time(slo, good);
}

Backtest backtest(const Slo& slo, std::span<const Stretch> stretches, std::int64_t from_ns, std::int64_t until_ns) {
  Replay out;
  const std::int64_t patience = known_for(slo);
  const measure::slo::Stretches record(stretches);
  auto next = stretches.begin();
  std::int64_t seen_ns = INT64_MIN / 2;
  for (std::int64_t now = store::floor_to(from_ns + slo_look_ns - 1, slo_look_ns); now <= until_ns; now += slo_look_ns) {
    if (++out.looks > most_looks) {
      out.is_cut = true;
      break;
    }
    for (; next != stretches.end() && next->from_ns < now; ++next) {
      if (next->good + next->bad > 0) seen_ns = next->until_ns;
    }
    const bool is_known = now - std::min(seen_ns, now) <= patience;
    const auto burns = measure::slo::burns(slo.definition.objective, record, now);
    // without the budget: what is read is three days and not the window
    Outcome outcome = advance(slo.alert, std::move(out.state), read_burns(slo, burns, {}, is_known, now), now);
    out.state = std::move(outcome.state);
    for (Change& change : outcome.changes) out.changes.push_back(std::move(change));
  }
  return counted(std::move(out), from_ns, until_ns);
}

}  // namespace ronda::rule
