// SPDX-License-Identifier: Apache-2.0
#include "config/toml.hpp"

#include <toml++/toml.h>

#include <algorithm>

#include "base/text.hpp"
#include "config/toml_scan.hpp"

namespace ronda::config {
namespace {

constexpr std::size_t max_string_bytes = 1 << 20;

class Converter {
 public:
  Converter(std::uint32_t file, Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {}

  Table convert(toml::table& from, std::size_t depth) {
    Table table;
    table.reserve(from.size());
    for (auto&& [key, node] : from) {
      const Place place = at(key.source().begin);
      table.push_back({std::string(key.str()), place, convert(node, place, depth)});
    }
    // toml++ sorts by name; people expect messages and listings in the order they wrote
    std::sort(table.begin(), table.end(), [](const Member& a, const Member& b) {
      return std::pair(a.key_place.line, a.key_place.column) <
             std::pair(b.key_place.line, b.key_place.column);
    });
    return table;
  }

 private:
  Place at(const toml::source_position& position) const { return {file_, position.line, position.column}; }

  Value nothing(Place place, std::string message) {
    diagnostics_.error(place, std::move(message));
    return Value({}, place);
  }

  Value convert(toml::node& node, Place key_place, std::size_t depth) {
    Place place = at(node.source().begin);
    if (place.line == 0) place = key_place;
    if (depth >= max_toml_depth) {
      return nothing(place, "nested more than " + std::to_string(max_toml_depth) + " levels deep");
    }
    switch (node.type()) {
      case toml::node_type::table:
        return Value(convert(*node.as_table(), depth + 1), place);
      case toml::node_type::array:
        return Value(convert(*node.as_array(), depth), place);
      case toml::node_type::string:
        return convert(node.as_string()->get(), place);
      case toml::node_type::integer:
        return Value(node.as_integer()->get(), place);
      case toml::node_type::floating_point:
        return Value(node.as_floating_point()->get(), place);
      case toml::node_type::boolean:
        return Value(node.as_boolean()->get(), place);
      default:
        return nothing(place,
                       "dates and times are written as strings, for example \"2026-01-31\" or \"02:30\"");
    }
  }

  List convert(toml::array& from, std::size_t depth) {
    List list;
    list.reserve(from.size());
    for (toml::node& node : from) list.push_back(convert(node, {file_, 0, 0}, depth + 1));
    return list;
  }

  Value convert(std::string& text, Place place) {
    if (text.size() > max_string_bytes) return nothing(place, "a string of more than 1 MiB");
    return Value(std::move(text), place);
  }

  std::uint32_t file_;
  Diagnostics& diagnostics_;
};

/// What usually was meant when toml++ stumbles like this.
std::string_view hint_for(std::string_view description, bool at_line_end) {
  if (description.find("inline table") != std::string_view::npos)
    return "; an inline table stays on one line";
  if (description.find("could not determine value type") != std::string_view::npos) {
    return "; a text stands in quotes";
  }
  if (description.find("unescaped control") != std::string_view::npos && at_line_end) {
    return "; is the closing quote missing?";
  }
  if (description.find("expected '=', saw ':'") != std::string_view::npos) return "; write: key = value";
  return "";
}

/// toml++ says "Error while parsing key-value pair: expected '=', saw '\n'"; the place is said by us.
std::string plain_message(std::string_view description) {
  constexpr std::string_view opening = "Error while parsing ";
  if (description == "Encountered invalid utf-8 sequence") return "not valid UTF-8";
  if (description.starts_with(opening)) description.remove_prefix(description.find(": ") + 2);
  return std::string(description);
}

bool ends_line(std::string_view text, const toml::source_position& place) {
  std::size_t start = 0;
  for (auto line = place.line; line > 1; --line) start = text.find('\n', start) + 1;
  const std::size_t end = std::min(text.find('\n', start), text.size());
  std::size_t characters = 0;
  for (std::size_t i = start; i < end; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) ++characters;
  }
  return place.column > characters;
}

}  // namespace

std::optional<Table> parse_toml(std::string_view text, std::uint32_t file, Diagnostics& diagnostics) {
  if (text.size() > max_toml_bytes) {
    diagnostics.error({file, 0, 0}, "the file is larger than 16 MiB");
    return std::nullopt;
  }
  if (!scan_toml(text, file, diagnostics)) return std::nullopt;
  try {
    toml::table table = toml::parse(text);
    return Converter(file, diagnostics).convert(table, 0);
  } catch (const toml::parse_error& error) {
    const toml::source_position place = error.source().begin;
    diagnostics.error({file, place.line, place.column},
                      plain_message(error.description()) +
                          std::string(hint_for(error.description(), ends_line(text, place))));
  } catch (const std::exception& error) {
    diagnostics.error({file, 0, 0}, std::string("cannot be read as TOML: ") + error.what());
  }
  return std::nullopt;
}

}  // namespace ronda::config
