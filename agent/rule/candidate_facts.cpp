// SPDX-License-Identifier: Apache-2.0
#include "rule/candidate_facts.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "rule/generation_facts.hpp"

namespace ronda::rule {
namespace {

void add_metrics(const plugin::Procedure& procedure, CheckFacts& check) {
  check.open_metrics = procedure.open_metrics;
  for (const plugin::MetricDeclaration& one : procedure.metrics)
    check.metrics.push_back({one.name, std::string(base_unit(one.unit).unit), one.counter, one.labels});
}

std::int64_t next_slot_ns(const schedule::Calendar* calendar, std::int64_t after_ns) {
  using namespace std::chrono;
  const auto next = calendar == nullptr ? std::nullopt : calendar->next(floor<seconds>(schedule::sys_seconds(seconds(0)) + Nanos(after_ns)));
  return next ? duration_cast<Nanos>(next->time_since_epoch()).count() : INT64_MAX;
}

/// When it runs, and whose it is: of a check or a task.
CheckFacts facts_of_runs(const schedule::Candidate& candidate, const schedule::Prepared& prepared) {
  CheckFacts check;
  check.name = prepared.name;
  check.patience_ns = patience_of(prepared.when.every, prepared.timeout);
  if (check.patience_ns == 0) {
    check.slot_grace_ns = slot_grace_of(prepared.timeout);
    check.next_slot_ns = [calendar = prepared.when.calendar](std::int64_t after_ns) { return next_slot_ns(calendar.get(), after_ns); };
  }
  if (prepared.after != nullptr) check.after = *prepared.after;
  const std::string own = prepared.rare == nullptr ? std::string() : prepared.rare->service;
  check.service = prepared.kind == config::Kind::task ? own : service_of(candidate.generation, prepared.name, own);
  return check;
}

/// Of checks that do not run: what conditions say of their metrics is as right or wrong as if they did.
void add_known_metrics(const schedule::Candidate& candidate, Facts& facts) {
  if (candidate.known_procedures.empty()) return;
  for (CheckFacts& check : facts.checks) {
    const auto known = candidate.known_procedures.find(check.name);
    if (known == candidate.known_procedures.end()) continue;
    const auto found = candidate.catalogue.find(plugin::Kind::check, known->second);
    if (found) add_metrics(*found->procedure, check);
  }
}

CheckFacts facts_of_check(const schedule::Candidate& candidate, const schedule::Prepared& prepared) {
  CheckFacts check = facts_of_runs(candidate, prepared);
  const auto found = candidate.catalogue.find(plugin::Kind::check, prepared.procedure->name);
  if (found) add_metrics(*found->procedure, check);
  return check;
}

CheckFacts facts_of_task(const schedule::Candidate& candidate, const schedule::Prepared& prepared) {
  CheckFacts task = facts_of_runs(candidate, prepared);
  task.name = std::string(task_prefix) + prepared.name;
  task.after.clear();  // a run that ended badly did run
  return task;
}

}  // namespace

Facts facts_of(const schedule::Candidate& candidate) {
  Facts out;
  for (const schedule::Prepared& one : candidate.set) {
    if (one.kind == config::Kind::check) out.checks.push_back(facts_of_check(candidate, one));
    if (one.kind != config::Kind::task) continue;
    out.tasks.push_back(one.name);
    out.task_ends.push_back(facts_of_task(candidate, one));
  }
  for (const auto& [kind, name] : candidate.idle) {
    if (kind == config::Kind::task) add_idle_task(name, out);
    if (kind != config::Kind::check) continue;
    out.checks.emplace_back();
    out.checks.back().name = name;
  }
  add_names(candidate.generation, out);
  add_known_metrics(candidate, out);
  out.sort();
  return out;
}

RuleSet load_alerts(schedule::Candidate& candidate) {
  std::vector<SeverityOf> severities;
  for (const schedule::Prepared& one : candidate.set) {
    if (one.kind == config::Kind::notifier || one.limits == nullptr || one.limits->severity == config::Level::none) continue;
    const std::string name = one.kind == config::Kind::task ? std::string(task_prefix) + one.name : one.name;
    severities.push_back({name, one.limits->severity, one.limits->hold, one.rare == nullptr ? "" : one.rare->runbook, {}});
  }
  RuleSet out = load_alerts(candidate.generation, facts_of(candidate), severities, candidate.sources, candidate.diagnostics,
                            candidate.generation.disabled);
  candidate.diagnostics.sort();
  return out;
}

SloSet load_slos(schedule::Candidate& candidate, const Facts& facts) {
  SloSet out = load_slos(candidate.generation, facts, candidate.sources, candidate.diagnostics, candidate.generation.disabled);
  candidate.diagnostics.sort();
  return out;
}

}  // namespace ronda::rule
