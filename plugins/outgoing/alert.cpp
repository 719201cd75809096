// SPDX-License-Identifier: Apache-2.0
#include "outgoing/alert.hpp"

#include <cstdio>

#include "outgoing/text.hpp"

namespace outgoing {
namespace {

constexpr std::size_t longest_label = 256, longest_annotation = 16 * 1024;  // characters

void put(Labels& to, const char* name, std::string_view text, std::size_t most) {
  if (!text.empty()) to[name] = cut_characters(text, most);
}

std::string_view first_of(std::initializer_list<std::string_view> texts) {
  for (const auto text : texts)
    if (!text.empty()) return text;
  return {};
}

}  // namespace

std::string_view link_in(const ronda::message& message, std::string_view field) {
  const auto link = message.field(field);
  const bool is_link = link.substr(0, 8) == "https://" || link.substr(0, 7) == "http://";
  return is_link && link.find_first_of(" \t\r\n") == link.npos ? link : std::string_view();
}

bool is_over(const ronda::message& message) {
  if (message.event() == "test") return false;
  const auto state = message.field("state");
  return message.event() == "resolve" || state == "resolved" || state == "closed";
}

Alert alert_of(const ronda::message& message, const std::string& host) {
  Alert alert;
  put(alert.labels, "alertname", first_of({message.field("alert"), message.field("check"), "ronda"}), longest_label);
  put(alert.labels, "severity", message.level(), longest_label);
  put(alert.labels, "instance", first_of({message.field("host"), host}), longest_label);
  put(alert.labels, "incident", message.incident(), longest_label);
  put(alert.labels, "service", message.field("service"), longest_label);
  put(alert.annotations, "summary", message.title(), longest_annotation);
  put(alert.annotations, "description", message.body(), longest_annotation);
  if (is_rfc3339(message.field("opened_at"))) alert.starts_at = std::string(message.field("opened_at"));
  alert.resolved = is_over(message);
  alert.link = std::string(first_of({link_in(message, "incident_url"), link_in(message, "war_room")}));
  return alert;
}

std::string fingerprint(const Labels& labels) {
  // FNV-1a of 64 bits over names and values, each with a byte behind it that no UTF-8 has
  std::uint64_t sum = 14695981039346656037u;
  const auto add = [&sum](unsigned char byte) { sum = (sum ^ byte) * 1099511628211u; };
  for (const auto& [name, value] : labels)
    for (const auto* text : {&name, &value}) {
      for (const char c : *text) add(static_cast<unsigned char>(c));
      add(0xff);
    }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  return digits;
}

void write_labels(JsonWriter& json, const Labels& labels) {
  json.object();
  for (const auto& [name, value] : labels) json.member(name, value);
  json.end_object();
}

}  // namespace outgoing
