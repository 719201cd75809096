// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"

#include <set>

#include "outgoing/alert.hpp"
#include "outgoing/json.hpp"
#include "outgoing/text.hpp"

namespace webhook {
namespace {

using outgoing::JsonWriter;

constexpr std::size_t longest_title = 1024, longest_body = 64 * 1024, longest_field = 4 * 1024;  // characters
constexpr std::size_t most_fields = 128;

void write_fields(JsonWriter& json, const ronda::message& message) {
  std::set<std::string_view> seen;
  json.object();
  for (std::size_t i = 0; i < message.field_count() && seen.size() < most_fields; ++i) {
    const auto [name, value] = message.field(i);
    if (seen.insert(name).second) json.member(name, outgoing::cut_characters(value, longest_field));
  }
  json.end_object();
}

void write_alert(JsonWriter& json, const outgoing::Alert& alert, const std::string& now) {
  json.object().member("status", alert.resolved ? "resolved" : "firing").key("labels");
  write_labels(json, alert.labels);
  json.key("annotations");
  write_labels(json, alert.annotations);
  json.member("startsAt", alert.starts_at.empty() ? now : alert.starts_at);
  json.member("endsAt", alert.resolved ? now : "0001-01-01T00:00:00Z");
  json.member("generatorURL", alert.link).member("fingerprint", outgoing::fingerprint(alert.labels)).end_object();
}

}  // namespace

std::string ronda_payload(const ronda::message& message, const Origin& origin) {
  JsonWriter json;
  json.object().member("id", message.id()).member("attempt", message.attempt()).member("test", message.event() == "test");
  json.member("event", message.event()).member("level", message.level()).member("incident", message.incident());
  json.member("to", message.to()).member("title", outgoing::cut_characters(message.title(), longest_title));
  json.member("body", outgoing::cut_characters(message.body(), longest_body)).key("fields");
  write_fields(json, message);
  return json.member("host", origin.host).member("at", outgoing::rfc3339(origin.now)).end_object().text();
}

std::string alertmanager_payload(const ronda::message& message, const Origin& origin) {
  const auto alert = outgoing::alert_of(message, origin.host);
  const outgoing::Labels group = {{"incident", std::string(message.incident())}};
  JsonWriter json;
  json.object().member("version", "4").member("groupKey", ronda::text("{}:{incident=\"", message.incident(), "\"}"));
  json.member("truncatedAlerts", 0).member("status", alert.resolved ? "resolved" : "firing").member("receiver", origin.receiver);
  json.key("groupLabels");
  write_labels(json, group);
  json.key("commonLabels");
  write_labels(json, alert.labels);
  json.key("commonAnnotations");
  write_labels(json, alert.annotations);
  json.member("externalURL", alert.link).key("alerts").array();
  write_alert(json, alert, outgoing::rfc3339(origin.now));
  return json.end_array().end_object().text();
}

}  // namespace webhook
