// SPDX-License-Identifier: Apache-2.0
#include "config/objects.hpp"

#include <algorithm>
#include <array>

#include "config/core_keys.hpp"

namespace ronda::config {
namespace {

using namespace std::chrono_literals;

constexpr std::array<TopTable, 23> tables = {{
    {"agent", Role::setting},  {"alert", Role::raw},     {"api", Role::setting},       {"backup", Role::raw},
    {"check", Role::instance}, {"checklist", Role::raw}, {"contact", Role::raw},       {"defaults", Role::setting},
    {"escalation", Role::raw}, {"group", Role::raw},     {"notifier", Role::instance}, {"oncall", Role::raw},
    {"report", Role::raw},     {"runbook", Role::raw},   {"service", Role::service},   {"severity", Role::raw},
    {"slo", Role::raw},        {"store", Role::setting}, {"task", Role::instance},     {"template", Role::raw},
    {"token", Role::raw},      {"vendor", Role::raw},    {"window", Role::raw},
}};

constexpr auto table_names = [] {
  std::array<std::string_view, tables.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = tables[i].name;
  return names;
}();

enum class Shape : std::uint8_t {
  text,
  texts,
  flag,
  duration,
  durations,
  percent,
  hold,
  table,
  table_list,
  text_or_table,
  role,
  sha256,
};

struct RawKey {
  std::string_view kind;
  std::string_view key;
  Shape shape;
};

/// What config-and-cli.md shows.
constexpr std::array raw_keys = {
    RawKey{"alert", "clear", Shape::text_or_table},
    RawKey{"alert", "diagnose", Shape::text},
    RawKey{"alert", "for", Shape::hold},
    RawKey{"alert", "keep_firing_for", Shape::duration},
    RawKey{"alert", "no_data", Shape::text},
    RawKey{"alert", "p1", Shape::text},
    RawKey{"alert", "p2", Shape::text},
    RawKey{"alert", "p3", Shape::text},
    RawKey{"alert", "p4", Shape::text},
    RawKey{"backup", "keep", Shape::table},
    RawKey{"backup", "offsite", Shape::texts},
    RawKey{"backup", "prove", Shape::table},
    RawKey{"backup", "prune", Shape::text},
    RawKey{"backup", "rpo", Shape::duration},
    RawKey{"backup", "task", Shape::text},
    RawKey{"backup", "verify", Shape::text},
    RawKey{"contact", "channels", Shape::table_list},
    RawKey{"contact", "language", Shape::text},
    RawKey{"contact", "name", Shape::text},
    RawKey{"contact", "quiet", Shape::text_or_table},
    RawKey{"contact", "unix", Shape::texts},
    RawKey{"escalation", "end", Shape::table},
    RawKey{"escalation", "steps", Shape::table_list},
    RawKey{"group", "members", Shape::texts},
    RawKey{"group", "title", Shape::text},
    RawKey{"oncall", "handover", Shape::text},
    RawKey{"oncall", "ical", Shape::text},
    RawKey{"oncall", "members", Shape::texts},
    RawKey{"oncall", "overrides", Shape::table_list},
    RawKey{"oncall", "people", Shape::table},
    RawKey{"oncall", "shift", Shape::duration},
    RawKey{"oncall", "start", Shape::text},
    RawKey{"oncall", "title", Shape::text},
    RawKey{"oncall", "tz", Shape::text},
    RawKey{"runbook", "params", Shape::table},
    RawKey{"runbook", "step", Shape::table_list},
    RawKey{"runbook", "title", Shape::text},
    RawKey{"severity", "ack_expires", Shape::duration},
    RawKey{"severity", "notify", Shape::texts},
    RawKey{"severity", "respond_within", Shape::duration},
    RawKey{"severity", "title", Shape::text},
    RawKey{"severity", "update_within", Shape::duration},
    RawKey{"slo", "bad", Shape::text},
    RawKey{"slo", "good", Shape::text},
    RawKey{"slo", "objective", Shape::percent},
    RawKey{"slo", "window", Shape::duration},
    RawKey{"token", "contact", Shape::text},
    RawKey{"token", "inbox", Shape::texts},
    RawKey{"token", "role", Shape::role},
    RawKey{"token", "sha256", Shape::sha256},
    RawKey{"vendor", "account", Shape::text},
    RawKey{"vendor", "levels", Shape::table_list},
    RawKey{"vendor", "status_check", Shape::text},
    RawKey{"vendor", "ticket", Shape::text},
    RawKey{"vendor", "title", Shape::text},
    RawKey{"window", "announce", Shape::durations},
    RawKey{"window", "at", Shape::text},
    RawKey{"window", "lasts", Shape::duration},
    RawKey{"window", "services", Shape::texts},
};

void check_tables(Scope& scope, std::string_view key, const Value& value) {
  const List* list = value.as_list();
  if (list == nullptr) return wrong_type(scope, key, value, "a list of tables");
  for (const Value& element : *list) {
    if (element.as_table() == nullptr) wrong_type(scope, key, element, "a list of tables");
  }
}

void check_durations(Scope& scope, std::string_view key, const Value& value) {
  const List* list = value.as_list();
  if (list == nullptr) return wrong_type(scope, key, value, "a list of durations like [\"1h\"]");
  for (const Value& element : *list) read_duration(scope, key, element, 0ns);
}

void check_sha256(Scope& scope, std::string_view key, const Value& value) {
  constexpr std::string_view expected = "a SHA-256 of 64 hexadecimal digits";
  const auto text = read_text(scope, key, value);
  if (text && (text->size() != 64 || text->find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)) {
    wrong_text(scope, key, value, "must be " + std::string(expected), expected);
  }
}

void check_role(Scope& scope, std::string_view key, const Value& value) {
  constexpr std::array<std::string_view, 4> roles = {"reporter", "viewer", "operator", "approver"};
  read_choice(scope, key, value, roles);
}

void check_shape(Scope& scope, Shape shape, std::string_view key, const Value& value) {
  switch (shape) {
    case Shape::text:
      read_text(scope, key, value);
      break;
    case Shape::texts:
      read_texts(scope, key, value);
      break;
    case Shape::flag:
      read_flag(scope, key, value);
      break;
    case Shape::duration:
      read_duration(scope, key, value, 0ns);
      break;
    case Shape::durations:
      check_durations(scope, key, value);
      break;
    case Shape::percent:
      read_percent(scope, key, value);
      break;
    case Shape::hold:
      read_hold(scope, value);
      break;
    case Shape::table:
      if (value.as_table() == nullptr) wrong_type(scope, key, value, "a table");
      break;
    case Shape::table_list:
      check_tables(scope, key, value);
      break;
    case Shape::text_or_table:
      if (value.as_table() == nullptr && value.as_string() == nullptr) wrong_type(scope, key, value, "a string or a table");
      break;
    case Shape::role:
      check_role(scope, key, value);
      break;
    case Shape::sha256:
      check_sha256(scope, key, value);
      break;
  }
}

void require(Scope& scope, const RawObject& object, std::string_view key) {
  if (object.value.find(key) != nullptr) return;
  scope.error(object.place, object.kind + " `" + object.name + "` lacks `" + std::string(key) + "`");
}

void require_keys(Scope& scope, const RawObject& object) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> needed = {
      {{"escalation", "steps"}, {"group", "members"}, {"slo", "good"}, {"slo", "objective"}, {"token", "role"}, {"token", "sha256"}}};
  for (const auto& [kind, key] : needed) {
    if (key == "good" && object.value.find("bad") != nullptr) continue;  // what fails is counted
    if (kind == object.kind) require(scope, object, key);
  }
  if (object.kind != "alert") return;
  const auto has = [&](std::string_view level) { return object.value.find(level) != nullptr; };
  if (has("p1") || has("p2") || has("p3") || has("p4")) return;
  scope.error(object.place, "alert `" + object.name + "` has no condition: give at least one of p1, p2, p3 and p4");
}

}  // namespace

std::span<const TopTable> top_tables() {
  return tables;
}
std::span<const std::string_view> top_table_names() {
  return table_names;
}

const TopTable* find_top_table(std::string_view name) {
  const auto found = std::ranges::lower_bound(tables, name, {}, &TopTable::name);
  return found != tables.end() && found->name == name ? &*found : nullptr;
}

void check_nothing(Scope& scope, const Value& value) {
  if (value.is_nothing()) scope.spoil();
  if (const List* list = value.as_list()) {
    for (const Value& element : *list) check_nothing(scope, element);
  }
  if (const Table* table = value.as_table()) {
    for (const Member& member : *table) check_nothing(scope, member.value);
  }
}

void check_raw_object(Scope& scope, const RawObject& object) {
  const Table* table = object.value.as_table();
  if (table == nullptr) return wrong_type(scope, object.name, object.value, "a table");
  for (const Member& member : *table) {
    for (const RawKey& known : raw_keys) {
      if (known.kind == object.kind && known.key == member.key) {
        check_shape(scope, known.shape, member.key, member.value);
      }
    }
  }
  require_keys(scope, object);
  check_nothing(scope, object.value);
}

}  // namespace ronda::config
