// SPDX-License-Identifier: Apache-2.0
#include "response/upkeep_config.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/fields.hpp"
#include "schedule/candidate.hpp"

namespace ronda::response {
namespace {

constexpr std::array<std::string_view, 5> known_keys = {"at", "cron", "level", "notify", "tz"};

bool is_target(const people::People& people, std::string_view name) {
  return people.find_contact(name) != nullptr || people.find_group(name) != nullptr || people.find_oncall(name) != nullptr;
}

std::optional<schedule::Calendar> read_calendar(config::Scope& scope, const config::Value& drill, schedule::ZoneDatabase& zones,
                                                schedule::ZonePtr zone) {
  const config::Value* at = drill.find("at");
  const config::Value* cron = drill.find("cron");
  if ((at == nullptr) == (cron == nullptr)) {
    scope.error(drill.place(), "`drill` needs one of `at` and `cron`");
    return {};
  }
  if (const config::Value* tz = drill.find("tz")) {
    const auto name = config::read_zone(scope, "drill.tz", *tz);
    auto found = name ? zones.find(*name) : Result<schedule::ZonePtr>(zone);
    if (!found) config::wrong_text(scope, "drill.tz", *tz, found.error().message(), "a time zone");
    if (found) zone = *found;
  }
  const std::string_view key = at != nullptr ? "drill.at" : "drill.cron";
  const config::Value& value = at != nullptr ? *at : *cron;
  const auto text = config::read_text(scope, key, value);
  if (!text) return {};
  auto calendar = at != nullptr ? schedule::parse_calendar(*text, zones, zone) : schedule::parse_cron(*text, zone);
  if (calendar && calendar->possible()) return *std::move(calendar);
  config::wrong_text(scope, key, value, calendar ? "no such day ever comes" : calendar.error().message(), "a calendar expression");
  return {};
}

}  // namespace

Targets::Targets(const schedule::Candidate& candidate, const people::People& known) : people(known), notifiers(known.notifiers) {
  for (const config::Disabled& one : candidate.generation.disabled) {
    if (one.kind == config::kind_name(config::Kind::notifier)) notifiers.push_back(one.name);
    if (one.kind == "file") complete = false;
  }
  people::add_wrong(candidate.generation.disabled, wrong);
}

void check_targets(const Targets& known, std::string_view key, const std::vector<std::string>& names, config::Level level,
                   config::Place place, config::Diagnostics& diagnostics) {
  const people::People& people = known.people;
  const std::string quoted_key = "`" + std::string(key) + "`";
  for (const std::string& name : names) {
    const std::string shown = "`" + escape_controls(name.substr(0, 128)) + "`";
    if (!known.complete || people::holds_wrong(people, name, known.wrong)) continue;
    if (!is_target(people, name)) {
      std::vector<std::string_view> all;
      for (const people::Contact& one : people.contacts) all.push_back(one.name);
      for (const people::Group& one : people.groups) all.push_back(one.name);
      for (const people::Rota& one : people.oncalls) all.push_back(one.name);
      const std::string_view near = nearest(name, all);
      diagnostics.error(place, quoted_key + ": there is no contact, group or oncall " + shown +
                                   (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?"));
    } else if (!people.no_notifier && !people.reachable(name, level, known.notifiers)) {
      diagnostics.error(
          place, quoted_key + " tells " + shown +
                     (people.members_of(name).empty() ? std::string(", in which there is nobody")
                                                      : ", and nobody there has a channel for " + std::string(config::level_name(level))));
    }
  }
}

/// Announcements are at P3; what its owner must hear is that it hides a P1.
void check_window(const Targets& known, const incident::Window& window, config::Diagnostics& diagnostics) {
  check_targets(known, "owner", {window.owner}, config::Level::p1, window.owner_place, diagnostics);
  check_targets(known, "notify", window.notify, config::Level::p3, window.notify_place, diagnostics);
}

void check_wrong_window(const Targets& known, const config::RawObject& object, config::Diagnostics& diagnostics) {
  const auto text_of = [](const config::Value* value) {
    return value == nullptr || !value->as_string() ? std::string() : *value->as_string();
  };
  if (const config::Value* owner = object.value.find("owner"); !trim(text_of(owner)).empty())
    check_targets(known, "owner", {text_of(owner)}, config::Level::p1, owner->place(), diagnostics);
  const config::Value* notify = object.value.find("notify");
  const config::List* list = notify == nullptr ? nullptr : notify->as_list();
  std::vector<std::string> names;
  for (const config::Value& one : list == nullptr ? config::List() : *list) {
    if (!text_of(&one).empty()) names.push_back(text_of(&one));
  }
  if (!names.empty()) check_targets(known, "notify", names, config::Level::p3, notify->place(), diagnostics);
}

std::optional<Drill> read_drill(const schedule::Candidate& candidate, schedule::ZoneDatabase& zones, const Targets& known,
                                config::Diagnostics& diagnostics) {
  const config::Value& value = candidate.generation.agent.drill;
  const config::Table* table = value.as_table();
  if (table == nullptr || candidate.zone == nullptr) return {};
  config::Scope scope(diagnostics);
  config::Level level = config::Level::p1;
  std::vector<std::string> targets;
  for (const config::Member& member : *table) {
    if (std::ranges::find(known_keys, std::string_view(member.key)) == known_keys.end())
      scope.error(member.key_place, config::unknown_key(member.key, known_keys));
    else if (member.key == "notify")
      targets = config::read_texts(scope, "drill.notify", member.value);
    else if (member.key == "level")
      level = config::read_level(scope, "drill.level", member.value).value_or(level);
  }
  if (targets.empty() && scope.sound())
    scope.error(value.place(), "`drill` lacks `notify`, whom it tells: notify = [\"CONTACT or GROUP\"]");
  check_targets(known, "drill.notify", targets, level, value.place(), diagnostics);
  auto calendar = read_calendar(scope, value, zones, candidate.zone);
  if (!scope.sound() || !calendar) return {};
  return Drill{*std::move(calendar), level, std::move(targets)};
}

}  // namespace ronda::response
