// SPDX-License-Identifier: Apache-2.0
#include "response/plan.hpp"

#include <algorithm>
#include <set>

#include "base/counted.hpp"
#include "base/units.hpp"
#include "config/unread_name.hpp"
#include "incident/people_candidate.hpp"
#include "measure/load.hpp"
#include "measure/settings.hpp"
#include "response/inbound.hpp"
#include "response/message.hpp"
#include "response/own_troubles.hpp"
#include "response/upkeep_config.hpp"
#include "rule/candidate_facts.hpp"

namespace ronda::response {
namespace {

/// What the agent may say of itself, but for what nothing hides.
void add_own_alerts(const schedule::Candidate& candidate, std::vector<std::string>& alerts) {
  const auto add = [&](std::string_view of, std::string_view name) {
    alerts.push_back(std::string(own_prefix) + std::string(of) + std::string(name));
  };
  for (const std::string_view name : {config_trouble, heartbeat_trouble, store_trouble}) add("", name);
  for (const schedule::Prepared& prepared : candidate.set) {
    if (prepared.kind == config::Kind::notifier) add(sink_trouble_prefix, prepared.name);
  }
  for (const auto& [id, plugin] : candidate.catalogue.plugins) add(plugin_trouble_prefix, id);
}

/// What silences and windows may name.
incident::KnownNames names_of(const schedule::Candidate& candidate, const rule::RuleSet& rules) {
  incident::KnownNames names;
  for (const rule::Alert& alert : rules.alerts) names.alerts.push_back(alert.name);
  add_own_alerts(candidate, names.alerts);
  const auto add = [&](config::Kind kind, const std::string& name) {
    if (kind == config::Kind::check) names.checks.push_back(name);
    if (kind == config::Kind::task) names.checks.push_back(std::string(rule::task_prefix) + name);  // as its alert calls it
  };
  for (const schedule::Prepared& prepared : candidate.set) add(prepared.kind, prepared.name);
  for (const auto& [kind, name] : candidate.idle) add(kind, name);
  std::ranges::sort(names.checks);
  std::set<std::string> tags;
  for (const auto& [check, own] : candidate.tags) {
    if (check != config::unread_name) tags.insert(own.begin(), own.end());
  }
  for (const config::Service& service : candidate.generation.services) names.services.push_back(service.name);
  names.tags.assign(tags.begin(), tags.end());
  names.checks.shrink_to_fit();  // there may be a hundred thousand
  return names;
}

incident::Settings settings_of(const schedule::Candidate& candidate, const people::People& people, const std::string& host) {
  incident::Settings settings;
  settings.host = host;
  for (const config::Level level : people::all_levels) {
    const people::Severity& severity = people.severity(level);
    incident::LevelTimes& times = settings.levels[static_cast<std::size_t>(level)];
    times.respond_within_ns = severity.respond_within.count();
    times.update_every_ns = severity.update_within.count();
    times.ack_expires_ns = severity.ack_expires.count();
    // what never ends by itself is asked about all the same: it would be nobody's for ever
    times.ack_remind_ns = times.ack_expires_ns != 0 ? times.ack_expires_ns / 2 : times.respond_within_ns;
  }
  settings.tags = candidate.tags;
  settings.tags.erase(std::string(config::unread_name));
  if (candidate.generation.agent.war_room) settings.war_room = *candidate.generation.agent.war_room;
  return settings;
}

std::vector<measure::Running> running_checks(const schedule::Candidate& candidate) {
  std::vector<measure::Running> out;
  for (const schedule::Prepared& prepared : candidate.set) {
    if (prepared.kind == config::Kind::check) out.push_back({prepared.name, prepared.when.every.count()});
  }
  return out;
}

using Intervals = std::map<std::string, std::int64_t, std::less<>>;

Intervals intervals_of(const schedule::Candidate& candidate) {
  Intervals out;
  for (const measure::Running& one : running_checks(candidate)) out[one.check] = one.interval_ns;
  return out;
}

/// What is older than the store keeps cannot be read back after a restart.
void warn_of_retention(const rule::SloSet& set, const store::SampleRetention& kept, config::Diagnostics& diagnostics) {
  for (const rule::Slo& slo : set.slos) {
    if (slo.definition.objective.window_ns <= kept.five_minutes_ns) continue;
    diagnostics.warning(slo.definition.place, "its `window` is longer than `[store] five_minutes` (" +
                                                  format_duration(Nanos(kept.five_minutes_ns)) +
                                                  "): after a restart nothing is known of the rest");
  }
}

std::vector<people::Notifier> notifiers_of(const schedule::Candidate& candidate) {
  std::vector<people::Notifier> out;
  for (const schedule::Prepared& prepared : candidate.set) {
    if (prepared.kind == config::Kind::notifier) out.push_back(escalation::notifier_of(candidate, prepared));
  }
  std::ranges::sort(out, {}, &people::Notifier::name);
  return out;
}

/// Whether somebody wrote a ladder that tells of this level.
bool has_ladder(const escalation::Policy& policy, config::Level level) {
  const auto is_written = [](const escalation::Step& step) {
    return std::ranges::any_of(step.targets, [](const std::string& target) { return target != escalation::last_resort_target; });
  };
  return std::ranges::any_of(policy.escalations, [&](const escalation::Escalation& one) {
    const escalation::Ladder* ladder = one.at(level);
    return ladder != nullptr && (!ladder->owner.empty() || std::ranges::any_of(ladder->steps, is_written));
  });
}

/// Of the policy's first ladder that stands in conf.d, else of any.
config::Place place_of_ladders(const escalation::Policy& policy, const config::Generation& generation) {
  for (const escalation::Escalation& one : policy.escalations) {
    for (const auto& ladder : one.ladders) {
      if (ladder && ladder->place.line > 0) return ladder->place;
    }
  }
  const auto ladders = generation.raw("escalation").empty() ? generation.raw("severity") : generation.raw("escalation");
  return ladders.empty() ? config::Place{config::no_file, 0, 0} : ladders.front().place;
}

/// Who wrote ladders for some levels may not know what becomes of the others.
void warn_of_missing_ladders(const Plan& plan, const config::Generation& generation, config::Diagnostics& diagnostics) {
  const auto is_lost = [](const config::Disabled& one) { return one.kind == "file" || one.kind == "escalation" || one.kind == "severity"; };
  const auto tells = [](const people::Severity& severity) { return !severity.notify.empty(); };
  if (!generation.agent.last_resort.empty() || std::ranges::any_of(generation.disabled, is_lost)) return;
  if (generation.raw("escalation").empty() && std::ranges::none_of(plan.people.severities, tells)) return;
  struct Lack {
    const rule::Alert* first = nullptr;
    std::size_t others = 0;
  };
  std::map<std::pair<std::string, config::Level>, Lack> lacks;  // by service, or "" for the usual policy
  for (const rule::Alert& alert : plan.rules.alerts) {
    const escalation::Policy& policy = plan.policies.of(alert.service);
    for (const rule::Rung& rung : alert.rungs) {
      if (has_ladder(policy, rung.level)) continue;
      Lack& lack = lacks[{policy.service, rung.level}];
      if (lack.first == nullptr)
        lack.first = &alert;
      else
        ++lack.others;
    }
  }
  for (const auto& [where, lack] : lacks) {
    const std::string level(config::level_name(where.second));
    const escalation::Policy& policy = plan.policies.of(where.first);
    const std::string name = where.first.empty() ? "default" : policy.escalations.front().name;
    // what a `severity` made does not know its line: the ladders beside which one is missing do
    diagnostics.warning(lack.first->of_severity ? place_of_ladders(policy, generation) : lack.first->place,
                        "alert `" + lack.first->name + "`" + (lack.others == 0 ? "" : " and " + counted(lack.others, "other")) +
                            " may reach " + level + ", and no ladder tells of " + level +
                            (where.first.empty() ? "" : " of service `" + where.first + "`") + ", nor is there `[agent] last_resort`: " +
                            (where.second == config::Level::p4 ? "nobody is told" : "every notifier is told, and no person") +
                            "; write [escalation." + name + "." + level + "], or last_resort = [\"NOTIFIER\"]");
  }
}

/// Links lead to the door, so there are none without one.
LinkSettings links_of(const config::ApiSettings& api, const std::string& key) {
  LinkSettings links;
  if (api.listen.empty() || api.public_url.empty()) return links;
  links.key = key;
  links.base_url = api.public_url;
  while (links.base_url.ends_with('/')) links.base_url.pop_back();
  links.codes = !api.twilio_auth_token.empty();
  return links;
}

/// Without a notifier: ladders lead nowhere, or one may be missing because of what is wrong, itself or a file that may hold it.
/// Who has neither ladders nor errors wants to look and not to be told.
bool has_lost_its_way(const schedule::Candidate& candidate, const people::People& people) {
  if (!people.notifiers.empty()) return false;
  const auto names_somebody = [](const people::Severity& severity) { return !severity.notify.empty(); };
  if (!candidate.generation.raw("escalation").empty() || std::ranges::any_of(people.severities, names_somebody)) return true;
  const auto may_be_one = [](const config::Disabled& one) { return one.kind == "file" || one.kind == "notifier"; };
  return (candidate.has_errors() || !candidate.taken_back.empty()) && std::ranges::any_of(candidate.generation.disabled, may_be_one);
}

}  // namespace

namespace {

/// What is wrong exists all the same, and was told.
incident::KnownNames with_disabled(incident::KnownNames names, const schedule::Candidate& candidate) {
  const std::string unread(config::unread_name);
  if (candidate.tags.contains(unread)) names.tags.push_back(unread);
  for (const config::Disabled& one : candidate.generation.disabled) {
    if (one.kind == "file") {
      for (std::vector<std::string>* some : {&names.checks, &names.services}) some->push_back(unread);
    }
    if (one.kind == "check") names.checks.push_back(one.name);
    if (one.kind == "task") names.checks.push_back(std::string(rule::task_prefix) + one.name);
    if (one.kind == "service") names.services.push_back(one.name);
  }
  return names;
}

/// Facts were for reading conditions; what looks at alerts asks only about checks that they name or depend on.
void drop_idle_facts(rule::RuleSet& rules, const std::vector<rule::Slo>& slos) {
  std::set<std::string, std::less<>> asked;
  for (const rule::Alert& alert : rules.alerts) {
    asked.insert(alert.checks.begin(), alert.checks.end());
    asked.insert(alert.tasks.begin(), alert.tasks.end());
    asked.insert(alert.parents.begin(), alert.parents.end());
  }
  for (const rule::Slo& slo : slos) asked.insert(slo.checks.begin(), slo.checks.end());
  std::erase_if(rules.facts.checks, [&](const rule::CheckFacts& check) { return !asked.contains(check.name); });
  std::erase_if(rules.facts.task_ends, [&](const rule::CheckFacts& task) { return !asked.contains(task.name); });
  rules.facts.checks.shrink_to_fit();
}

}  // namespace

const people::Notifier* Plan::find_notifier(std::string_view name) const {
  const auto found = std::ranges::lower_bound(notifiers, name, {}, &people::Notifier::name);
  return found == notifiers.end() || found->name != name ? nullptr : &*found;
}

notify::Language Plan::language_of(std::string_view contact) const {
  const people::Contact* found = people.find_contact(contact);
  return found == nullptr || found->language.empty() ? language : notify::language_of(found->language);
}

bool Lost::holds(std::string_view alert) const {
  return any || alerts.contains(alert) || (alert.starts_with(inbound_prefix) && tokens.contains(sender_of(alert)));
}

Lost lost_by(const std::vector<config::Disabled>& disabled) {
  Lost out;
  for (const config::Disabled& one : disabled) {
    out.any = out.any || one.kind == "file";
    if (one.kind == "alert" || one.kind == "check") out.alerts.insert(one.name);
    if (one.kind == "task") out.alerts.insert(std::string(rule::task_prefix) + one.name);
    if (one.kind == "slo") out.alerts.insert(std::string(rule::slo_prefix) + one.name);
    if (one.kind == "token") out.tokens.insert(one.name);
    if (one.kind == "notifier") out.notifiers.insert(one.name);
  }
  return out;
}

void add_objectives(rule::SloSet set, const std::function<std::int64_t(std::string_view check)>& interval_of, Plan& plan) {
  plan.slos = std::move(set.slos);
  for (const rule::Need& need : set.needs)
    plan.wants.push_back({need.check, need.metric, need.window_ns, need.baseline, interval_of(need.check)});
  for (const rule::Slo& slo : plan.slos) {
    plan.rules.alerts.push_back(slo.alert);
    const std::string judged = measure::judgements_of(slo.definition.objective);
    if (slo.definition.objective.counts) {
      for (const std::string_view metric : {measure::good_requests_metric, measure::bad_requests_metric})
        plan.wants.push_back({judged, std::string(metric), 0, false, 0});
    } else {
      plan.wants.push_back({judged, std::string(measure::judgement_metric), 0, false, 0});
    }
  }
  std::ranges::sort(plan.rules.alerts, {}, &rule::Alert::name);
}

std::shared_ptr<const Plan> compile(schedule::Candidate& candidate, schedule::ZoneDatabase& zones, const PlanInput& input) {
  auto plan = std::make_shared<Plan>();
  config::Diagnostics& diagnostics = candidate.diagnostics;
  plan->zone = candidate.zone;
  plan->rules = rule::load_alerts(candidate);
  const Intervals intervals = intervals_of(candidate);
  const auto interval_of = [&](std::string_view check) {
    const auto found = intervals.find(check);
    return found == intervals.end() ? 0 : found->second;
  };
  for (const rule::Need& need : plan->rules.needs)
    plan->wants.push_back({need.check, need.metric, need.window_ns, need.baseline, interval_of(need.check)});
  rule::SloSet objectives = rule::load_slos(candidate, plan->rules.facts);
  escalation::Staff staff = escalation::staff_of(candidate, zones, input.now_ns, input.uid, diagnostics);
  plan->people = std::move(staff.people);
  plan->policies = std::move(staff.policies);
  auto& disabled = candidate.generation.disabled;
  disabled.insert(disabled.end(), plan->people.disabled.begin(), plan->people.disabled.end());
  disabled.insert(disabled.end(), plan->policies.disabled.begin(), plan->policies.disabled.end());
  plan->notifiers = notifiers_of(candidate);
  const measure::StoreSettings samples = measure::read_store(candidate.generation, diagnostics);
  plan->retention = samples.retention;
  warn_of_retention(objectives, plan->retention, diagnostics);
  add_objectives(std::move(objectives), interval_of, *plan);
  warn_of_missing_ladders(*plan, candidate.generation, diagnostics);
  plan->names = names_of(candidate, plan->rules);
  plan->windows = incident::compile_windows(candidate.generation.raw("window"), with_disabled(plan->names, candidate), zones,
                                            candidate.zone, diagnostics);
  const Targets targets(candidate, plan->people);
  for (const incident::Window& window : plan->windows) check_window(targets, window, diagnostics);
  for (const config::RawObject& object : candidate.generation.raw("window")) {
    if (std::ranges::find(plan->windows, object.name, &incident::Window::name) == plan->windows.end())
      check_wrong_window(targets, object, diagnostics);
  }
  plan->drill = read_drill(candidate, zones, targets, diagnostics);
  plan->templates = notify::Templates::load(candidate.generation, diagnostics);
  plan->language = notify::language_of(candidate.generation.agent.language);
  plan->settings = settings_of(candidate, plan->people, input.host);
  std::ranges::move(measure::service_wants(candidate.generation, samples, running_checks(candidate)), std::back_inserter(plan->wants));
  drop_idle_facts(plan->rules, plan->slos);
  for (const config::Service& service : candidate.generation.services)
    plan->service_titles[service.name] = service.title.empty() ? service.name : service.title;
  plan->titles = read_titles(candidate.generation, diagnostics);
  plan->links = links_of(candidate.generation.api, input.link_key);
  for (const config::RawObject& token : candidate.generation.raw("token")) plan->tokens.push_back(token.name);
  plan->lost = lost_by(candidate.generation.disabled);
  plan->lost.way = has_lost_its_way(candidate, plan->people);
  return plan;
}

}  // namespace ronda::response
