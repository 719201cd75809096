// SPDX-License-Identifier: Apache-2.0
// How restless an alert is. Source of the weighted share: Icinga 2, "Check Flapping": the last 20 results, a change
// weighs from 0.8 (the oldest) to 1.15 (the newest), on above 30 %, off below 25 %.
#include <algorithm>

#include "rule/flapping.hpp"

namespace ronda::rule {

namespace {

constexpr std::uint32_t results_kept = 20;
constexpr std::uint32_t all_results = (1U << results_kept) - 1;
constexpr double oldest_weight = 0.8, newest_weight = 1.15;

/// Of a check that runs seldom, twenty results are weeks: so long nothing is held.
void forget_what_is_long_ago(Flapping& flapping, std::int64_t now_ns) {
  if (now_ns - flapping.changed_ns >= quiet_ns) {
    flapping.changes = 0;
    flapping.on = flapping.restless = false;
  }
  if (now_ns - flapping.fell_ns >= quiet_ns) flapping.since_fall = 0;
}

}  // namespace

double flapping_share(std::uint32_t changes) {
  constexpr double step = (newest_weight - oldest_weight) / (results_kept - 1);
  double sum = 0;
  for (std::uint32_t age = 0; age < results_kept; ++age) {
    if ((changes >> age & 1U) != 0) sum += newest_weight - step * age;
  }
  return sum / results_kept;
}

void count_result(Flapping& flapping, Raw raw, bool is_first, std::int64_t now_ns) {
  forget_what_is_long_ago(flapping, now_ns);
  const bool changed = raw != flapping.raw && !is_first;
  flapping.raw = raw;
  flapping.changes = (flapping.changes << 1U | (changed ? 1U : 0U)) & all_results;
  flapping.since_change = changed ? 0 : std::min(flapping.since_change + 1, quiet_results);
  if (changed || is_first) flapping.changed_ns = now_ns;
  if (flapping.since_fall > 0 && ++flapping.since_fall > quiet_results + 1) flapping.since_fall = 0;
  flapping.ok_counts = raw == Raw::none ? quiet_results : flapping.ok_counts - std::min(flapping.ok_counts, 1U);
  const double share = flapping_share(flapping.changes);
  if (share > flapping_on) flapping.on = true;
  if (share < flapping_off) flapping.on = false;
  if (flapping.since_change >= quiet_results) flapping.restless = false;
}

void pass_time(Flapping& flapping, std::int64_t now_ns) {
  if (flapping.holds() || flapping.since_fall > 0) forget_what_is_long_ago(flapping, now_ns);
}

void note_rise(Flapping& flapping, std::int64_t now_ns) {
  flapping.ok_counts = 0;  // what it was before says nothing of whether this stays
  if (flapping.since_fall == 0) return;
  flapping.restless = true;
  flapping.since_change = 0;
  flapping.changed_ns = now_ns;
}

void note_fall(Flapping& flapping, std::int64_t now_ns) {
  flapping.since_fall = 1;
  flapping.fell_ns = now_ns;
}

}  // namespace ronda::rule
