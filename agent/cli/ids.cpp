// SPDX-License-Identifier: Apache-2.0
#include "cli/ids.hpp"

#include <algorithm>
#include <iostream>

#include "base/text.hpp"
#include "cli/incident_text.hpp"
#include "incident/event.hpp"

namespace ronda::cli {
namespace {

constexpr std::size_t least_characters = 3, most_shown = 10;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

/// "  INC-20261129-K7Q2M4XD0A  open p1: the till is slow"
std::string shown(const json::object& one) {
  std::string out = "\n  " + text_of(one, "id");
  std::string words = text_of(one, "stage");
  if (const std::string level = text_of(one, "level"); !level.empty()) words += (words.empty() ? "" : " ") + level;
  for (const char* key : {"headline", "title", "what", "reason", "oncall"}) {
    const std::string text = text_of(one, key);
    if (text.empty()) continue;
    words += (words.empty() ? "" : ": ") + text.substr(0, text.find('\n'));
    break;
  }
  return words.empty() ? out : out + "  " + words;
}

int several(const Options& options, std::string_view what, const std::string& typed, const std::vector<std::string>& meant,
            const json::array& all) {
  std::string text = "\"" + escape_controls(typed) + "\" may be any of " + std::to_string(meant.size()) + " " + std::string(what) +
                     "; say more of the one that you mean:";
  std::size_t count = 0;
  for (const json::value& one : all) {
    if (!one.is_object() || std::ranges::find(meant, text_of(one.get_object(), "id")) == meant.end()) continue;
    if (++count <= most_shown) text += shown(one.get_object());
  }
  if (count > most_shown) text += "\n  ... and " + std::to_string(count - most_shown) + " more";
  if (options.json)
    std::cout << json::serialize(json::object{{"error", text}, {"ids", json::array(meant.begin(), meant.end())}}) << "\n";
  else
    complain(text);
  return exit_usage;
}

}  // namespace

std::vector<std::string> ids_meant(std::string_view typed, std::span<const std::string> ids) {
  const std::string wanted = upper(trim(typed));
  std::vector<std::string> out;
  for (const std::string& id : ids) {
    const std::string own = upper(id);
    if (own == wanted) return {id};
    const std::string_view last = std::string_view(own).substr(own.rfind('-') + 1);  // npos + 1: all of it
    if (wanted.size() < least_characters) continue;
    if (own.starts_with(wanted) || last.starts_with(wanted) || last.ends_with(wanted)) out.push_back(id);
  }
  return out;
}

Result<std::string, int> whole_id(const Options& options, std::string_view target, std::string_view what, const std::string& typed) {
  const auto answer = ask_json(options, "GET", target);
  if (!answer) return answer.error();
  std::vector<std::string> ids;
  const json::array none;
  const json::array& all = answer->value.is_array() ? answer->value.get_array() : none;
  for (const json::value& one : all) {
    if (one.is_object()) ids.push_back(text_of(one.get_object(), "id"));
  }
  auto meant = ids_meant(typed, ids);
  if (meant.size() > 1) return several(options, what, typed, meant, all);
  return meant.empty() ? typed : std::move(meant.front());
}

bool is_whole_incident_id(std::string_view typed) {
  return incident::is_id(upper(trim(typed)));
}

Result<std::string, int> whole_incident_id(const Options& options, const std::string& typed) {
  if (is_whole_incident_id(typed)) return upper(trim(typed));
  return whole_id(options, "/v1/incidents?all=1", "incidents", typed);
}

std::string level_typed(std::string text) {
  if (text.size() == 2 && text[0] == 'P' && text[1] >= '1' && text[1] <= '4') text[0] = 'p';
  return text;
}

}  // namespace ronda::cli
