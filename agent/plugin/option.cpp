// SPDX-License-Identifier: Apache-2.0
#include "plugin/option.hpp"

#include <algorithm>

namespace ronda::plugin {

const std::vector<std::string_view>& type_names() {
  // in the order of OptionType
  static const std::vector<std::string_view> names = {
      "bool", "int",  "float", "string", "enum",     "duration",  "bytes",  "percent", "path", "url",
      "host", "port", "regex", "cron",   "calendar", "timestamp", "secret", "any",     "table"};
  return names;
}

std::string_view type_name(OptionType type) { return type_names()[static_cast<std::size_t>(type)]; }

std::string type_name(const Option& option) {
  std::string out;
  for (const Wrapper wrapper : option.wrappers) out += wrapper == Wrapper::list ? "list of " : "table of ";
  out += type_name(option.type);
  return out;
}

std::optional<TypeName> parse_type_name(std::string_view text) {
  TypeName out;
  while (true) {
    Wrapper wrapper = Wrapper::list;
    if (text.starts_with("list of ")) {
      text.remove_prefix(8);
    } else if (text.starts_with("table of ")) {
      text.remove_prefix(9);
      wrapper = Wrapper::table;
    } else {
      break;
    }
    out.wrappers.push_back(wrapper);
    if (out.wrappers.size() >= max_type_depth) return std::nullopt;
  }
  const auto found = std::ranges::find(type_names(), text);
  if (found == type_names().end()) return std::nullopt;
  out.type = static_cast<OptionType>(found - type_names().begin());
  return out;
}

bool is_text(OptionType type) {
  switch (type) {
    case OptionType::string:
    case OptionType::enumeration:
    case OptionType::path:
    case OptionType::url:
    case OptionType::host:
    case OptionType::regex:
    case OptionType::cron:
    case OptionType::calendar:
    case OptionType::secret:
      return true;
    default:
      return false;
  }
}

bool is_number(OptionType type) {
  switch (type) {
    case OptionType::integer:
    case OptionType::port:
    case OptionType::real:
    case OptionType::duration:
    case OptionType::bytes:
    case OptionType::percent:
    case OptionType::timestamp:
      return true;
    default:
      return false;
  }
}

const Option* find_option(const std::vector<Option>& options, std::string_view key) {
  const auto found = std::ranges::find(options, key, &Option::key);
  return found == options.end() ? nullptr : &*found;
}

}  // namespace ronda::plugin
