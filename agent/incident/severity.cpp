// SPDX-License-Identifier: Apache-2.0
#include "incident/severity.hpp"

#include <chrono>

#include "incident/read_keys.hpp"

namespace ronda::people {

using namespace std::chrono_literals;

Severities default_severities() {
  Severities out;
  out[0] = {Level::p1, "Critical", 15min, 1h, 30min, {}, {}, {}};
  out[1] = {Level::p2, "High", 1h, 4h, 1h, {}, {}, {}};
  out[2] = {Level::p3, "Medium", 4h, 24h, 0s, {}, {}, {}};
  out[3] = {Level::p4, "Low", 24h, 0s, 0s, {}, {}, {}};
  return out;
}

bool read_severity(config::Scope& scope, const config::RawObject& object, Severities& severities) {
  constexpr std::array<std::string_view, 5> known = {"ack_expires", "notify", "respond_within", "title", "update_within"};
  const auto found = std::ranges::find(all_levels, object.name, config::level_name);
  const config::Table* table = object.value.as_table();
  if (found == all_levels.end() || table == nullptr) return false;  // told when it was collected
  Severity severity = severities[level_index(*found)];
  severity.place = object.place;
  read_keys(scope, *table, known, [&](std::string_view key, const config::Value& value) {
    if (key == "title") {
      severity.title = config::read_text(scope, key, value).value_or("");
    } else if (key == "notify") {
      severity.notify = config::read_texts(scope, key, value);
      severity.notify_place = value.place();
    } else {
      const Nanos least = key == "respond_within" ? Nanos(1min) : Nanos(0);
      const auto time = config::read_duration(scope, key, value, least);
      if (!time) return;
      (key == "respond_within" ? severity.respond_within : key == "ack_expires" ? severity.ack_expires : severity.update_within) = *time;
    }
  });
  if (!scope.sound()) return false;
  severities[level_index(*found)] = std::move(severity);
  return true;
}

}  // namespace ronda::people
