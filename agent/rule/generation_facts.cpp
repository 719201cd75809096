// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "rule/alert.hpp"
#include "rule/generation_facts.hpp"

namespace ronda::rule {
namespace {

using namespace std::chrono_literals;

constexpr Nanos usual_timeout = 30s;  // where an instance says none: as the scheduler has it
constexpr Nanos slot_late = 60s;      // a later run is a catch-up
constexpr Nanos slack = 10s;          // of reliability: unknown after interval + timeout + 10 s

}  // namespace

std::int64_t patience_of(Nanos every, Nanos timeout) {
  return every.count() > 0 ? (every + timeout + slack).count() : 0;
}

std::int64_t slot_grace_of(Nanos timeout) {
  return (slot_late + timeout + slack).count();
}

std::string service_of(const config::Generation& generation, const std::string& check, const std::string& own) {
  if (!own.empty()) return own;
  for (const config::Service& service : generation.services) {
    if (std::ranges::find(service.checks, check) != service.checks.end()) return service.name;
  }
  return {};
}

void add_idle_task(const std::string& name, Facts& facts) {
  facts.tasks.push_back(name);
  CheckFacts& task = facts.task_ends.emplace_back();
  task.name = std::string(task_prefix) + name;
  task.next_slot_ns = [](std::int64_t) { return INT64_MAX; };
}

void add_names(const config::Generation& generation, Facts& facts) {
  for (const config::Disabled& one : generation.disabled) {
    if (one.kind == "file") facts.complete = false;
    if (one.kind == "task") add_idle_task(one.name, facts);
    const auto is_it = [&](const CheckFacts& check) { return check.name == one.name; };
    if (one.kind != "check" || std::ranges::any_of(facts.checks, is_it)) continue;
    facts.checks.emplace_back();
    facts.checks.back().name = one.name;
  }
}

Facts facts_of(const config::Generation& generation) {
  Facts out;
  for (const config::Instance& one : generation.all(config::Kind::check)) {
    CheckFacts check;
    check.name = one.name;
    check.patience_ns = patience_of(one.every.value_or(Nanos(0)), one.timeout.value_or(usual_timeout));
    check.after = one.after;
    check.service = service_of(generation, one.name, one.rare().service);
    out.checks.push_back(std::move(check));
  }
  for (const config::Instance& one : generation.all(config::Kind::task)) {
    out.tasks.push_back(one.name);
    CheckFacts& task = out.task_ends.emplace_back();
    task.name = std::string(task_prefix) + one.name;
    task.patience_ns = patience_of(one.every.value_or(Nanos(0)), one.timeout.value_or(usual_timeout));
    task.service = one.rare().service;
  }
  add_names(generation, out);
  out.sort();
  return out;
}

std::vector<SeverityOf> severities_of(const config::Generation& generation) {
  std::vector<SeverityOf> out;
  for (const config::Kind kind : {config::Kind::check, config::Kind::task}) {
    for (const config::Instance& one : generation.all(kind)) {
      const config::Judgement& judgement = one.judgement();
      if (!one.enabled || judgement.severity == config::Level::none) continue;
      const std::string name = kind == config::Kind::task ? std::string(task_prefix) + one.name : one.name;
      out.push_back({name, judgement.severity, judgement.hold, one.rare().runbook, one.place});
    }
  }
  return out;
}

}  // namespace ronda::rule
