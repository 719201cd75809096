// SPDX-License-Identifier: Apache-2.0
// One option as a manifest declares it: type, limits, default, texts. MANIFEST.md is its manual.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/value.hpp"
#include "plugin/options.hpp"

namespace ronda::plugin {

enum class OptionType : std::uint8_t {
  boolean,
  integer,
  real,
  string,
  enumeration,
  duration,
  bytes,
  percent,
  path,
  url,
  host,
  port,
  regex,
  cron,
  calendar,
  timestamp,
  secret,
  any,
  table,
};

/// "list of" and "table of" around the innermost type.
enum class Wrapper : std::uint8_t { list, table };

inline constexpr std::size_t max_type_depth = 4;

/// A POSIX extended regular expression (checked) and what people read where it does not match. Without pattern: no rule.
struct TextRule {
  std::string pattern, message;
  bool operator==(const TextRule&) const = default;
};

struct Option {
  std::string key;
  config::Place place;  // in the manifest
  OptionType type = OptionType::string;
  std::vector<Wrapper> wrappers;  // outermost first

  bool required = false;
  bool advanced = false;
  bool single = false;
  std::optional<OptionNode> fallback;  // the default, as the plugin reads it
  std::string default_text;            // the same as it stands in TOML
  std::string example_text;
  std::optional<OptionNode> min, max;  // int64 or double; of text the length in characters
  std::optional<std::int64_t> min_items, max_items;
  TextRule pattern;                 // of text, and of `any` as it is written
  TextRule first;                   // of the first item of a list of text, besides `pattern`
  TextRule key_rule;                // of the keys of a "table of T"
  std::vector<OptionType> forms;    // of a string: it must read as one of these; empty: any text
  std::string no_secret;            // why no secret may stand in it; empty: one may
  std::vector<std::string> one_of;  // of a table: exactly one of these keys is given
  std::vector<OptionNode> choices;
  std::vector<std::string> choice_texts;
  std::string unit, doc, since, deprecated;
  std::vector<std::string> renamed_from;
  std::vector<Option> keys;
};

/// "list of table of int" and back; nothing for text that is no type.
struct TypeName {
  OptionType type = OptionType::string;
  std::vector<Wrapper> wrappers;
};
std::optional<TypeName> parse_type_name(std::string_view text);
std::string type_name(const Option& option);
std::string_view type_name(OptionType type);
/// Every scalar type and "table": for "did you mean".
const std::vector<std::string_view>& type_names();

/// Text that the plugin reads with get_str, or through ronda.secret/1.
bool is_text(OptionType type);
/// A type whose values have an order: min, max, rules.
bool is_number(OptionType type);

const Option* find_option(const std::vector<Option>& options, std::string_view key);

}  // namespace ronda::plugin
