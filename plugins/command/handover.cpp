// SPDX-License-Identifier: Apache-2.0
#include "handover.hpp"

#include <algorithm>

#include "outgoing/shown.hpp"

namespace command {
namespace {

std::string variable_name(std::string_view field) {
  std::string name = "RONDA_FIELD_";
  for (const char c : field.substr(0, 64)) {
    const bool is_lower = c >= 'a' && c <= 'z', may_stand = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += is_lower ? static_cast<char>(c - 'a' + 'A') : may_stand ? c : '_';
  }
  return name;
}

std::string value(std::string_view text) {
  return shown::cut(text.substr(0, text.find('\0')), max_value_bytes);
}

}  // namespace

std::string as_text(const ronda::message& message) {
  std::string out(message.title());
  if (!out.empty() && !message.body().empty()) out += "\n\n";
  out += message.body();
  return out.empty() || out.back() == '\n' ? out : out + "\n";
}

std::string as_json(const ronda::message& message) {
  std::string out = "{\"id\":" + shown::quoted(message.id()) + ",\"attempt\":" + std::to_string(message.attempt());
  const auto member = [&](const char* name, std::string_view text) { out += ",\"" + std::string(name) + "\":" + shown::quoted(text); };
  member("to", message.to());
  member("level", message.level());
  member("event", message.event());
  member("incident", message.incident());
  member("title", message.title());
  member("body", message.body());
  out += ",\"fields\":{";
  for (std::size_t i = 0; i < std::min(message.field_count(), max_fields); ++i) {
    const auto [name, text] = message.field(i);
    out += (i > 0 ? "," : "") + shown::quoted(name) + ":" + shown::quoted(text);
  }
  return out + "}}\n";
}

std::vector<std::pair<std::string, std::string>> as_environment(const ronda::message& message) {
  std::vector<std::pair<std::string, std::string>> out = {{"RONDA_MESSAGE_ID", value(message.id())},
                                                          {"RONDA_ATTEMPT", std::to_string(message.attempt())},
                                                          {"RONDA_TO", value(message.to())},
                                                          {"RONDA_TITLE", value(message.title())},
                                                          {"RONDA_LEVEL", value(message.level())},
                                                          {"RONDA_EVENT", value(message.event())},
                                                          {"RONDA_INCIDENT", value(message.incident())}};
  for (std::size_t i = 0; i < std::min(message.field_count(), max_fields); ++i) {
    const auto [field, text] = message.field(i);
    auto name = variable_name(field);
    if (std::any_of(out.begin(), out.end(), [&](const auto& known) { return known.first == name; })) continue;
    out.emplace_back(std::move(name), value(text));
  }
  return out;
}

}  // namespace command
