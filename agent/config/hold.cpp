// SPDX-License-Identifier: Apache-2.0
// `for`: how long, or how often, a level must hold before it counts.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "config/core_keys.hpp"

namespace ronda::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t most_results = 1000;
constexpr std::string_view hold_words = "a duration like \"5m\", or a count like \"3 of 5\"";

bool take_count(std::string_view& text, std::uint16_t& count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// "3 of 5"
bool read_count(std::string_view text, Hold& hold) {
  constexpr std::string_view word = " of ";
  if (!take_count(text, hold.need) || !text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return take_count(text, hold.of) && text.empty();
}

void read_one(Scope& scope, std::string_view key, const Value& value, Level level, std::vector<Hold>& holds) {
  const std::string* text = value.as_string();
  if (text == nullptr) return wrong_type(scope, key, value, hold_words);
  Hold hold;
  hold.level = level;
  if (text->find(" of ") == std::string::npos) {
    const auto time = read_duration(scope, key, value, 0ns);
    if (!time) return;
    hold.time = *time;
  } else if (!read_count(*text, hold) || hold.need == 0 || hold.need > hold.of || hold.of > most_results) {
    return wrong_text(scope, key, value, "\"" + text->substr(0, 64) + "\" is no count like \"3 of 5\"",
                      hold_words);
  }
  holds.push_back(hold);
}

}  // namespace

std::vector<Hold> read_hold(Scope& scope, const Value& value) {
  constexpr std::array<std::string_view, 4> levels = {"p1", "p2", "p3", "p4"};
  std::vector<Hold> holds;
  const Table* table = value.as_table();
  if (table == nullptr) {
    read_one(scope, "for", value, Level::none, holds);
    return holds;
  }
  for (const Member& member : *table) {
    const auto found = std::find(levels.begin(), levels.end(), member.key);
    if (found == levels.end()) {
      scope.error(member.key_place, unknown_key(member.key, levels));
      continue;
    }
    read_one(scope, "for." + member.key, member.value, static_cast<Level>(found - levels.begin() + 1), holds);
  }
  return holds;
}

}  // namespace ronda::config
