// SPDX-License-Identifier: Apache-2.0
#include "config/example_names.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace ronda::config {
namespace {

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool stands_in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool is_below(std::string_view name, std::string_view top) {
  return name.size() > top.size() && name.ends_with(top) && name[name.size() - top.size() - 1] == '.';
}

/// Of small letters: "mail.shop.example". The word "example" alone is no name of a host.
bool is_reserved(std::string_view name) {
  while (name.ends_with('.')) name.remove_suffix(1);
  constexpr std::array<std::string_view, 2> tops = {"example", "invalid"};
  constexpr std::array<std::string_view, 3> domains = {"example.com", "example.net", "example.org"};
  return std::ranges::any_of(tops, [&](std::string_view top) { return is_below(name, top); }) ||
         std::ranges::any_of(domains, [&](std::string_view domain) { return name == domain || is_below(name, domain); });
}

}  // namespace

bool names_an_example(std::string_view text) {
  std::string name;
  for (const char raw : text) {
    const char c = small(raw);
    if (stands_in_name(c)) {
      name += c;
      continue;
    }
    if (is_reserved(name)) return true;
    name.clear();
  }
  return is_reserved(name);
}

bool holds_an_example(const Value& value) {
  if (const std::string* text = value.as_string()) return names_an_example(*text);
  if (const List* list = value.as_list()) return std::ranges::any_of(*list, holds_an_example);
  const Table* table = value.as_table();
  return table != nullptr && std::ranges::any_of(*table, [](const Member& one) { return holds_an_example(one.value); });
}

}  // namespace ronda::config
