// SPDX-License-Identifier: Apache-2.0
// The definition of an alert: one measurement, one ladder of levels, as [alert.NAME] of conf.d says it, or the
// `severity` of a check or a task. Read once from a generation, immutable from then on. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/generation.hpp"
#include "rule/condition.hpp"

namespace ronda::rule {

/// One level of the ladder.
struct Rung {
  config::Level level = config::Level::p1;
  std::optional<Condition> when;   // none: a level that only `no_data` can reach
  std::optional<Condition> clear;  // this level is left only when it holds
  config::Hold hold;               // for how long, or how often, `when` must hold before it counts
  std::uint64_t mark = 0;          // of `when` and `hold`: another one after a reload means that counting begins anew
};

/// What it is taken for that nothing is known.
struct NoData {
  bool is_ok = false;                         // as if no condition held
  config::Level level = config::Level::none;  // as if the condition of this level held; none and not ok: unknown
};

struct Alert {
  std::string name;
  std::string check;    // the first that its conditions name, else task.NAME
  std::string service;  // its own `service`, else the check's
  std::string title, diagnose, runbook;
  std::vector<Rung> rungs;         // the highest level first, at most four
  std::optional<Condition> clear;  // one for all levels: the alert does not end before it holds
  std::int64_t keep_firing_ns = 0;
  NoData no_data;
  std::uint32_t least_points = 1;    // min_samples
  std::int64_t patience_ns = 0;      // the longest of its checks; what nobody watched for longer does not count for `for`
  std::int64_t grace_ns = 0;         // so long a check may be without its first result, and a window without enough of them
  std::vector<std::string> checks;   // of all conditions, each once
  std::vector<std::string> tasks;    // of whose age they ask: task.NAME
  std::vector<std::string> parents;  // what those come `after`, near to far; without the checks themselves
  bool of_severity = false;          // made from the `severity` of a check or a task
  config::Place place;

  const Rung* find(config::Level level) const;
};

struct RuleSet {
  std::vector<Alert> alerts;  // by name
  Facts facts;
  std::vector<Need> needs;  // of all alerts: one for each check and metric, the longest window

  const Alert* find(std::string_view name) const;
};

/// A check's `severity`, short for an alert of that level on `status == critical`; a task's, on that it did not end well.
struct SeverityOf {
  std::string check;  // or task.NAME; the alert is called like that
  config::Level level = config::Level::none;
  std::vector<config::Hold> hold;
  std::string runbook;
  config::Place place;
};

/// Of the instances that stand in the generation: facts without metrics, and severities. See candidate_facts.hpp for all that
/// plugins say too.
Facts facts_of(const config::Generation& generation);
std::vector<SeverityOf> severities_of(const config::Generation& generation);

/// All alerts of the generation, and those of `severities`. `sources` is what places in `diagnostics` point into: their texts
/// give a caret inside of a condition. An alert with an error is not in the result and is appended to `disabled`.
RuleSet load_alerts(const config::Generation& generation, Facts facts, const std::vector<SeverityOf>& severities,
                    const config::Sources& sources, config::Diagnostics& diagnostics, std::vector<config::Disabled>& disabled);

}  // namespace ronda::rule
