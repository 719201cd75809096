// SPDX-License-Identifier: Apache-2.0
#include "blocks.hpp"

#include "outgoing/text.hpp"

namespace slack {
namespace {

using outgoing::JsonWriter;

// Slack's own are 150 for a header and 3000 for a section; a body of two sections keeps the answer, which repeats it, readable
constexpr std::size_t longest_header = 150, longest_section = 3000, longest_text = 300, most_sections = 2, longest_context = 600;

std::string_view entity_at(std::string_view text) {
  for (const std::string_view entity : {"&amp;", "&lt;", "&gt;"})
    if (text.substr(0, entity.size()) == entity) return entity;
  return {};
}

/// The next character of the text, taken off it, as it may stand in a text of Slack's.
std::string take_escaped(std::string_view& text) {
  if (const auto entity = entity_at(text); !entity.empty()) {
    text.remove_prefix(entity.size());
    return std::string(entity);
  }
  const auto code = outgoing::take_character(text);
  if (code == '&') return "&amp;";
  if (code == '<') return "&lt;";
  if (code == '>') return "&gt;";
  std::string out;
  outgoing::append_utf8(out, code);
  return out;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) outgoing::take_character(text);
  return count;
}

/// As much of the text as fits, taken off it; whole lines where there are any.
std::string take_section(std::string_view& text, std::size_t most) {
  auto rest = text;
  std::string out;
  std::size_t count = 0, line_end = 0;
  auto after_line = rest;
  while (!rest.empty()) {
    auto ahead = rest;
    const auto next = take_escaped(ahead);
    count += characters(next);
    if (count > most) break;
    out += next;
    rest = ahead;
    if (next == "\n") line_end = out.size(), after_line = rest;
  }
  if (!rest.empty() && line_end > 0) out.resize(line_end), rest = after_line;
  text = rest;
  return out;
}

void write_section(JsonWriter& json, std::string_view text) {
  json.object().member("type", "section").key("text").object().member("type", "mrkdwn").member("text", text).end_object().end_object();
}

void write_body(JsonWriter& json, std::string_view body, const std::string& mentions) {
  std::string first = mentions.empty() ? "" : mentions + "\n";
  for (std::size_t i = 0; i < most_sections && !body.empty(); ++i) {
    const auto room = longest_section - characters(first);
    const bool last = i + 1 == most_sections;
    write_section(json, first + (last ? escaped(body, room) : take_section(body, room)));
    first.clear();
  }
  if (!first.empty()) write_section(json, first);
}

/// "P1 · open · INC-7 · web-1 · message 1f0c · attempt 1"
std::string context_of(const ronda::message& message, const std::string& host) {
  std::string level(message.level()), out;
  if (!level.empty() && level[0] == 'p') level[0] = 'P';
  for (const auto part : {std::string_view(level), message.event(), message.incident(), std::string_view(host)})
    if (!part.empty()) out += (out.empty() ? "" : " · ") + std::string(part);
  out += (out.empty() ? "message " : " · message ") + std::string(message.id()) + " · attempt " + std::to_string(message.attempt());
  return escaped(outgoing::one_line(out, longest_context), longest_context);
}

}  // namespace

std::string escaped(std::string_view text, std::size_t most) {
  std::string out, all_but_last;
  for (std::size_t count = 0; !text.empty();) {
    const auto next = take_escaped(text);
    count += characters(next);
    if (count > most) return all_but_last + "…";
    if (count < most) all_but_last = out + next;
    out += next;
  }
  return out;
}

std::string mentions_of(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    const bool group = name[0] == 'S', user = name[0] == 'U' || name[0] == 'W';
    out += (out.empty() ? "<" : " <") + std::string(user ? "@" : group ? "!subteam^" : "!") + name + ">";
  }
  return out;
}

bool mentions_fit(std::string_view event) {
  return event != "update" && event != "resolve" && event != "test";
}

void write_message(JsonWriter& json, const ronda::message& message, const std::string& mentions, const std::string& host) {
  const auto title = outgoing::one_line(message.title(), longest_text);
  const auto prefix = mentions.empty() ? std::string() : mentions + " ";
  json.member("text", prefix + escaped(title, longest_text)).key("blocks").array();
  if (!title.empty()) {
    json.object().member("type", "header").key("text").object().member("type", "plain_text");
    json.member("text", escaped(title, longest_header)).end_object().end_object();
  }
  write_body(json, message.body(), mentions);
  json.object().member("type", "context").key("elements").array().object().member("type", "mrkdwn");
  json.member("text", context_of(message, host)).end_object().end_array().end_object().end_array();
}

}  // namespace slack
