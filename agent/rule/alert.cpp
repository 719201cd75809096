// SPDX-License-Identifier: Apache-2.0
#include "rule/alert.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/siphash.hpp"
#include "base/text.hpp"
#include "config/core_keys.hpp"
#include "config/fields.hpp"
#include "rule/change.hpp"
#include "rule/read_condition.hpp"

namespace ronda::rule {
namespace {

using config::Level;
using config::Scope;
using config::Value;

constexpr std::int64_t usual_patience_ns = 60'000'000'000;  // of a check without an interval
constexpr std::array<std::string_view, 4> level_keys = {"p1", "p2", "p3", "p4"};
constexpr std::array<std::string_view, 13> alert_keys = {
    "p1", "p2", "p3", "p4", "for", "clear", "keep_firing_for", "no_data", "runbook", "min_samples", "service", "title", "diagnose"};

std::string tick(std::string_view text) {
  return "`" + std::string(text.substr(0, 128)) + "`";
}

Level level_at(std::size_t index) {
  return static_cast<Level>(index + 1);
}

std::uint64_t mark_of(const Rung& rung) {
  std::string text = rung.when ? rung.when->text : std::string();
  text += "\n" + std::to_string(rung.hold.time.count()) + " " + std::to_string(rung.hold.need) + " " + std::to_string(rung.hold.of);
  return siphash128(text).first | 1U;  // 0 is that of no rung
}

config::Hold hold_for(const std::vector<config::Hold>& holds, Level level) {
  config::Hold out;
  for (const config::Hold& hold : holds) {
    if (hold.level == level || hold.level == Level::none) out = hold;
  }
  return out;
}

class Reader {
 public:
  Reader(const config::Generation& generation, const Facts& facts, const config::Sources& sources, config::Diagnostics& diagnostics)
      : generation_(generation), facts_(facts), sources_(sources), diagnostics_(diagnostics), scope_(diagnostics) {}

  /// Nothing where it has errors; then reason() is the first of them.
  std::optional<Alert> read(const config::RawObject& object);
  std::optional<Alert> read(const SeverityOf& severity);
  std::string reason() const { return scope_.reason(); }
  /// Why an alert that is sound has none; empty: it has one, or asks for none.
  const std::string& no_diagnosis() const { return no_diagnosis_; }

 private:
  std::optional<Condition> condition(std::string_view key, const Value& value);
  void read_key(const config::Member& member, Alert& alert);
  void read_clear(const Value& value, Alert& alert);
  void read_no_data(const Value& value, Alert& alert);
  void read_diagnose(const Value& value, Alert& alert);
  void read_service(const Value& value, Alert& alert);
  std::string text(const config::Member& member) { return config::read_text(scope_, member.key, member.value).value_or(""); }
  Rung& rung(Alert& alert, Level level);
  void place_holds(Alert& alert, const Value* value);
  void finish(Alert& alert);

  const config::Generation& generation_;
  const Facts& facts_;
  const config::Sources& sources_;
  config::Diagnostics& diagnostics_;
  Scope scope_;
  std::string no_diagnosis_;
};

std::optional<Condition> Reader::condition(std::string_view key, const Value& value) {
  return read_condition(scope_, {generation_, facts_, sources_}, key, value);
}

Rung& Reader::rung(Alert& alert, Level level) {
  const auto found = std::ranges::find(alert.rungs, level, &Rung::level);
  if (found != alert.rungs.end()) return *found;
  Rung fresh;
  fresh.level = level;
  alert.rungs.push_back(std::move(fresh));
  return alert.rungs.back();
}

void Reader::read_clear(const Value& value, Alert& alert) {
  const config::Table* table = value.as_table();
  if (table == nullptr) {
    alert.clear = condition("clear", value);
    return;
  }
  for (const config::Member& member : *table) {
    const auto level = std::ranges::find(level_keys, member.key);
    if (level == level_keys.end()) {
      scope_.error(member.key_place, config::unknown_key(member.key, level_keys));
      continue;
    }
    auto clear = condition("clear." + member.key, member.value);
    const Level at = level_at(static_cast<std::size_t>(level - level_keys.begin()));
    const bool is_written = alert.find(at) != nullptr;  // one that is wrong is told itself
    Rung& of = rung(alert, at);
    if (!is_written)
      scope_.error(member.key_place, "`clear." + member.key + "`: there is no condition `" + member.key + "` that it could end");
    of.clear = std::move(clear);
  }
}

void Reader::read_no_data(const Value& value, Alert& alert) {
  constexpr std::array<std::string_view, 6> choices = {"unknown", "ok", "p1", "p2", "p3", "p4"};
  const auto choice = config::read_choice(scope_, "no_data", value, choices);
  if (!choice || *choice == 0) return;
  alert.no_data.is_ok = *choice == 1;
  if (*choice > 1) alert.no_data.level = level_at(*choice - 2);
}

void Reader::read_service(const Value& value, Alert& alert) {
  const auto name = config::read_text(scope_, "service", value);
  if (!name) return;
  alert.service = *name;
  const auto is_it = [&](const config::Disabled& one) { return one.kind == "service" && one.name == *name; };
  if (!facts_.complete || generation_.find_service(*name) != nullptr || std::ranges::any_of(generation_.disabled, is_it)) return;
  std::vector<std::string_view> names;
  for (const config::Service& service : generation_.services) names.push_back(service.name);
  const std::string_view near = nearest(*name, names);
  config::wrong_text(scope_, "service", value,
                     "there is no service " + tick(*name) + (near.empty() ? "" : "; did you mean " + tick(near) + "?"),
                     "the name of a service");
}

/// Told as an error, and the alert stays: what cannot be looked into is to be heard of all the same.
void Reader::read_diagnose(const Value& value, Alert& alert) {
  const auto name = config::read_text(scope_, "diagnose", value);
  if (!name) return;
  std::vector<std::string_view> names(facts_.tasks.begin(), facts_.tasks.end());
  for (const CheckFacts& check : facts_.checks) names.push_back(check.name);
  for (const config::RawObject& runbook : generation_.raw("runbook")) names.push_back(runbook.name);
  for (const config::Disabled& one : generation_.disabled) {
    if (one.kind == "runbook" || one.kind == "check" || one.kind == "task") names.push_back(one.name);
  }
  if (!facts_.complete || std::ranges::find(names, *name) != names.end()) {
    alert.diagnose = *name;
    return;
  }
  const std::string_view near = nearest(*name, names);
  Scope apart(diagnostics_);
  config::wrong_text(apart, "diagnose", value,
                     "there is no check, task or runbook " + tick(*name) + (near.empty() ? "" : "; did you mean " + tick(near) + "?"),
                     "the name of a check, a task or a runbook");
  no_diagnosis_ = apart.reason();
}

void Reader::read_key(const config::Member& member, Alert& alert) {
  const Value& value = member.value;
  const auto level = std::ranges::find(level_keys, member.key);
  if (level != level_keys.end()) {
    auto when = condition(member.key, value);
    rung(alert, level_at(static_cast<std::size_t>(level - level_keys.begin()))).when = std::move(when);
  } else if (member.key == "keep_firing_for") {
    alert.keep_firing_ns = config::read_duration(scope_, member.key, value, Nanos(0)).value_or(Nanos(0)).count();
  } else if (member.key == "no_data") {
    read_no_data(value, alert);
  } else if (member.key == "min_samples") {
    alert.least_points = static_cast<std::uint32_t>(config::read_integer(scope_, member.key, value, 1, 100'000).value_or(1));
  } else if (member.key == "service") {
    read_service(value, alert);
  } else if (member.key == "title") {
    alert.title = text(member);
  } else if (member.key == "diagnose") {
    read_diagnose(member.value, alert);
  } else if (member.key == "runbook") {
    alert.runbook = text(member);
  } else if (member.key != "for" && member.key != "clear") {
    scope_.error(member.key_place, config::unknown_key(member.key, alert_keys));
  }
}

void Reader::place_holds(Alert& alert, const Value* value) {
  if (value == nullptr) return;
  const std::vector<config::Hold> holds = config::read_hold(scope_, *value);
  for (const config::Hold& hold : holds) {
    if (hold.level == Level::none || alert.find(hold.level) != nullptr) continue;
    const std::string level(config::level_name(hold.level));
    scope_.error(value->place(), "`for." + level + "`: there is no condition `" + level + "`");
  }
  for (Rung& rung : alert.rungs) rung.hold = hold_for(holds, rung.level);
}

/// Parents of the checks, and theirs, near to far.
std::vector<std::string> parents_of(const std::vector<std::string>& checks, const Facts& facts) {
  std::vector<std::string> out;
  std::set<std::string_view> seen(checks.begin(), checks.end());
  std::vector<const CheckFacts*> open;
  const auto add = [&](const CheckFacts* check) {
    if (check != nullptr) open.push_back(check);
  };
  for (const std::string& check : checks) add(facts.find(check));
  for (std::size_t i = 0; i < open.size(); ++i) {
    for (const std::string& parent : open[i]->after) {
      if (!seen.insert(parent).second) continue;
      out.push_back(parent);
      add(facts.find(parent));
    }
  }
  return out;
}

void Reader::finish(Alert& alert) {
  std::ranges::sort(alert.rungs, {}, &Rung::level);
  std::int64_t window = 0;
  const auto take = [&](const std::optional<Condition>& condition) {
    if (!condition) return;
    for (const Need& need : condition->needs) window = std::max(window, need.window_ns);
    for (const std::string& check : condition->checks) {
      if (std::ranges::find(alert.checks, check) == alert.checks.end()) alert.checks.push_back(check);
    }
    for (const std::string& task : condition->tasks) {
      if (std::ranges::find(alert.tasks, task) == alert.tasks.end()) alert.tasks.push_back(task);
    }
  };
  for (Rung& rung : alert.rungs) {
    take(rung.when);
    take(rung.clear);
    rung.mark = mark_of(rung);
  }
  take(alert.clear);
  const auto& named = alert.checks.empty() ? alert.tasks : alert.checks;
  if (!named.empty()) alert.check = named.front();
  const CheckFacts* first = alert.checks.empty() ? facts_.find(alert.check) : nullptr;
  if (first != nullptr && alert.service.empty()) alert.service = first->service;
  bool all_known = true;
  std::int64_t grace = usual_patience_ns;
  for (const std::string& name : alert.checks) {
    const CheckFacts* check = facts_.find(name);
    if (check != nullptr && alert.service.empty()) alert.service = check->service;
    const std::int64_t patience = check == nullptr ? 0 : check->patience_ns;
    all_known = all_known && patience > 0;
    alert.patience_ns = std::max(alert.patience_ns, patience);
    if (check != nullptr) grace = std::max(grace, check->slot_grace_ns);
  }
  alert.grace_ns = std::max(alert.patience_ns, grace) + window;
  if (!all_known) alert.patience_ns = 0;
  alert.parents = parents_of(alert.checks, facts_);
}

std::optional<Alert> Reader::read(const config::RawObject& object) {
  Alert alert;
  alert.name = object.name;
  alert.place = object.place;
  for (const config::Member& member : *object.value.as_table()) read_key(member, alert);
  if (const Value* clear = object.value.find("clear")) read_clear(*clear, alert);
  if (alert.no_data.level != Level::none) rung(alert, alert.no_data.level);
  place_holds(alert, object.value.find("for"));
  if (!scope_.sound()) return {};
  finish(alert);
  return alert;
}

std::optional<Alert> Reader::read(const SeverityOf& severity) {
  Alert alert;
  alert.name = severity.check;
  alert.place = severity.place;
  alert.runbook = severity.runbook;
  alert.of_severity = true;
  std::vector<Remark> remarks;
  Rung& only = rung(alert, severity.level);
  // a task that timed out, or whose program was gone, did not do its work either
  const bool of_task = severity.check.starts_with(task_prefix);
  only.when = parse_condition(severity.check + (of_task ? ".status != ok" : ".status == critical"), facts_, remarks);
  for (const Remark& remark : remarks) scope_.error(severity.place, "`severity`: " + remark.message);
  only.hold = hold_for(severity.hold, severity.level);
  if (!scope_.sound()) return {};
  finish(alert);
  return alert;
}

std::vector<Need> all_needs(const std::vector<Alert>& alerts) {
  std::map<std::pair<std::string, std::string>, Need> needs;
  const auto take = [&](const std::optional<Condition>& condition) {
    if (!condition) return;
    for (const Need& need : condition->needs) {
      Need& known = needs.try_emplace({need.check, need.metric}, need).first->second;
      known.window_ns = std::max(known.window_ns, need.window_ns);
      known.baseline = known.baseline || need.baseline;
    }
  };
  for (const Alert& alert : alerts) {
    for (const Rung& rung : alert.rungs) {
      take(rung.when);
      take(rung.clear);
    }
    take(alert.clear);
    // how it is, of what nothing else may ask: without that what waits for it would only be without a result
    for (const std::string& parent : alert.parents) needs.try_emplace({parent, ""}, Need{parent, "", 0, false});
  }
  std::vector<Need> out;
  for (auto& [key, need] : needs) out.push_back(std::move(need));
  return out;
}

}  // namespace

const Rung* Alert::find(Level level) const {
  const auto found = std::ranges::find(rungs, level, &Rung::level);
  return found == rungs.end() ? nullptr : &*found;
}

const Alert* RuleSet::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(alerts, name, {}, &Alert::name);
  return found != alerts.end() && found->name == name ? &*found : nullptr;
}

RuleSet load_alerts(const config::Generation& generation, Facts facts, const std::vector<SeverityOf>& severities,
                    const config::Sources& sources, config::Diagnostics& diagnostics, std::vector<config::Disabled>& disabled) {
  RuleSet out;
  out.facts = std::move(facts);
  const auto take = [&](std::string_view kind, const std::string& name, config::Place place, const auto& from) {
    Reader reader(generation, out.facts, sources, diagnostics);
    auto alert = reader.read(from);
    if (alert && !reader.no_diagnosis().empty()) disabled.push_back({"diagnosis", name, place, reader.no_diagnosis()});
    if (alert)
      out.alerts.push_back(*std::move(alert));
    else
      disabled.push_back({std::string(kind), name, place, reader.reason()});
  };
  for (const config::RawObject& object : generation.raw("alert")) take("alert", object.name, object.place, object);
  for (const SeverityOf& severity : severities) {
    if (const config::RawObject* same = generation.find_raw("alert", severity.check)) {
      diagnostics.error(same->place,
                        "alert " + tick(severity.check) + ": check " + tick(severity.check) +
                            " has `severity`, which makes an alert of that name; give this one another name",
                        severity.place.line == 0 ? std::nullopt : std::optional(severity.place));
      disabled.push_back({"alert", severity.check, severity.place, "its name is taken by [alert." + severity.check + "]"});
      continue;
    }
    take("alert", severity.check, severity.place, severity);
  }
  std::ranges::sort(out.alerts, {}, &Alert::name);
  out.needs = all_needs(out.alerts);
  return out;
}

std::string_view what_name(Change::What what) {
  constexpr std::array<std::string_view, 7> names = {"fired", "level_changed", "resolved", "no_data", "blocked", "unblocked", "data_back"};
  return names[static_cast<std::size_t>(what)];
}

}  // namespace ronda::rule
