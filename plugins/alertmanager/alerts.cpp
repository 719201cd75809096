// SPDX-License-Identifier: Apache-2.0
#include "alerts.hpp"

#include "outgoing/text.hpp"

namespace alertmanager {

std::string alerts_body(const outgoing::Alert& alert, const std::optional<outgoing::Labels>& before, ronda::wall_time now,
                        std::chrono::nanoseconds valid_for) {
  outgoing::JsonWriter json;
  json.array().object().key("labels");
  write_labels(json, alert.labels);
  json.key("annotations");
  write_labels(json, alert.annotations);
  if (!alert.starts_at.empty()) json.member("startsAt", alert.starts_at);
  json.member("endsAt", outgoing::rfc3339(alert.resolved ? now : now + valid_for));
  if (!alert.link.empty()) json.member("generatorURL", alert.link);
  json.end_object();
  if (before) {
    json.object().key("labels");
    write_labels(json, *before);
    json.member("endsAt", outgoing::rfc3339(now)).end_object();
  }
  return json.end_array().text();
}

std::string kept_labels(const outgoing::Labels& labels) {
  outgoing::JsonWriter json;
  write_labels(json, labels);
  return json.text();
}

std::optional<outgoing::Labels> read_kept_labels(std::string_view text) {
  const auto object = outgoing::parse_json_object(text);
  if (!object) return std::nullopt;
  outgoing::Labels labels;
  for (const auto& member : object->members()) {
    if (member.kind != outgoing::JsonMember::Kind::text || member.text.empty()) return std::nullopt;
    labels[member.name] = member.text;
  }
  return labels.count("alertname") == 0 ? std::nullopt : std::optional(labels);
}

}  // namespace alertmanager
