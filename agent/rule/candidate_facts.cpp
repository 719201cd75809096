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

CheckFacts facts_of_check(const schedule::Candidate& candidate, const schedule::Prepared& prepared) {
  CheckFacts check;
  check.name = prepared.name;
  check.patience_ns = patience_of(prepared.when.every, prepared.timeout);
  if (prepared.after != nullptr) check.after = *prepared.after;
  check.service = service_of(candidate.generation, prepared.name, prepared.rare == nullptr ? std::string() : prepared.rare->service);
  const auto found = candidate.catalogue.find(plugin::Kind::check, prepared.procedure->name);
  if (found) add_metrics(*found->procedure, check);
  return check;
}

}  // namespace

Facts facts_of(const schedule::Candidate& candidate) {
  Facts out;
  for (const schedule::Prepared& one : candidate.set) {
    if (one.kind == config::Kind::check) out.checks.push_back(facts_of_check(candidate, one));
    if (one.kind == config::Kind::task) out.tasks.push_back(one.name);
  }
  for (const auto& [kind, name] : candidate.idle) {
    if (kind == config::Kind::task) out.tasks.push_back(name);
    if (kind != config::Kind::check) continue;
    out.checks.emplace_back();
    out.checks.back().name = name;
  }
  add_names(candidate.generation, out);
  out.sort();
  return out;
}

RuleSet load_alerts(schedule::Candidate& candidate) {
  std::vector<SeverityOf> severities;
  for (const schedule::Prepared& one : candidate.set) {
    if (one.kind != config::Kind::check || one.limits == nullptr || one.limits->severity == config::Level::none) continue;
    severities.push_back({one.name, one.limits->severity, one.limits->hold, one.rare == nullptr ? "" : one.rare->runbook, {}});
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
