// SPDX-License-Identifier: Apache-2.0
#include "api/inbound.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>

#include "api/body.hpp"
#include "base/siphash.hpp"
#include "base/text.hpp"

namespace ronda::api {
namespace json = boost::json;
using config::Level;
using response::InboundAlert;
using response::InboundBatch;

namespace {

constexpr std::size_t most_labels = 64, most_name = 128, most_reason = 300, most_key = 64;

using Labels = std::map<std::string, std::string, std::less<>>;

/// One line, valid, without controls.
std::string line_of(std::string_view text, std::size_t most) {
  std::string out = repair_utf8(trim(text), most);
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

/// As it is where it is plain; else a number made of it: it is part of a name.
std::string key_of(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
  };
  if (!text.empty() && text.size() <= most_key && std::ranges::all_of(text, plain)) return std::string(text);
  return to_hex(siphash128(text));
}

std::string_view label(const Labels& labels, std::string_view name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

Result<Labels> read_labels(const json::object& alert, std::string_view key) {
  Labels out;
  const json::value* value = alert.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || value->is_null()) return out;
  const json::object* object = value->if_object();
  if (object == nullptr || object->size() > most_labels)
    return Error(Errc::invalid, "`" + std::string(key) + "` must be an object of at most 64 texts");
  for (const auto& member : *object) {
    const json::string* text = member.value().if_string();
    if (text == nullptr) return Error(Errc::invalid, "`" + std::string(key) + "` must be an object of texts");
    out.emplace(std::string(member.key()), std::string(*text));
  }
  return out;
}

std::string_view text_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

/// The words that senders use; what is none of them is a P3: it waits for no sleeper, and is not lost either.
Level level_of(std::string_view severity) {
  struct Word {
    std::string_view word;
    Level level;
  };
  constexpr std::array words = {Word{"p1", Level::p1},       Word{"p2", Level::p2},      Word{"p3", Level::p3},    Word{"p4", Level::p4},
                                Word{"critical", Level::p1}, Word{"page", Level::p1},    Word{"error", Level::p2}, Word{"high", Level::p2},
                                Word{"major", Level::p2},    Word{"warning", Level::p3}, Word{"info", Level::p4},  Word{"none", Level::p4}};
  std::string small(severity.substr(0, 16));
  for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto found = std::ranges::find(words, small, &Word::word);
  return found == words.end() ? Level::p3 : found->level;
}

std::string service_of(std::string_view name, const InboundContext& context) {
  return std::ranges::find(context.services, name) == context.services.end() ? std::string() : std::string(name);
}

std::string own_name(const InboundContext& context, std::string_view key) {
  return std::string(response::inbound_prefix) + std::string(context.sender) + "/" + key_of(key);
}

/// Labels of no fingerprint: the same labels are the same alert.
std::string joined(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) out += name + '\0' + value + '\0';
  return out;
}

std::string reason_of(const Labels& labels, const Labels& annotations) {
  std::string said = line_of(label(annotations, "summary"), most_reason);
  if (said.empty()) said = line_of(label(annotations, "description"), most_reason);
  const std::string name = line_of(label(labels, "alertname"), most_name);
  const std::string where = line_of(label(labels, "instance"), most_name);
  std::string out = name.empty() ? "an alert without a name" : name;
  if (!where.empty()) out += " on " + where;
  return repair_utf8(said.empty() ? out : out + ": " + said, most_reason);
}

Result<InboundAlert> read_alert(const json::object& alert, const InboundContext& context) {
  RONDA_TRY(const Labels labels, read_labels(alert, "labels"));
  RONDA_TRY(const Labels annotations, read_labels(alert, "annotations"));
  const std::string_view status = text_in(alert, "status");
  if (status != "firing" && status != "resolved") return Error(Errc::invalid, "`status` must be firing or resolved");
  const std::string_view fingerprint = text_in(alert, "fingerprint");
  InboundAlert out;
  out.name = own_name(context, fingerprint.empty() ? joined(labels) : fingerprint);
  out.check = own_name(context, label(labels, "alertname"));
  out.service = service_of(label(labels, "service"), context);
  if (!out.service.empty()) out.check += "@" + out.service;  // one word for two services is not one cause
  out.level = status == "resolved" ? Level::none : level_of(label(labels, "severity"));
  out.reason = reason_of(labels, annotations);
  out.until_ns = status == "resolved" ? 0 : context.now_ns + repeated_within_ns;
  return out;
}

}  // namespace

Result<InboundBatch> parse_alertmanager(const std::string& body, const InboundContext& context) {
  boost::system::error_code error;
  const json::value whole = json::parse(body, error);
  const json::object* object = error ? nullptr : whole.if_object();
  if (object == nullptr) return Error(Errc::invalid, "the body is no JSON object");
  if (const std::string_view version = text_in(*object, "version"); version != "4")
    return Error(Errc::invalid, "`version` must be \"4\": this is not the webhook of Alertmanager, or another version of it");
  const json::value* alerts = object->if_contains("alerts");
  const json::array* list = alerts == nullptr ? nullptr : alerts->if_array();
  if (list == nullptr || list->size() > most_posted)
    return Error(Errc::invalid, "`alerts` must be a list of at most 200; set `max_alerts` of the webhook");
  InboundBatch out;
  out.source = "alertmanager";
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json::object* one = (*list)[i].if_object();
    auto alert = one == nullptr ? Result<InboundAlert>(Error(Errc::invalid, "it is no object")) : read_alert(*one, context);
    if (!alert) return std::move(alert).error().with_context("alert " + std::to_string(i + 1));
    out.alerts.push_back(*std::move(alert));
  }
  return out;
}

Result<InboundBatch> parse_event(const std::string& body, const InboundContext& context) {
  RONDA_TRY(const Body event, Body::parse(body, {"alert", "status", "level", "text", "service", "for"}));
  RONDA_TRY(const std::string key, event.text("alert", most_name));
  RONDA_TRY(const std::string status, event.text("status", most_name));
  RONDA_TRY(const Level level, event.level("level"));
  RONDA_TRY(const std::string text, event.text("text", std::size_t{4} << 10));
  RONDA_TRY(const std::string service, event.text("service", most_name));
  RONDA_TRY(const std::int64_t lasts, event.duration_ns("for"));
  if (trim(key).empty()) return Error(Errc::invalid, "`alert` names what fires, always by the same word");
  if (status != "firing" && status != "resolved") return Error(Errc::invalid, "`status` must be firing or resolved");
  if (!service.empty() && service_of(service, context).empty()) return Error(Errc::invalid, "`service`: none is named so in conf.d");
  InboundAlert alert;
  alert.name = own_name(context, key);
  alert.check = alert.name;
  alert.service = service;
  if (status == "firing") alert.level = level == Level::none ? Level::p3 : level;
  const std::string name = line_of(key, most_name), said = line_of(text, most_reason);
  alert.reason = repair_utf8(said.empty() ? name : name + ": " + said, most_reason);
  if (status == "firing" && lasts > 0) alert.until_ns = context.now_ns + std::min(lasts, repeated_within_ns);
  InboundBatch out;
  out.source = "event";
  out.alerts.push_back(std::move(alert));
  return out;
}

}  // namespace ronda::api
