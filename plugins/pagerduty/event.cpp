// SPDX-License-Identifier: Apache-2.0
#include "event.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "outgoing/alert.hpp"
#include "outgoing/json.hpp"
#include "outgoing/text.hpp"

namespace pagerduty {
namespace {

using outgoing::JsonWriter;

// PagerDuty's own are 1024 for the summary, 255 for the key, and 512 KiB for all; characters
constexpr std::size_t longest_summary = 1024, longest_key = 255, longest_body = 16 * 1024, longest_field = 1024, longest_name = 255;
constexpr std::size_t most_fields = 64, shown_characters = 200;

std::string_view severity_of(std::string_view level) {
  if (level == "p1") return "critical";
  if (level == "p2") return "error";
  if (level == "p3") return "warning";
  return "info";
}

void write_named(JsonWriter& json, const char* name, std::string_view text) {
  if (!text.empty()) json.member(name, outgoing::cut_characters(text, longest_name));
}

void write_details(JsonWriter& json, const ronda::message& message) {
  std::set<std::string_view> seen = {"body", "message_id", "attempt"};
  json.object().member("body", outgoing::cut_characters(message.body(), longest_body));
  json.member("message_id", outgoing::cut_characters(message.id(), longest_name)).member("attempt", message.attempt());
  for (std::size_t i = 0, left = most_fields; i < message.field_count() && left > 0; ++i) {
    const auto [name, value] = message.field(i);
    if (!seen.insert(name).second) continue;
    --left;
    json.member(name, outgoing::cut_characters(value, longest_field));
  }
  json.end_object();
}

void write_links(JsonWriter& json, const ronda::message& message) {
  constexpr std::pair<const char*, const char*> known[] = {{"incident_url", "incident"}, {"war_room", "war room"}};
  const auto has = [&](const auto& one) { return !outgoing::link_in(message, one.first).empty(); };
  if (std::none_of(std::begin(known), std::end(known), has)) return;
  json.key("links").array();
  std::string before;
  for (const auto& one : known) {
    const std::string link(outgoing::link_in(message, one.first));
    if (!link.empty() && link != before) json.object().member("href", link).member("text", one.second).end_object();
    before = link;
  }
  json.end_array();
}

/// Nobody is to be called at night for a test, whatever its level.
std::string_view severity_of(const ronda::message& message) {
  return is_test(message) ? "info" : severity_of(message.level());
}

void write_payload(JsonWriter& json, const ronda::message& message, const std::string& host, ronda::wall_time now) {
  const auto summary = outgoing::one_line(message.title(), longest_summary);
  const auto opened = message.field("opened_at"), source = message.field("host");
  json.object().member("summary", summary.empty() ? "an incident without a title" : summary);
  json.member("source", outgoing::cut_characters(source.empty() ? std::string_view(host) : source, longest_name));
  json.member("severity", severity_of(message));
  json.member("timestamp", outgoing::is_rfc3339(opened) ? std::string(opened) : outgoing::rfc3339(now));
  write_named(json, "component", message.field("check"));
  write_named(json, "group", message.field("service"));
  write_named(json, "class", message.field("alert"));
  json.key("custom_details");
  write_details(json, message);
  json.end_object();
}

}  // namespace

bool is_test(const ronda::message& message) {
  return message.event() == "test";
}

std::string_view action_of(const ronda::message& message) {
  if (outgoing::is_over(message)) return "resolve";
  // a trigger would call people where PagerDuty has no acknowledgement, or has let it expire
  const auto state = message.field("state");
  const bool taken = message.event() == "update" && (state == "acknowledged" || state == "mitigating");
  return taken || message.event() == "acknowledge" ? "acknowledge" : "trigger";
}

std::string dedup_key_of(const ronda::message& message) {
  const bool is_own = is_test(message) || message.incident().empty();
  return outgoing::cut_characters(is_own ? message.id() : message.incident(), longest_key);
}

std::string event_of(const ronda::message& message, std::string_view action, std::string_view routing_key, const std::string& host,
                     ronda::wall_time now) {
  JsonWriter json;
  json.object().member("routing_key", routing_key).member("event_action", action).member("dedup_key", dedup_key_of(message));
  json.key("payload");
  write_payload(json, message, host, now);
  write_links(json, message);
  return json.member("client", "Ronda").end_object().text();
}

ronda::delivery read_reply(int status, std::string_view body) {
  const auto reply = outgoing::parse_json_object(body);
  if (reply && reply->text("status") == "success")
    return ronda::delivered("accepted as ", outgoing::one_line(reply->text("dedup_key"), longest_key));
  return ronda::drop("HTTP ", status, ", but not PagerDuty's word that it took the event: ", outgoing::one_line(body, shown_characters),
                     "; is api_base right?");
}

}  // namespace pagerduty
