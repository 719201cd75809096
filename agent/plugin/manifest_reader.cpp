// SPDX-License-Identifier: Apache-2.0
#include "plugin/manifest_reader.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace ronda::plugin {

const config::Value* ManifestReader::find(std::string_view key) {
  known_.push_back(key);
  const auto found = std::ranges::find(table_, key, &config::Member::key);
  return found == table_.end() ? nullptr : &found->value;
}

std::optional<std::string> ManifestReader::text(std::string_view key) {
  const config::Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->as_string() != nullptr) return *value->as_string();
  error(value->place(), "'" + std::string(key) + "' must be text, got " + std::string(value->type_name()));
  return std::nullopt;
}

std::string ManifestReader::text_or(std::string_view key, std::string_view fallback) {
  return text(key).value_or(std::string(fallback));
}

std::string ManifestReader::required_text(std::string_view key) {
  const std::size_t before = diagnostics_.errors();
  auto found = text(key);
  if (found && !found->empty()) return *found;
  if (diagnostics_.errors() == before) error(place_, "'" + std::string(key) + "' is missing");
  return {};
}

bool ManifestReader::flag(std::string_view key) {
  const config::Value* value = find(key);
  if (value == nullptr) return false;
  if (value->as_bool() != nullptr) return *value->as_bool();
  error(value->place(),
        "'" + std::string(key) + "' must be true or false, got " + std::string(value->type_name()));
  return false;
}

std::optional<std::int64_t> ManifestReader::integer(std::string_view key, std::int64_t least,
                                                    std::int64_t most) {
  const config::Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::int64_t* number = value->as_int();
  if (number != nullptr && *number >= least && *number <= most) return *number;
  error(value->place(), "'" + std::string(key) + "' must be an integer from " + std::to_string(least) + " to " +
                            std::to_string(most));
  return std::nullopt;
}

std::vector<std::string> ManifestReader::texts(std::string_view key) {
  const config::Value* value = find(key);
  if (value == nullptr) return {};
  std::vector<std::string> out;
  const config::List* list = value->as_list();
  bool sound = list != nullptr;
  for (std::size_t i = 0; sound && i < list->size(); ++i) {
    sound = (*list)[i].as_string() != nullptr;
    if (sound) out.push_back(*(*list)[i].as_string());
  }
  if (!sound) error(value->place(), "'" + std::string(key) + "' must be a list of texts");
  return out;
}

const config::Table* ManifestReader::table(std::string_view key) {
  const config::Value* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->as_table() == nullptr) {
    error(value->place(),
          "'" + std::string(key) + "' must be a table, got " + std::string(value->type_name()));
  }
  return value->as_table();
}

void ManifestReader::finish() {
  for (const config::Member& member : table_) {
    if (std::ranges::find(known_, member.key) != known_.end()) continue;
    std::string message = name_ + ": unknown key '" + escape_controls(member.key) + "'";
    const std::string_view meant = nearest(member.key, known_);
    if (!meant.empty()) message += "; did you mean '" + std::string(meant) + "'?";
    diagnostics_.warning(member.key_place, std::move(message));
  }
}

}  // namespace ronda::plugin
