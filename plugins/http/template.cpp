// SPDX-License-Identifier: Apache-2.0
#include "template.hpp"

#include <algorithm>
#include <cstdio>

namespace http {
namespace {

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::string json_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    char code[8];
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (is_control(c))
      out.append(code, static_cast<std::size_t>(std::snprintf(code, sizeof code, "\\u%04x", c)));
    else
      out += c;
  }
  return out;
}

ronda::reply<std::string> escaped(std::string_view name, const std::string& value, Place place) {
  switch (place) {
    case Place::url:
    case Place::form: return percent_encoded(value);
    case Place::json: return json_escaped(value);
    case Place::text: return value;
    case Place::header: break;
  }
  if (std::any_of(value.begin(), value.end(), is_control))
    return ronda::reply<std::string>::failed(
        RONDA_E_INVALID, ronda::text("the value of {{", name, "}} holds a control character and cannot stand in a header"));
  return value;
}

/// Calls on_text for what stands between the places and on_name for each name; both return an error or "".
template <class OnText, class OnName>
std::string walk(std::string_view pattern, OnText on_text, OnName on_name) {
  while (!pattern.empty()) {
    const auto open = pattern.find("{{");
    on_text(pattern.substr(0, open));
    if (open == pattern.npos) break;
    const auto close = pattern.find("}}", open);
    if (close == pattern.npos) return "'{{' is not closed by '}}'";
    const auto name = pattern.substr(open + 2, close - open - 2);
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_word))
      return ronda::text("'{{", name, "}}': a name has letters, digits and '_' only");
    if (auto error = on_name(name); !error.empty()) return error;
    pattern.remove_prefix(close + 2);
  }
  return {};
}

}  // namespace

ronda::reply<std::vector<std::string>> names_in(std::string_view pattern) {
  std::vector<std::string> names;
  const auto error = walk(
      pattern, [](std::string_view) {},
      [&](std::string_view name) {
        names.emplace_back(name);
        return std::string();
      });
  if (!error.empty()) return ronda::reply<std::vector<std::string>>::failed(RONDA_E_INVALID, error);
  return names;
}

ronda::reply<std::string> fill(std::string_view pattern, const Values& values, Place place) {
  std::string out;
  const auto error = walk(
      pattern, [&](std::string_view text) { out += text; },
      [&](std::string_view name) {
        const auto value = values.find(name);
        if (value == values.end()) return ronda::text("{{", name, "}} has no value yet");
        auto safe = escaped(name, value->second, place);
        if (safe) out += *safe;
        return safe.error();
      });
  if (!error.empty()) return ronda::reply<std::string>::failed(RONDA_E_INVALID, error);
  return out;
}

Place place_of_body(std::string_view content_type, std::string_view body) {
  if (content_type.find("json") != content_type.npos) return Place::json;
  if (content_type.find("x-www-form-urlencoded") != content_type.npos) return Place::form;
  if (!content_type.empty()) return Place::text;
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != body.npos && (body[first] == '{' || body[first] == '[') && body.substr(first, 2) != "{{"
             ? Place::json
             : Place::form;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    char code[4];
    if (is_word(c) || c == '-' || c == '.' || c == '~')
      out += c;
    else
      out.append(code, static_cast<std::size_t>(
                           std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(c))));
  }
  return out;
}

}  // namespace http
