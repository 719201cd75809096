// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "rule/ladder.hpp"

namespace ronda::rule {
namespace {

/// The farthest of the parents that is critical: what people have to look at first.
std::string blocker(const Alert& alert, const measure::View& view) {
  for (auto parent = alert.parents.rbegin(); parent != alert.parents.rend(); ++parent) {
    const auto now = view.check(*parent);
    if (now && now->status == measure::Status::critical) return *parent;
  }
  return {};
}

void note(const Finding& finding, Reading& reading) {
  reading.newest_result_ns = std::max(reading.newest_result_ns, finding.newest_result_ns);
  if (finding.next_ns != 0 && (reading.next_ns == 0 || finding.next_ns < reading.next_ns)) reading.next_ns = finding.next_ns;
}

}  // namespace

Reading observe(const Alert& alert, const AlertState& state, const Facts& facts, const measure::View& view, std::int64_t now_ns) {
  Reading out;
  out.blocked_by = blocker(alert, view);
  if (!out.blocked_by.empty()) return out;
  const Moment moment{view, facts, now_ns, state.frozen_at_ns, alert.least_points};
  const auto look = [&](const std::optional<Condition>& condition, Finding otherwise) {
    if (!condition) return otherwise;
    Finding found = evaluate(*condition, moment);
    note(found, out);
    return found;
  };
  Finding never;
  never.truth = Truth::no;
  for (const Rung& rung : alert.rungs) out.levels.push_back({look(rung.when, never), look(rung.clear, {})});
  out.clear = look(alert.clear, {});
  return out;
}

std::vector<Explained> explain(const Alert& alert, const AlertState& state, const Facts& facts, const measure::View& view,
                               std::int64_t now_ns) {
  std::vector<Explained> out;
  const Moment moment{view, facts, now_ns, state.frozen_at_ns, alert.least_points};
  const auto add = [&](config::Level level, bool is_clear, const std::optional<Condition>& condition) {
    if (!condition) return;
    Explained one{level, is_clear, &*condition, {}, {}};
    one.finding = evaluate(*condition, moment, &one.steps);
    out.push_back(std::move(one));
  };
  for (const Rung& rung : alert.rungs) {
    add(rung.level, false, rung.when);
    add(rung.level, true, rung.clear);
  }
  add(config::Level::none, true, alert.clear);
  return out;
}

}  // namespace ronda::rule
