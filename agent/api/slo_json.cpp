// SPDX-License-Identifier: Apache-2.0
#include "api/slo_json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "api/incident_json.hpp"
#include "api/json.hpp"
#include "base/units.hpp"

namespace ronda::api {
namespace json = boost::json;

namespace {

json::value number_or_null(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? json::value(*number) : json::value(nullptr);
}

json::array burns_json(const measure::SloDefinition& definition, const response::ObjectiveSeen& seen) {
  const measure::slo::Objective& objective = definition.objective;
  json::array out;
  for (std::size_t i = 0; i < seen.burns.size(); ++i) {
    const measure::slo::Burn& burn = seen.burns[i];
    if (burn.rule == nullptr) continue;
    out.push_back(
        json::object{{"name", burn.rule->name},
                     {"level", level_json(burn.rule->level)},
                     {"factor", burn.rule->factor},
                     {"long_s", seconds(burn.rule->long_ns)},
                     {"short_s", seconds(burn.rule->short_ns)},
                     {"in_long", number_or_null(burn.in_long)},
                     {"in_short", number_or_null(burn.in_short)},
                     {"enough", burn.enough},
                     {"holds", burn.holds},
                     {"calls", definition.calls[i]},  // by `levels`
                     {"bad", burn.bad},               // in the long window: seconds, or requests; as `min_bad`
                     {"min_bad", burn.least_bad},
                     {"held_back", burn.is_held_back ? json::value(rule::held_back_text(objective, burn)) : json::value(nullptr)}});
  }
  return out;
}

json::object slo_json(const response::Desk& desk, const rule::Slo& slo) {
  static const response::ObjectiveSeen unseen;
  const measure::slo::Objective& objective = slo.definition.objective;
  const response::ObjectiveSeen* found = desk.objectives().seen(slo.name());
  const response::ObjectiveSeen& seen = found == nullptr ? unseen : *found;
  const rule::AlertState* state = desk.alert(slo.alert.name);
  const auto incident = desk.incidents().by_alert.find(slo.alert.name);
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
  json::object out;
  out["name"] = slo.name();
  out["title"] = text_or_null(slo.definition.title);
  out["service"] = text_or_null(slo.alert.service);
  out["promise"] = rule::promise_text(objective);
  out["objective"] = objective.target;
  out["window_s"] = seconds(objective.window_ns);
  out["of"] = objective.counts ? "requests" : "time";
  out["good"] = slo.definition.counts_bad ? json::value(nullptr) : json::value(slo.definition.good);
  out["bad"] = slo.definition.counts_bad ? json::value(slo.definition.good) : json::value(nullptr);
  out["total"] = text_or_null(slo.definition.total);
  out["at"] = time_json(seen.at_ns);
  out["known"] = seen.is_known;
  out["reached"] = seen.budget ? number_or_null(seen.budget->reached) : json::value(nullptr);
  out["budget_left"] = seen.budget ? number_or_null(seen.budget->left) : json::value(nullptr);
  out["seen"] = seen.budget ? number_or_null(seen.budget->known) : json::value(nullptr);  // share of the window
  out["burns"] = burns_json(slo.definition, seen);
  out["alert"] = slo.alert.name;
  out["level"] = level_json(state == nullptr ? config::Level::none : state->level);
  out["since"] = time_json(state == nullptr ? 0 : state->level_since_ns);
  out["incident"] = incident == desk.incidents().by_alert.end() ? json::value(nullptr) : json::value(incident->second);
  return out;
}

}  // namespace

json::array slos_json(AgentView& agent) {
  const response::Desk& desk = agent.response().desk();
  json::array out;
  for (const rule::Slo& slo : desk.plan().slos) out.push_back(slo_json(desk, slo));
  return out;
}

std::string burn_condition(const rule::Slo& slo, const measure::slo::BurnRule& rule) {
  const auto length = [](std::int64_t ns) { return format_duration(Nanos(ns)); };
  char factor[16];
  std::snprintf(factor, sizeof factor, "%g", rule.factor);
  return std::string("burns ") + factor + " times what " + rule::promise_text(slo.definition.objective) + " allows, in " +
         length(rule.long_ns) + " and in " + length(rule.short_ns);
}

const measure::slo::BurnRule& burn_rule_of(config::Level level) {
  return *std::ranges::find(measure::slo::burn_rules, level, &measure::slo::BurnRule::level);
}

json::array burns_as_conditions_json(const response::Desk& desk, std::string_view alert) {
  json::array out;
  const rule::Slo* slo = desk.objectives().of_alert(alert);
  const response::ObjectiveSeen* seen = slo == nullptr ? nullptr : desk.objectives().seen(slo->name());
  if (seen == nullptr || seen->at_ns == 0) return out;
  const rule::Reading reading = rule::read_burns(*slo, seen->burns, seen->budget, seen->is_known, seen->at_ns);
  for (std::size_t i = 0; i < reading.levels.size(); ++i) {
    const measure::slo::BurnRule& rule = burn_rule_of(slo->alert.rungs[i].level);
    const rule::Finding& finding = reading.levels[i].when;
    out.push_back(json::object{{"level", level_json(rule.level)},
                               {"clear", false},
                               {"condition", burn_condition(*slo, rule)},
                               {"holds", rule::truth_name(finding.truth)},
                               {"reason", finding.reason},
                               {"steps", json::array()}});
  }
  return out;
}

}  // namespace ronda::api
