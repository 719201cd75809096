// SPDX-License-Identifier: Apache-2.0
#include "measure/slo.hpp"

#include <algorithm>

namespace ronda::measure::slo {
namespace {

constexpr std::int64_t minute = 60'000'000'000, hour = 60 * minute, day = 24 * hour;

std::int64_t overlap(std::int64_t a_from, std::int64_t a_until, std::int64_t b_from, std::int64_t b_until) {
  return std::max<std::int64_t>(std::min(a_until, b_until) - std::max(a_from, b_from), 0);
}

/// In order and without overlaps, so that no time is taken off twice.
std::vector<Excluded> joined(std::span<const Excluded> excluded) {
  std::vector<Excluded> out(excluded.begin(), excluded.end());
  std::ranges::sort(out, {}, &Excluded::from_ns);
  std::size_t kept = 0;
  for (const Excluded& one : out) {
    if (kept > 0 && one.from_ns <= out[kept - 1].until_ns)
      out[kept - 1].until_ns = std::max(out[kept - 1].until_ns, one.until_ns);
    else
      out[kept++] = one;
  }
  out.resize(kept);
  return out;
}

std::int64_t taken_off(std::span<const Excluded> joined, std::int64_t from_ns, std::int64_t until_ns) {
  std::int64_t total = 0;
  const auto first = std::ranges::upper_bound(joined, from_ns, {}, &Excluded::until_ns);
  for (auto next = first; next != joined.end() && next->from_ns < until_ns; ++next)
    total += overlap(from_ns, until_ns, next->from_ns, next->until_ns);
  return total;
}

Sums sums_of(std::span<const Stretch> stretches, std::int64_t until_ns, std::int64_t length_ns, std::span<const Excluded> joined) {
  Sums out;
  const std::int64_t after = until_ns - length_ns;
  const auto first = std::ranges::upper_bound(stretches, after, {}, &Stretch::until_ns);
  for (auto next = first; next != stretches.end() && next->from_ns < until_ns; ++next) {
    const std::int64_t from = std::max(next->from_ns, after), until = std::min(next->until_ns, until_ns);
    if (until <= from) continue;
    const double share =
        static_cast<double>(until - from - taken_off(joined, from, until)) / static_cast<double>(next->until_ns - next->from_ns);
    out.good += next->good * share;
    out.bad += next->bad * share;
    out.unknown += next->unknown * share;
  }
  return out;
}

/// What the objective promises a share of: all the time of a window that counts, or all requests that were seen in it.
double whole(const Objective& objective, const Sums& sums, std::int64_t until_ns, std::int64_t length_ns,
             std::span<const Excluded> joined) {
  if (objective.counts) return sums.seen();
  return static_cast<double>(length_ns - taken_off(joined, until_ns - length_ns, until_ns)) / 1e9;
}

struct Speed {
  std::optional<double> times;
  bool enough = false;
  double bad = 0;
};

Speed speed(const Objective& objective, std::span<const Stretch> stretches, std::int64_t now_ns, std::int64_t length_ns,
            std::span<const Excluded> joined) {
  const Sums sums = sums_of(stretches, now_ns, length_ns, joined);
  const double all = whole(objective, sums, now_ns, length_ns, joined);
  if (sums.seen() <= 0 || all <= 0) return {};
  return {sums.bad / all / (1 - objective.target), !objective.counts || sums.seen() >= objective.least, sums.bad};
}

}  // namespace

const std::array<BurnRule, 3> burn_rules = {{{"fast", 14.4, hour, 5 * minute, config::Level::p1},
                                             {"slow", 6, 6 * hour, 30 * minute, config::Level::p2},
                                             {"ticket", 1, 3 * day, 6 * hour, config::Level::p3}}};

Sums sums(std::span<const Stretch> stretches, std::int64_t until_ns, std::int64_t length_ns, std::span<const Excluded> excluded) {
  return sums_of(stretches, until_ns, length_ns, joined(excluded));
}

std::optional<Budget> budget(const Objective& objective, std::span<const Stretch> stretches, std::int64_t now_ns,
                             std::span<const Excluded> excluded) {
  const auto off = joined(excluded);
  Budget out;
  out.sums = sums_of(stretches, now_ns, objective.window_ns, off);
  const double seen = out.sums.seen(), all = whole(objective, out.sums, now_ns, objective.window_ns, off);
  if (seen <= 0 || all <= 0) return {};
  out.reached = out.sums.good / seen;
  out.allowed = all * (1 - objective.target);
  out.left = 1 - out.sums.bad / out.allowed;
  out.known = seen / (objective.counts ? seen + out.sums.unknown : std::max(all, seen));
  return out;
}

std::array<Burn, 3> burns(const Objective& objective, std::span<const Stretch> stretches, std::int64_t now_ns,
                          std::span<const Excluded> excluded) {
  const auto off = joined(excluded);
  std::array<Burn, 3> out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const BurnRule& rule = burn_rules[i];
    const Speed in_long = speed(objective, stretches, now_ns, rule.long_ns, off);
    const Speed in_short = speed(objective, stretches, now_ns, rule.short_ns, off);
    Burn& burn = out[i];
    burn = {&rule, in_long.times, in_short.times, in_long.enough && in_short.enough, false, in_long.bad, objective.least_bad[i]};
    constexpr double almost = 1 - 1e-9;  // 1 - 0.999 is not quite 0.001
    const double least = rule.factor * almost;
    const bool is_fast = burn.enough && *burn.in_long >= least && *burn.in_short >= least;
    burn.holds = is_fast && burn.bad >= burn.least_bad * almost;
    burn.is_held_back = is_fast && !burn.holds;
  }
  return out;
}

Stretch stretch_of(const store::Rollup& rollup, std::int64_t length_ns) {
  Stretch out{rollup.from_ns, rollup.from_ns + length_ns, 0, 0, 0};
  if (rollup.count == 0) return out;
  const double each = static_cast<double>(length_ns) / 1e9 / static_cast<double>(rollup.count);
  out.good = each * static_cast<double>(rollup.sketch.count_of(0));
  out.bad = each * static_cast<double>(rollup.sketch.count_of(1));
  out.unknown = each * static_cast<double>(rollup.count) - out.good - out.bad;
  return out;
}

}  // namespace ronda::measure::slo
