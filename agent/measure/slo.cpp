// SPDX-License-Identifier: Apache-2.0
#include "measure/slo.hpp"

#include <algorithm>

namespace ronda::measure::slo {
namespace {

constexpr std::int64_t minute = 60'000'000'000, hour = 60 * minute, day = 24 * hour;

/// What the objective promises a share of: all the time of a window that counts, or all requests that were seen in it.
double whole(const Objective& objective, const Sums& sums, std::int64_t length_ns) {
  return objective.counts ? sums.seen() : static_cast<double>(length_ns) / 1e9;
}

struct Speed {
  std::optional<double> times;
  bool enough = false;
  double bad = 0;
};

Speed speed(const Objective& objective, const Record& record, std::int64_t now_ns, std::int64_t length_ns) {
  const Sums sums = record.sums(now_ns, length_ns);
  const double all = whole(objective, sums, length_ns);
  if (sums.seen() <= 0 || all <= 0) return {};
  return {sums.bad / all / (1 - objective.target), !objective.counts || sums.seen() >= objective.least, sums.bad};
}

}  // namespace

const std::array<BurnRule, 3> burn_rules = {{{"fast", 14.4, hour, 5 * minute, config::Level::p1},
                                             {"slow", 6, 6 * hour, 30 * minute, config::Level::p2},
                                             {"ticket", 1, 3 * day, 6 * hour, config::Level::p3}}};

std::optional<Budget> budget(const Objective& objective, const Record& record, std::int64_t now_ns) {
  Budget out;
  out.sums = record.sums(now_ns, objective.window_ns);
  const double seen = out.sums.seen(), all = whole(objective, out.sums, objective.window_ns);
  if (seen <= 0 || all <= 0) return {};
  out.reached = out.sums.good / seen;
  out.allowed = all * (1 - objective.target);
  out.left = 1 - out.sums.bad / out.allowed;
  out.known = seen / (objective.counts ? seen + out.sums.unknown : std::max(all, seen));
  return out;
}

std::array<Burn, 3> burns(const Objective& objective, const Record& record, std::int64_t now_ns) {
  std::array<Burn, 3> out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const BurnRule& rule = burn_rules[i];
    const Speed in_long = speed(objective, record, now_ns, rule.long_ns);
    const Speed in_short = speed(objective, record, now_ns, rule.short_ns);
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
