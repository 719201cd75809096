// SPDX-License-Identifier: Apache-2.0
#include "rule/objective.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>

#include "base/siphash.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "config/fields.hpp"
#include "rule/generation_facts.hpp"
#include "rule/parser.hpp"
#include "rule/read_condition.hpp"

namespace ronda::rule {
namespace {

using measure::SloDefinition;
using measure::slo::Burn;
using measure::slo::burn_rules;

/// Of usual objectives. Nobody is woken for less of an hour than the five minutes that an outage must last; by requests ten of
/// them, for any fewer may be the few that always fail.
constexpr double woken_for_s = 5 * 60, usual_bad_requests = 10;
constexpr std::int64_t for_ever_ns = std::int64_t{86'400} * 36'500 * 1'000'000'000;

class Reader {
 public:
  Reader(const config::Generation& generation, const Facts& facts, const config::Sources& files, config::Diagnostics& diagnostics)
      : from_{generation, facts, files}, scope_(diagnostics) {}

  std::optional<Slo> read(const SloDefinition& definition);
  /// What else is wrong with one that has no definition, because of keys that were told.
  void judge_rest(const config::RawObject& object);
  std::string reason() const { return scope_.reason(); }

 private:
  std::optional<Condition> counter(std::string_view key, const config::Value& value);
  void read_requests(const config::Value& value, Slo& out);
  void read_service(const config::Value& value, Slo& out);
  void take_checks(const Condition& condition, Slo& out) const;
  void make_alert(Slo& out) const;
  static void make_least_bad(Slo& out);

  ConditionSource from_;
  config::Scope scope_;
};

std::optional<Condition> Reader::counter(std::string_view key, const config::Value& value) {
  const auto text = config::read_text(scope_, key, value);
  if (!text) return {};
  // labels in brackets have signs of their own
  const bool compares = text->substr(0, text->find('[')).find_first_of("<>=!") != std::string::npos;
  if (!compares) {
    auto out = read_condition(scope_, from_, key, value, " >= 0");
    if (!out) return {};
    if (out->nodes.size() == 3 && out->nodes.front().form == Form::metric) return out;
  }
  config::wrong_text(scope_, key, value, "must be a counter, CHECK.METRIC, where `total` stands", "a counter, CHECK.METRIC");
  return {};
}

/// Both of one check, so that one result says both.
void Reader::read_requests(const config::Value& value, Slo& out) {
  const std::string_view key = out.definition.counts_bad ? "bad" : "good";
  auto good = counter(key, *value.find(key));
  auto total = counter("total", *value.find("total"));
  if (!good || !total) return scope_.spoil();
  if (good->checks != total->checks)
    config::wrong_text(scope_, key, *value.find(key), "and `total` must be counters of one check, else no result tells both",
                       "a counter of the check that `total` is of");
  out.good = *std::move(good);
  out.total = *std::move(total);
}

void Reader::read_service(const config::Value& value, Slo& out) {
  out.alert.service = out.definition.service;
  const config::Value* named = value.find("service");
  if (named == nullptr || !from_.facts.complete) return;
  const auto is_it = [&](const config::Disabled& one) { return one.kind == "service" && one.name == out.definition.service; };
  if (from_.generation.find_service(out.definition.service) != nullptr || std::ranges::any_of(from_.generation.disabled, is_it)) return;
  std::vector<std::string_view> names;
  for (const config::Service& service : from_.generation.services) names.push_back(service.name);
  const std::string_view near = nearest(out.definition.service, names);
  config::wrong_text(scope_, "service", *named,
                     "there is no service " + tick(out.definition.service) + (near.empty() ? "" : "; did you mean " + tick(near) + "?"),
                     "the name of a service");
}

void Reader::take_checks(const Condition& condition, Slo& out) const {
  for (const std::string& name : condition.checks) {
    if (std::ranges::find(out.checks, name) != out.checks.end()) continue;
    out.checks.push_back(name);
    const CheckFacts* check = from_.facts.find(name);
    if (check == nullptr) continue;
    out.patience_ns = std::max(out.patience_ns, check->patience_ns);
    if (out.alert.service.empty()) out.alert.service = check->service;
  }
}

/// As of an alert's condition: of its text. The check that it names may be another one.
std::string judged_by(const Slo& slo) {
  return to_hex(siphash128(slo.good.text + "\n" + slo.total.text + (slo.definition.counts_bad ? "\nbad" : ""))).substr(0, 16);
}

std::uint64_t mark_of(const Slo& slo, const measure::slo::BurnRule& rule) {
  const measure::slo::Objective& objective = slo.definition.objective;
  return siphash128(slo.name() + "\n" + objective.judged_by + " " + std::to_string(objective.target) + " " +
                    std::to_string(objective.window_ns) + " " + std::to_string(rule.factor) + (objective.counts ? " counts" : ""))
             .first |
         1U;  // 0 is that of no rung
}

/// What was bad is known to one run of its checks: one that runs every five minutes says "five minutes" with one failed run.
/// So much is never enough, and P1 needs its five minutes on top of it.
void Reader::make_least_bad(Slo& out) {
  const double one_run_s = static_cast<double>(out.patience_ns) / 1e9;
  for (std::size_t i = 0; i < burn_rules.size(); ++i) {
    const double by_time = one_run_s + (burn_rules[i].level == config::Level::p1 ? woken_for_s : 0);
    const double usual = out.definition.objective.counts ? usual_bad_requests : by_time;
    out.definition.objective.least_bad[i] = out.definition.least_bad[i].value_or(usual);
  }
}

/// Nothing blocks it, and it is never told that nothing is known of it: the alerts of its checks say so. It names no checks to
/// be looked at with each of their results: a look is a walk through the whole window, once a minute is enough.
void Reader::make_alert(Slo& out) const {
  Alert& alert = out.alert;
  alert.name = std::string(slo_prefix) + out.name();
  alert.title = out.definition.title;
  alert.place = out.definition.place;
  if (!out.checks.empty()) alert.check = out.checks.front();
  alert.grace_ns = for_ever_ns;
  for (std::size_t i = 0; i < burn_rules.size(); ++i) {
    if (!out.definition.calls[i]) continue;
    Rung rung;
    rung.level = burn_rules[i].level;
    rung.mark = mark_of(out, burn_rules[i]);
    alert.rungs.push_back(std::move(rung));
  }
}

std::optional<Slo> Reader::read(const SloDefinition& definition) {
  const config::RawObject* object = from_.generation.find_raw("slo", definition.objective.name);
  Slo out;
  out.definition = definition;
  read_service(object->value, out);
  if (definition.objective.counts) {
    read_requests(object->value, out);
  } else if (auto good = read_condition(scope_, from_, "good", *object->value.find("good"))) {
    out.good = *std::move(good);
  } else {
    scope_.spoil();
  }
  if (!scope_.sound()) return {};
  take_checks(out.good, out);
  take_checks(out.total, out);
  if (out.checks.empty()) {
    scope_.error(definition.good_place, "`good` names no check, so that nothing could ever be bad");
    return {};
  }
  out.definition.objective.judged_by = judged_by(out);
  make_least_bad(out);
  make_alert(out);
  return out;
}

void Reader::judge_rest(const config::RawObject& object) {
  const auto text_at = [&](std::string_view key) {
    const config::Value* value = object.value.find(key);
    const std::string* text = value == nullptr ? nullptr : value->as_string();
    return text == nullptr || text->empty() ? nullptr : value;
  };
  if (const config::Value* service = text_at("service")) {
    Slo named;
    named.definition.service = *service->as_string();
    read_service(object.value, named);
  }
  const config::Value* good = text_at("good");
  if (object.value.find("total") == nullptr) {
    if (good != nullptr) read_condition(scope_, from_, "good", *good);
    return;
  }
  if (good != nullptr) counter("good", *good);
  if (const config::Value* total = text_at("total")) counter("total", *total);
  if (const config::Value* bad = text_at("bad")) counter("bad", *bad);
}

/// Every nine of it: "99.999%".
std::string share_text(double share) {
  std::ostringstream out;
  out << std::setprecision(10) << share * 100 << "%";
  return out.str();
}

std::string percent_text(double share) {
  return format_quantity(share, "ratio");
}

/// "14.4", "20", "0.3"
std::string times_text(double times) {
  std::string text = std::to_string(std::round(times * 10) / 10);
  text.resize(text.find('.') + 2);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

/// Rounded down, so that what is not enough is not told as if it were.
std::string amount_text(const measure::slo::Objective& objective, double amount) {
  const std::int64_t whole = std::llround(std::floor(amount + 1e-6));
  return objective.counts ? std::to_string(whole) : format_duration(Nanos(whole * 1'000'000'000));
}

std::string reason_of(const Slo& slo, const Burn& burn, const std::optional<measure::slo::Budget>& budget) {
  const auto times = [](const std::optional<double>& one) { return one ? times_text(*one) + " times" : std::string("unknown"); };
  const auto length = [](std::int64_t ns) { return format_duration(Nanos(ns)); };
  std::string out = "of what " + promise_text(slo.definition.objective) + " allows: " + times(burn.in_long) + " in " +
                    length(burn.rule->long_ns) + ", " + times(burn.in_short) + " in " + length(burn.rule->short_ns) + " (limit " +
                    times_text(burn.rule->factor) + ")";
  if (burn.is_held_back) out += "; only " + held_back_text(slo.definition.objective, burn);
  if (budget && budget->left < 0) out += "; the budget is overspent";
  if (budget && budget->left >= 0) out += "; " + percent_text(std::round(budget->left * 1000) / 1000) + " of the budget is left";
  return out;
}

/// Both windows must be over the factor: one that is below it says no, whatever is known of the other.
Truth truth_of(const Burn& burn, bool is_known, bool counts) {
  const double least = burn.rule->factor * (1 - 1e-9);
  const auto below = [&](const std::optional<double>& times) { return times && *times < least; };
  if (!is_known) return Truth::unknown;
  if (burn.holds) return Truth::yes;
  if (below(burn.in_long) || below(burn.in_short)) return Truth::no;
  if (burn.is_held_back) return Truth::no;
  return counts ? Truth::no : Truth::unknown;  // of too few requests nothing is said to be wrong
}

}  // namespace

std::string held_back_text(const measure::slo::Objective& objective, const Burn& burn) {
  return amount_text(objective, burn.bad) + (objective.counts ? " were" : " was") + " bad in " +
         format_duration(Nanos(burn.rule->long_ns)) + ", and `min_bad` is " + amount_text(objective, burn.least_bad);
}

std::string promise_text(const measure::slo::Objective& objective) {
  // people say 30 days, not four weeks and two days
  constexpr std::int64_t day_ns = 24 * store::hour_ns;
  const bool in_days = objective.window_ns % day_ns == 0;
  return share_text(objective.target) + " in " +
         (in_days ? std::to_string(objective.window_ns / day_ns) + "d" : format_duration(Nanos(objective.window_ns)));
}

std::int64_t hold_of(const Slo& slo) {
  return std::max(slo.patience_ns, 3 * slo_look_ns);
}

std::int64_t known_for(const Slo& slo) {
  std::int64_t shortest = INT64_MAX;
  for (const measure::slo::BurnRule& rule : burn_rules) shortest = std::min(shortest, rule.short_ns);
  return std::max(slo.patience_ns, shortest);
}

Reading read_burns(const Slo& slo, const std::array<Burn, 3>& burns, const std::optional<measure::slo::Budget>& budget, bool is_known,
                   std::int64_t now_ns) {
  Reading out;
  for (std::size_t i = 0; i < burns.size(); ++i) {
    if (!slo.definition.calls[i]) continue;  // no rung either
    const Burn& burn = burns[i];
    Reading::Level level;
    level.when.truth = truth_of(burn, is_known, slo.definition.objective.counts);
    level.when.reason = reason_of(slo, burn, budget);
    level.when.value = burn.in_long.value_or(0);
    level.when.pending = true;
    out.levels.push_back(std::move(level));
  }
  out.newest_result_ns = store::floor_to(now_ns, slo_look_ns);
  out.next_ns = out.newest_result_ns + slo_look_ns;
  return out;
}

SloSet load_slos(const config::Generation& generation, const Facts& facts, const config::Sources& files, config::Diagnostics& diagnostics,
                 std::vector<config::Disabled>& disabled) {
  SloSet out;
  std::map<std::string, std::optional<Slo>> all;
  for (const SloDefinition& definition : measure::read_slos(generation, diagnostics)) {
    Reader reader(generation, facts, files, diagnostics);
    all[definition.objective.name] = reader.read(definition);
    if (!all[definition.objective.name]) disabled.push_back({"slo", definition.objective.name, definition.place, reader.reason()});
  }
  for (const config::RawObject& object : generation.raw("slo")) {
    if (all.contains(object.name)) continue;
    Reader(generation, facts, files, diagnostics).judge_rest(object);
    disabled.push_back({"slo", object.name, object.place, "a value is wrong"});
  }
  for (auto& [name, slo] : all) {
    if (!slo) continue;
    for (const Condition* condition : {&slo->good, &slo->total})
      out.needs.insert(out.needs.end(), condition->needs.begin(), condition->needs.end());
    out.slos.push_back(*std::move(slo));
  }
  return out;
}

}  // namespace ronda::rule
