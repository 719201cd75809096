// SPDX-License-Identifier: Apache-2.0
#include "plugin/option_value.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "plugin/option_regex.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t max_items_ever = 10'000;

/// A value against the type of an option inside its first `level` wrappers.
std::optional<OptionNode> check_level(const Option& option, std::size_t level, const config::Value& value, const std::string& name,
                                      CheckContext& context);

std::string wanted(const Option& option) {
  if (option.wrappers.empty()) return std::string(expectation(option.type));
  return option.wrappers.front() == Wrapper::list ? "a list" : "a table";
}

/// Limits on the number of entries speak of the outermost list or table; the cap holds for all.
bool check_count(const Option& option, std::size_t level, const config::Value& value, std::size_t count, const std::string& name,
                 CheckContext& context) {
  const auto have = static_cast<std::int64_t>(count);
  std::string limit;
  if (level == 0 && option.min_items && have < *option.min_items) limit = "at least " + std::to_string(*option.min_items);
  if (level == 0 && option.max_items && have > *option.max_items) limit = "at most " + std::to_string(*option.max_items);
  if (count > max_items_ever) limit = "at most " + std::to_string(max_items_ever);
  if (limit.empty()) return true;
  context.diagnostics.error(value.place(),
                            "'" + name + "' has " + std::to_string(count) + (count == 1 ? " entry" : " entries") + "; it needs " + limit);
  return false;
}

std::nullopt_t wrong_shape(const config::Value& value, const std::string& name, std::string_view shape, CheckContext& context) {
  context.diagnostics.error(value.place(), "'" + name + "' must be " + std::string(shape) + ", got " + std::string(value.type_name()));
  return std::nullopt;
}

std::optional<OptionNode> check_list(const Option& option, std::size_t level, const config::Value& value, const std::string& name,
                                     CheckContext& context) {
  const config::List* list = value.as_list();
  if (list == nullptr && option.single && level == 0) {
    auto only = check_level(option, level + 1, value, name, context);
    if (!only || !check_first(option, value, *only, name, context)) return std::nullopt;
    return OptionNode(OptionList{*std::move(only)});
  }
  if (list == nullptr) return wrong_shape(value, name, "a list", context);
  bool sound = check_count(option, level, value, list->size(), name, context);
  OptionList out;
  for (std::size_t i = 0; i < list->size() && i < max_items_ever; ++i) {
    const std::string item_name = name + "[" + std::to_string(i) + "]";
    auto item = check_level(option, level + 1, (*list)[i], item_name, context);
    sound = sound && item.has_value();
    if (i == 0 && item && !check_first(option, (*list)[i], *item, item_name, context)) sound = false;
    if (item) out.push_back(*std::move(item));
  }
  if (!sound) return std::nullopt;
  return OptionNode(std::move(out));
}

/// `key_pattern` speaks of the outermost table.
bool check_free_key(const Option& option, std::size_t level, const config::Member& member, const std::string& name, CheckContext& context) {
  const TextRule& rule = option.key_rule;
  if (level > 0 || rule.pattern.empty()) return true;
  const bool has_nul = member.key.find('\0') != std::string::npos;  // regexec would not look behind it
  if (!has_nul && regex_matches(rule.pattern, member.key)) return true;
  const std::string what = rule.message.empty() ? " does not match the pattern " + rule.pattern : ": " + rule.message;
  context.diagnostics.error(member.key_place, "key " + shown_text(member.key) + " of '" + name + "'" + what);
  return false;
}

std::optional<OptionNode> check_open_table(const Option& option, std::size_t level, const config::Value& value, const std::string& name,
                                           CheckContext& context) {
  const config::Table* table = value.as_table();
  if (table == nullptr) return wrong_shape(value, name, "a table", context);
  bool sound = check_count(option, level, value, table->size(), name, context);
  OptionTable out;
  for (const config::Member& member : *table) {
    if (!check_free_key(option, level, member, name, context)) sound = false;
    auto item = check_level(option, level + 1, member.value, name + "." + escape_controls(member.key), context);
    sound = sound && item.has_value();
    if (item) out.push_back({member.key, *std::move(item)});
  }
  if (!sound) return std::nullopt;
  return OptionNode(std::move(out));
}

/// The option that a key of conf.d speaks of, by its name or an old one.
const Option* find_by_any_name(const std::vector<Option>& options, std::string_view key) {
  if (const Option* option = find_option(options, key)) return option;
  const auto old = std::ranges::find_if(
      options, [&](const Option& option) { return std::ranges::find(option.renamed_from, key) != option.renamed_from.end(); });
  return old == options.end() ? nullptr : &*old;
}

/// The member that gives the key of a table, by its name or an old one.
const config::Member* given_as(const Option& table, const std::string& key, const config::Table& given) {
  const Option* option = find_option(table.keys, key);
  const auto found =
      std::ranges::find_if(given, [&](const config::Member& member) { return find_by_any_name(table.keys, member.key) == option; });
  return option == nullptr || found == given.end() ? nullptr : &*found;
}

bool check_one_of(const Option& option, const config::Table& given, config::Place place, const std::string& name, CheckContext& context) {
  if (option.one_of.empty()) return true;
  std::string keys;
  std::size_t count = 0;
  for (const std::string& key : option.one_of) {
    keys += (keys.empty() ? "" : ", ") + key;
    const config::Member* member = given_as(option, key, given);
    if (member == nullptr) continue;
    if (++count == 2) place = member->key_place;  // the one that is too many
  }
  if (count == 1) return true;
  context.diagnostics.error(place,
                            "'" + name + "' has " + (count == 0 ? "none" : std::to_string(count)) + " of " + keys + "; give exactly one");
  return false;
}

std::optional<OptionNode> check_closed_table(const Option& option, const config::Value& value, const std::string& name,
                                             CheckContext& context) {
  const config::Table* table = value.as_table();
  if (table == nullptr) return wrong_shape(value, name, "a table", context);
  const bool one = check_one_of(option, *table, value.place(), name, context);
  auto out = check_table({option.keys, *table, value.place(), name + ".", false}, context);
  if (!out || !one) return std::nullopt;
  return OptionNode(*std::move(out));
}

std::optional<OptionNode> check_level(const Option& option, std::size_t level, const config::Value& value, const std::string& name,
                                      CheckContext& context) {
  if (level < option.wrappers.size()) {
    return option.wrappers[level] == Wrapper::list ? check_list(option, level, value, name, context)
                                                   : check_open_table(option, level, value, name, context);
  }
  if (option.type == OptionType::table) return check_closed_table(option, value, name, context);
  return check_scalar(option, value, name, context);
}

void report_unknown(const TableCheck& table, const config::Member& member, CheckContext& context) {
  std::vector<std::string_view> names;
  for (const Option& option : table.options) names.push_back(option.key);
  if (table.has_core_keys) names.insert(names.end(), core_keys().begin(), core_keys().end());
  std::string message = "unknown key '" + table.prefix + escape_controls(member.key) + "'";
  const std::string_view meant = nearest(member.key, names);
  if (!meant.empty()) message += "; did you mean '" + table.prefix + std::string(meant) + "'?";
  context.diagnostics.error(member.key_place, std::move(message));
}

/// Which member of conf.d gives which option; reports unknown keys, old names and a key given twice.
class Given {
 public:
  Given(const TableCheck& table, CheckContext& context) : members_(table.options.size(), nullptr) {
    for (const config::Member& member : table.given) {
      if (table.has_core_keys && is_core_key(member.key)) continue;
      const Option* option = find_by_any_name(table.options, member.key);
      if (option == nullptr) {
        report_unknown(table, member, context);
        sound_ = false;
        continue;
      }
      take(table, *option, member, context);
    }
  }

  const config::Member* of(std::size_t index) const { return members_[index]; }
  bool sound() const { return sound_; }

 private:
  void take(const TableCheck& table, const Option& option, const config::Member& member, CheckContext& context) {
    const std::string name = "'" + table.prefix + member.key + "'";
    if (member.key != option.key) {
      context.diagnostics.warning(member.key_place, name + " is now called '" + table.prefix + option.key + "'");
    }
    if (!option.deprecated.empty()) context.diagnostics.warning(member.key_place, name + " is deprecated: " + option.deprecated);
    const config::Member*& slot = members_[static_cast<std::size_t>(&option - table.options.data())];
    if (slot != nullptr) {
      context.diagnostics.error(member.key_place, name + " says the same as '" + table.prefix + slot->key + "' in line " +
                                                      std::to_string(slot->key_place.line) + "; keep one of them");
      sound_ = false;
      return;
    }
    slot = &member;
  }

  std::vector<const config::Member*> members_;
  bool sound_ = true;
};

/// What an option is when conf.d does not give it. Sets `sound` to false when it had to be given.
std::optional<OptionNode> absent_value(const Option& option, const TableCheck& table, CheckContext& context, bool& sound) {
  if (option.required) {
    context.diagnostics.error(table.place, "'" + table.prefix + option.key + "' is missing; it must be " + wanted(option));
    sound = false;
    return std::nullopt;
  }
  if (option.fallback) return option.fallback;
  if (option.type != OptionType::table || !option.wrappers.empty()) return std::nullopt;
  // an absent table counts as {} so that the defaults of its keys hold, unless a key must be given
  if (!option.one_of.empty() || std::ranges::any_of(option.keys, &Option::required)) return std::nullopt;
  auto inner = check_table({option.keys, {}, table.place, table.prefix + option.key + ".", false}, context);
  return inner ? std::optional(OptionNode(*std::move(inner))) : std::nullopt;
}

}  // namespace

const std::vector<std::string_view>& core_keys() {
  static const std::vector<std::string_view> keys = {"use",     "every",   "at",      "cron",       "tz",        "timeout", "after",
                                                     "warn",    "crit",    "user",    "tags",       "for",       "enabled", "severity",
                                                     "service", "runbook", "retry",   "locks",      "detached",  "params",  "scope",
                                                     "overlap", "window",  "changes", "idempotent", "reporters", "title",   "ronda"};
  return keys;
}

bool is_core_key(std::string_view key) {
  return std::ranges::find(core_keys(), key) != core_keys().end();
}

std::optional<OptionNode> check_value(const Option& option, const config::Value& value, const std::string& name, CheckContext& context) {
  return check_level(option, 0, value, name, context);
}

std::optional<OptionTable> check_table(const TableCheck& table, CheckContext& context) {
  const Given given(table, context);
  bool sound = given.sound();
  OptionTable out;
  for (std::size_t i = 0; i < table.options.size(); ++i) {
    const Option& option = table.options[i];
    const config::Member* member = given.of(i);
    std::optional<OptionNode> node;
    if (member != nullptr) {
      node = check_value(option, member->value, table.prefix + option.key, context);
      sound = sound && node.has_value();
    } else {
      node = absent_value(option, table, context, sound);
    }
    if (node) out.push_back({option.key, *std::move(node)});
  }
  if (!sound) return std::nullopt;
  return out;
}

}  // namespace ronda::plugin
