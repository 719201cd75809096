// SPDX-License-Identifier: Apache-2.0
#include "cli/plugin_trial.hpp"

#include <algorithm>
#include <array>

#include "config/toml.hpp"
#include "plugin/option_value.hpp"

namespace ronda::cli {
namespace {

using plugin::Option;
using plugin::OptionType;

/// In the order of OptionType, as TOML.
constexpr std::array<std::string_view, 19> harmless = {"true",
                                                       "1",
                                                       "1.0",
                                                       "\"x\"",
                                                       "\"x\"",
                                                       "\"1s\"",
                                                       "\"1MiB\"",
                                                       "\"50%\"",
                                                       "\"/nonexistent/ronda\"",
                                                       "\"http://127.0.0.1:9/\"",
                                                       "\"127.0.0.1\"",
                                                       "9",
                                                       "\"x\"",
                                                       "\"0 * * * *\"",
                                                       "\"*-*-* *:00\"",
                                                       "\"2026-01-01T00:00:00Z\"",
                                                       "\"x\"",
                                                       "\"x\"",
                                                       "{}"};

bool fits(const Option& option, const std::string& toml) {
  config::Diagnostics ignored;
  const auto table = config::parse_toml("x = " + toml + "\n", 0, ignored);
  if (!table || table->empty()) return false;
  const plugin::TextJudges judges;
  plugin::CheckContext context{ignored, judges};
  return plugin::check_value(option, table->front().value, option.key, context).has_value();
}

std::string value_for(const Option& option);

/// "{ path = \"x\" }": what is required of a table.
std::string table_for(const Option& table) {
  std::string out;
  for (const Option& key : table.keys) {
    const bool chosen = !table.one_of.empty() && key.key == table.one_of.front();
    if (key.required || chosen) out += (out.empty() ? "" : ", ") + key.key + " = " + value_for(key);
  }
  return out.empty() ? "{}" : "{ " + out + " }";
}

std::string wrapped(const Option& option, std::string value) {
  for (auto wrapper = option.wrappers.rbegin(); wrapper != option.wrappers.rend(); ++wrapper)
    value = *wrapper == plugin::Wrapper::list ? "[" + value + "]" : "{ x = " + value + " }";
  return value;
}

std::string value_for(const Option& option) {
  const OptionType type = option.forms.empty() ? option.type : option.forms.front();
  const std::string value = wrapped(option, !option.choice_texts.empty() ? option.choice_texts.front()
                                            : type == OptionType::table  ? table_for(option)
                                                                         : std::string(harmless[static_cast<std::size_t>(type)]));
  const bool ours_fits = fits(option, value);
  if (option.type == OptionType::path && ours_fits) return value;
  if (!option.example_text.empty()) return option.example_text;
  if (ours_fits) return value;
  // a pattern or a form may want what another type's value gives
  for (const std::string_view other : harmless)
    if (const std::string text = wrapped(option, std::string(other)); fits(option, text)) return text;
  return value;
}

bool is_given(const std::vector<std::string>& settings, const std::string& key) {
  return std::ranges::any_of(settings,
                             [&](const std::string& setting) { return setting.starts_with(key + "=") || setting.starts_with(key + "."); });
}

void add_required(const std::vector<Option>& options, const std::string& prefix, std::vector<std::string>& settings) {
  for (const Option& option : options) {
    const std::string key = prefix + option.key;
    const bool plain_table = option.type == OptionType::table && option.wrappers.empty();
    if (option.required && !is_given(settings, key))
      settings.push_back(key + "=" + value_for(option));
    else if (plain_table && is_given(settings, key))
      add_required(option.keys, key + ".", settings);
  }
}

}  // namespace

std::vector<std::string> trial_settings(const plugin::Procedure& procedure, std::vector<std::string> given) {
  add_required(procedure.options, "", given);
  for (const plugin::Rule& rule : procedure.rules) {
    const std::vector<std::string>& keys = rule.one_of.empty() ? rule.any_of : rule.one_of;
    const bool met = keys.empty() || std::ranges::any_of(keys, [&](const std::string& key) { return is_given(given, key); });
    const Option* option = met ? nullptr : plugin::find_option(procedure.options, keys.front());
    if (option != nullptr) given.push_back(option->key + "=" + value_for(*option));
  }
  return given;
}

}  // namespace ronda::cli
