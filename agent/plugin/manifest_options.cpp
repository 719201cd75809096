// SPDX-License-Identifier: Apache-2.0
#include "plugin/manifest_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "plugin/option_regex.hpp"
#include "plugin/option_value.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t max_options = 200;
constexpr std::size_t max_depth = 4;

bool is_option_key(std::string_view key) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !key.empty() && key.size() <= 64 && letter(key[0]) &&
         std::ranges::all_of(key, [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::string toml_key(std::string_view key) {
  return is_object_name(key) ? std::string(key) : toml_text(config::Value(std::string(key), {}));
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + '"';
}

void parse_type(ManifestReader& reader, Option& option) {
  const std::string text = reader.required_text("type");
  if (text.empty()) return;
  if (const auto type = parse_type_name(text)) {
    option.type = type->type;
    option.wrappers = type->wrappers;
    return;
  }
  std::string message = "there is no type '" + escape_controls(text) + "'";
  const std::string_view meant = nearest(text, type_names());
  if (!meant.empty()) message += "; did you mean '" + std::string(meant) + "'?";
  reader.error(reader.find("type")->place(), message);
}

/// The innermost type alone: what `min`, `max` and `choices` speak of.
Option plain_type(const Option& option) {
  Option plain;
  plain.key = option.key;
  plain.type = option.type;
  return plain;
}

std::optional<OptionNode> parse_limit(ManifestReader& reader, const Option& option, std::string_view key) {
  const config::Value* value = reader.find(key);
  if (value == nullptr) return std::nullopt;
  if (!is_number(option.type) && !is_text(option.type)) {
    reader.error(value->place(), "'" + std::string(key) + "' means nothing for type " + std::string(type_name(option.type)));
    return std::nullopt;
  }
  Option plain = plain_type(option);
  if (is_text(option.type)) plain.type = OptionType::integer;
  const TextJudges judges;
  CheckContext context{reader.diagnostics(), judges};
  return check_scalar(plain, *value, option.key + "." + std::string(key), context);
}

void parse_choices(ManifestReader& reader, Option& option) {
  const config::Value* value = reader.find("choices");
  if (value == nullptr) {
    if (option.type == OptionType::enumeration) reader.error(reader.place(), "an enum needs 'choices'");
    return;
  }
  const bool fitting = is_text(option.type) || option.type == OptionType::integer;
  const config::List* list = value->as_list();
  if (list == nullptr || list->empty() || !fitting) {
    reader.error(value->place(), "'choices' is a list of values, for text and int only");
    return;
  }
  const TextJudges judges;
  CheckContext context{reader.diagnostics(), judges};
  for (const config::Value& choice : *list) {
    auto node = check_scalar(plain_type(option), choice, option.key + ".choices", context);
    if (!node) continue;
    option.choices.push_back(*std::move(node));
    option.choice_texts.push_back(toml_text(choice));
  }
}

/// `word` is "pattern", "first_pattern" ...; what is said in its place is `said_word`.
TextRule parse_rule(ManifestReader& reader, std::string_view word, std::string_view said_word, bool fits, std::string_view belongs_to) {
  TextRule rule;
  const config::Value* value = reader.find(word);
  if (value == nullptr) return rule;
  rule.pattern = reader.text_or(word, "");
  rule.message = reader.text_or(said_word, "");
  Status sound = check_regex(rule.pattern);
  if (!fits || rule.pattern.empty()) {
    reader.error(value->place(), "'" + std::string(word) + "' is a regular expression, for " + std::string(belongs_to));
  } else if (!sound) {
    reader.error(value->place(), "'" + std::string(word) + "': " + sound.error().message());
  } else {
    return rule;
  }
  return {};
}

void parse_patterns(ManifestReader& reader, Option& option) {
  const bool text = is_text(option.type);
  const bool plain_list = option.wrappers == std::vector{Wrapper::list};
  const bool open_table = !option.wrappers.empty() && option.wrappers.front() == Wrapper::table;
  const std::array<std::pair<std::string_view, std::string_view>, 2> said = {
      {{"first_pattern", "first_message"}, {"key_pattern", "key_message"}}};
  for (const auto& [word, message] : said)
    if (const config::Value* value = reader.find(message); value != nullptr && reader.find(word) == nullptr)
      reader.error(value->place(), "'" + std::string(message) + "' needs '" + std::string(word) + "'");
  if (const config::Value* value = reader.find("pattern_message");
      value != nullptr && reader.find("pattern") == nullptr && reader.find("any_pattern") == nullptr)
    reader.error(value->place(), "'pattern_message' needs 'pattern' or 'any_pattern'");
  option.pattern = parse_rule(reader, "pattern", "pattern_message", text, "text only");
  if (TextRule any = parse_rule(reader, "any_pattern", "pattern_message", option.type == OptionType::any, "the type any only");
      !any.pattern.empty())
    option.pattern = std::move(any);
  option.first = parse_rule(reader, "first_pattern", "first_message", text && plain_list, "a list of text only");
  option.key_rule = parse_rule(reader, "key_pattern", "key_message", open_table, "\"table of ...\" only");
}

/// Types that a string may be asked to read as.
bool is_form(OptionType type) {
  switch (type) {
    case OptionType::duration:
    case OptionType::bytes:
    case OptionType::percent:
    case OptionType::path:
    case OptionType::url:
    case OptionType::host:
    case OptionType::cron:
    case OptionType::calendar:
    case OptionType::timestamp:
      return true;
    default:
      return false;
  }
}

void parse_forms(ManifestReader& reader, Option& option) {
  const config::Value* value = reader.find("forms");
  if (value == nullptr) return;
  if (option.type != OptionType::string) reader.error(value->place(), "'forms' belong to a string");
  for (const std::string& name : reader.texts("forms")) {
    const auto type = parse_type_name(name);
    if (type && type->wrappers.empty() && is_form(type->type)) {
      option.forms.push_back(type->type);
      continue;
    }
    reader.error(value->place(), "'forms': '" + escape_controls(name) +
                                     "' is none of duration, bytes, percent, path, url, host, cron, calendar, timestamp");
  }
}

/// After the keys: what is named must be one of them.
void parse_one_of(ManifestReader& reader, Option& option) {
  const config::Value* value = reader.find("one_of");
  if (value == nullptr) return;
  option.one_of = reader.texts("one_of");
  if (option.type != OptionType::table || option.one_of.size() < 2)
    reader.error(value->place(), "'one_of' names two or more keys of a table");
  for (const std::string& key : option.one_of) {
    const Option* named = find_option(option.keys, key);
    if (named == nullptr)
      reader.error(value->place(), "'one_of': there is no key '" + escape_controls(key) + "'");
    else if (named->required)
      reader.error(value->place(), "'one_of': the key '" + key + "' is required, so no other could be given");
  }
}

void parse_keys(ManifestReader& reader, Option& option, std::size_t depth) {
  const config::Table* keys = reader.table("keys");
  if (option.type != OptionType::table) {
    if (keys != nullptr) reader.error(reader.place(), "'keys' belong to a table");
    return;
  }
  if (keys == nullptr || keys->empty()) {
    reader.error(reader.place(), "a table needs 'keys'; for free keys write \"table of ...\"");
    return;
  }
  if (depth >= max_depth) {
    reader.error(reader.place(), "tables stand in each other more than 4 deep");
    return;
  }
  option.keys = parse_options(*keys, false, depth + 1, reader.diagnostics());
}

/// Default and example are checked like values of conf.d.
void parse_values(ManifestReader& reader, Option& option) {
  const TextJudges judges;
  CheckContext context{reader.diagnostics(), judges};
  if (const config::Value* value = reader.find("default")) {
    option.default_text = toml_text(*value);
    if (option.required) reader.error(value->place(), "'required' and 'default' exclude each other");
    if (option.type == OptionType::table && option.wrappers.empty())
      reader.error(value->place(), "a table has no default; give its keys theirs");
    if (option.type == OptionType::secret) reader.error(value->place(), "a secret has no default");
    option.fallback = check_value(option, *value, option.key + ".default", context);
  }
  if (const config::Value* value = reader.find("example")) {
    option.example_text = toml_text(*value);
    // an example may show a reference, which no form of text fits
    if (option.example_text.find("${") == std::string::npos)
      static_cast<void>(check_value(option, *value, option.key + ".example", context));
  }
}

void parse_counts(ManifestReader& reader, Option& option) {
  option.single = reader.flag("single");
  option.min_items = reader.integer("min_items", 0, 10'000);
  option.max_items = reader.integer("max_items", 1, 10'000);
  const bool list = !option.wrappers.empty() && option.wrappers.front() == Wrapper::list;
  if (option.single && !list) reader.error(reader.place(), "'single' belongs to a list");
  if ((option.min_items || option.max_items) && option.wrappers.empty())
    reader.error(reader.place(), "'min_items' and 'max_items' belong to lists and to \"table of ...\"");
}

Option parse_option(const config::Member& member, std::size_t depth, config::Diagnostics& diagnostics) {
  Option option;
  option.key = member.key;
  option.place = member.key_place;
  ManifestReader reader(*member.value.as_table(), member.key_place, "option '" + member.key + "'", diagnostics);
  const std::size_t before = diagnostics.errors();
  parse_type(reader, option);
  option.required = reader.flag("required");
  option.advanced = reader.flag("advanced");
  option.unit = reader.text_or("unit", "");
  option.doc = reader.text_or("doc", "");
  option.since = reader.text_or("since", "");
  option.deprecated = reader.text_or("deprecated", "");
  option.no_secret = reader.text_or("no_secret", "");
  option.renamed_from = reader.texts("renamed_from");
  option.min = parse_limit(reader, option, "min");
  option.max = parse_limit(reader, option, "max");
  parse_choices(reader, option);
  parse_patterns(reader, option);
  parse_forms(reader, option);
  parse_counts(reader, option);
  parse_keys(reader, option, depth);
  parse_one_of(reader, option);
  if (option.min && option.max && compare_scalars(*option.min, *option.max) == 1) reader.error(reader.place(), "'min' is above 'max'");
  // what follows is only worth saying when the declaration itself is sound
  if (diagnostics.errors() == before) {
    parse_values(reader, option);
  } else {
    reader.find("default");
    reader.find("example");
  }
  reader.finish();
  return option;
}

bool check_key(const config::Member& member, bool first_level, config::Diagnostics& diagnostics) {
  if (!is_option_key(member.key)) {
    diagnostics.error(member.key_place, "option '" + escape_controls(member.key) + "': a name is [a-z][a-z0-9_]*");
    return false;
  }
  if (first_level && is_core_key(member.key)) {
    diagnostics.error(member.key_place, "option '" + member.key + "': this key belongs to the agent in every object; take another name");
    return false;
  }
  if (member.value.as_table() == nullptr) {
    diagnostics.error(member.value.place(), "option '" + member.key + "' must be a table like { type = \"string\", doc = \"...\" }");
    return false;
  }
  return true;
}

/// Old names must not collide with names in use.
void check_old_names(const std::vector<Option>& options, bool first_level, config::Diagnostics& diagnostics) {
  std::vector<std::string_view> taken;
  for (const Option& option : options) taken.push_back(option.key);
  for (const Option& option : options) {
    for (const std::string& old : option.renamed_from) {
      const bool clash = std::ranges::find(taken, old) != taken.end();
      if (clash || (first_level && is_core_key(old)) || !is_option_key(old))
        diagnostics.error(option.place, "option '" + option.key + "': the old name '" + escape_controls(old) + "' is not free");
      taken.push_back(old);
    }
  }
}

std::string number_text(double value) {
  std::array<char, 32> out{};
  const auto [end, failed] = std::to_chars(out.data(), out.data() + out.size(), value);
  std::string text = failed == std::errc{} ? std::string(out.data(), end) : "0";
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

}  // namespace

std::string toml_text(const config::Value& value) {
  if (value.as_bool() != nullptr) return *value.as_bool() ? "true" : "false";
  if (value.as_int() != nullptr) return std::to_string(*value.as_int());
  if (value.as_float() != nullptr) return number_text(*value.as_float());
  if (value.as_string() != nullptr) return toml_string(*value.as_string());
  std::string out;
  if (value.as_list() != nullptr) {
    for (const config::Value& item : *value.as_list()) out += (out.empty() ? "" : ", ") + toml_text(item);
    return "[" + out + "]";
  }
  if (value.as_table() == nullptr) return "\"\"";
  for (const config::Member& member : *value.as_table())
    out += (out.empty() ? "" : ", ") + toml_key(member.key) + " = " + toml_text(member.value);
  return out.empty() ? "{}" : "{ " + out + " }";
}

std::vector<Option> parse_options(const config::Table& table, bool first_level, std::size_t depth, config::Diagnostics& diagnostics) {
  std::vector<Option> options;
  for (const config::Member& member : table) {
    if (options.size() >= max_options) {
      diagnostics.error(member.key_place, "more than 200 options in one table");
      break;
    }
    if (check_key(member, first_level, diagnostics)) options.push_back(parse_option(member, depth, diagnostics));
  }
  check_old_names(options, first_level, diagnostics);
  return options;
}

}  // namespace ronda::plugin
