// SPDX-License-Identifier: Apache-2.0
#include "blocks.hpp"

#include <algorithm>

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

/// A URL as a link that shows itself, taken off the text that begins with it; empty: it begins with none. It ends where anything
/// could stand that Slack takes for its own, so no text hides behind another address.
std::string take_link(std::string_view& text) {
  constexpr std::size_t longest_link = 500;
  const std::size_t scheme = text.substr(0, 8) == "https://" ? 8 : text.substr(0, 7) == "http://" ? 7 : 0;
  if (scheme == 0) return {};
  std::size_t end = scheme;
  for (; end < text.size(); ++end) {
    const auto c = text[end];
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || std::string_view("<>|\"`").find(c) != std::string_view::npos) break;
    if (const auto entity = entity_at(text.substr(end)); entity == "&lt;" || entity == "&gt;") break;
  }
  auto rest = text.substr(0, end);
  const bool has_open = rest.find('(') != std::string_view::npos;
  while (rest.size() > scheme &&
         (std::string_view(".,;:!?'*~").find(rest.back()) != std::string_view::npos || (rest.back() == ')' && !has_open))) {
    if (rest.back() == ';' && entity_at(rest.substr(rest.size() - std::min<std::size_t>(rest.size(), 5))) == "&amp;") break;
    rest.remove_suffix(1);
  }
  if (rest.size() == scheme || rest.size() > longest_link) return {};
  text.remove_prefix(rest.size());
  std::string out = "<";
  while (!rest.empty()) out += take_escaped(rest);
  return out + ">";
}

/// The next of what stays whole, a link or a character: Slack makes no links itself (`verbatim`), as it would make mentions too.
std::string take_piece(std::string_view& text) {
  auto link = take_link(text);
  return link.empty() ? take_escaped(text) : link;
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
    const auto next = take_piece(ahead);
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

/// At most so many characters, the last of them "…" when some were cut off.
std::string fitted(std::string_view text, std::size_t most, std::string (*take)(std::string_view&)) {
  std::string out, all_but_last;
  for (std::size_t count = 0; !text.empty();) {
    const auto next = take(text);
    count += characters(next);
    if (count > most) return all_but_last + "…";
    if (count < most) all_but_last = out + next;
    out += next;
  }
  return out;
}

/// Without `verbatim` Slack rings for a plain "@channel" in what a check said.
void write_mrkdwn(JsonWriter& json, std::string_view text) {
  json.object().member("type", "mrkdwn").member("text", text).member("verbatim", true).end_object();
}

void write_section(JsonWriter& json, std::string_view text) {
  json.object().member("type", "section").key("text");
  write_mrkdwn(json, text);
  json.end_object();
}

void write_body(JsonWriter& json, std::string_view body, const std::string& mentions) {
  std::string first = mentions.empty() ? "" : mentions + "\n";
  for (std::size_t i = 0; i < most_sections && !body.empty(); ++i) {
    const auto room = longest_section - characters(first);
    const bool last = i + 1 == most_sections;
    write_section(json, first + (last ? fitted(body, room, take_piece) : take_section(body, room)));
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
  return fitted(text, most, take_escaped);
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
  json.object().member("type", "context").key("elements").array();
  write_mrkdwn(json, context_of(message, host));
  json.end_array().end_object().end_array();
}

}  // namespace slack
