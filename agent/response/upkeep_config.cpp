// SPDX-License-Identifier: Apache-2.0
#include "response/upkeep_config.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/fields.hpp"

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

void check_targets(const people::People& people, std::string_view key, const std::vector<std::string>& names, config::Place place,
                   config::Diagnostics& diagnostics) {
  for (const std::string& name : names) {
    if (is_target(people, name)) continue;
    std::vector<std::string_view> known;
    for (const people::Contact& one : people.contacts) known.push_back(one.name);
    for (const people::Group& one : people.groups) known.push_back(one.name);
    for (const people::Rota& one : people.oncalls) known.push_back(one.name);
    const std::string_view near = nearest(name, known);
    diagnostics.error(place, "`" + std::string(key) + "`: there is no contact, group or oncall `" + escape_controls(name.substr(0, 128)) +
                                 "`" + (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?"));
  }
}

std::optional<Drill> read_drill(const schedule::Candidate& candidate, schedule::ZoneDatabase& zones, const people::People& people,
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
  check_targets(people, "drill.notify", targets, value.place(), diagnostics);
  auto calendar = read_calendar(scope, value, zones, candidate.zone);
  if (!scope.sound() || !calendar) return {};
  return Drill{*std::move(calendar), level, std::move(targets)};
}

}  // namespace ronda::response
