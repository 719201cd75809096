// SPDX-License-Identifier: Apache-2.0
// What a generation says about alerts, people and words, compiled once: the part of the configuration that no plugin
// and no schedule reads. Immutable; start, reload and `ronda validate` make it in the same way.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "incident/engine.hpp"
#include "incident/maintenance.hpp"
#include "incident/people.hpp"
#include "incident/policies.hpp"
#include "measure/history.hpp"
#include "notify/template.hpp"
#include "response/links.hpp"
#include "response/titles.hpp"
#include "rule/alert.hpp"
#include "rule/objective.hpp"
#include "schedule/calendar.hpp"
#include "schedule/zone.hpp"
#include "store/sample.hpp"

namespace ronda::schedule {
struct Candidate;
}

namespace ronda::response {

/// `[agent] drill`: a marked message to real people by their real channels, now and then, that proves the way.
struct Drill {
  schedule::Calendar calendar;
  config::Level level = config::Level::p1;  // whose channels it takes
  std::vector<std::string> targets;
};

/// What the configuration would have if it were sound. That an alert of it is not known any more is no recovery.
struct Lost {
  bool any = false;                           // a file cannot be read: whatever is missing may stand in it
  bool way = false;                           // nobody can be told of anything, and that is not what was meant
  std::set<std::string, std::less<>> alerts;  // of objects that are wrong
  std::set<std::string, std::less<>> tokens;  // of whose alerts

  std::set<std::string, std::less<>> notifiers;

  bool holds(std::string_view alert) const;
  bool holds_notifier(std::string_view name) const { return any || notifiers.contains(name); }
};

struct Plan {
  rule::RuleSet rules;          // with the alerts of the objectives
  std::vector<rule::Slo> slos;  // by name
  people::People people;
  std::vector<people::Notifier> notifiers;  // by name
  escalation::Policies policies;
  std::vector<incident::Window> windows;
  std::optional<Drill> drill;
  incident::KnownNames names;
  incident::Settings settings;
  notify::Templates templates;
  notify::Language language = notify::Language::en;
  std::vector<measure::Want> wants;
  store::SampleRetention retention;
  schedule::ZonePtr zone;
  std::map<std::string, std::string, std::less<>> service_titles;
  AlertTitles titles;
  LinkSettings links;
  std::vector<std::string> tokens;  // names, sorted: who may send alerts
  Lost lost;

  const people::Notifier* find_notifier(std::string_view name) const;
  /// A contact's own, else the agent's.
  notify::Language language_of(std::string_view contact) const;
};

struct PlanInput {
  std::string host;
  std::int64_t now_ns = 0;    // gaps of rotas are looked for from here
  uid_t uid = 0;              // of the agent: calendar files are trusted as conf.d is
  std::string link_key = {};  // empty: no links and codes
};

/// Their alerts go to the rules, what they look at and what they judge to the wants. `interval_of` a check is 0 where it has none.
void add_objectives(rule::SloSet set, const std::function<std::int64_t(std::string_view check)>& interval_of, Plan& plan);

/// Whether an alert from outside has a sender that the configuration knows.
bool is_kept_inbound(const Plan& plan, std::string_view alert);
/// "unix:ana" or the name of a token.
std::string_view sender_of(std::string_view inbound_alert);
Lost lost_by(const std::vector<config::Disabled>& disabled);

/// Everything wrong goes to the candidate's diagnostics, what was left out for it to its generation's `disabled`.
std::shared_ptr<const Plan> compile(schedule::Candidate& candidate, schedule::ZoneDatabase& zones, const PlanInput& input);

}  // namespace ronda::response
