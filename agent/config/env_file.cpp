// SPDX-License-Identifier: Apache-2.0
#include "config/env_file.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace ronda::config {
namespace {

/// The value without its quotes; nothing when a quote is not closed or something follows it.
std::optional<std::string> unquote(std::string_view text) {
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return std::string(text);
  const char quote = text[0];
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) return i + 1 == text.size() ? std::optional(out) : std::nullopt;
    const bool escaped =
        quote == '"' && text[i] == '\\' && i + 1 < text.size() && std::string_view("\"\\$`").find(text[i + 1]) != std::string_view::npos;
    if (escaped) ++i;
    out += text[i];
  }
  return std::nullopt;
}

}  // namespace

bool is_variable_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && plain(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return plain(c) || (c >= '0' && c <= '9'); });
}

std::vector<Error> read_env_file(std::string_view text, const std::string& path, Variables& variables) {
  std::vector<Error> wrong;
  constexpr std::size_t most_wrong = 10;
  constexpr std::string_view export_word = "export ";
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line.starts_with(export_word)) line = trim(line.substr(export_word.size()));
    const std::size_t equals = line.find('=');
    const std::string_view name = trim(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_variable_name(name)) {
      wrong.emplace_back(Errc::invalid, "a line must be NAME=VALUE or a comment", Position{path, number, 0});
      if (wrong.size() < most_wrong) continue;
      wrong.emplace_back(Errc::invalid, "the lines after that are not read: this seems to be no such file");
      return wrong;
    }
    auto value = unquote(trim(line.substr(equals + 1)));
    if (!value) {
      // a value of several lines, none of which is a name
      wrong.emplace_back(Errc::invalid,
                         "the quotes around the value of " + std::string(name) + " do not match; the lines after it are not read",
                         Position{path, number, 0});
      return wrong;
    }
    variables.insert_or_assign(std::string(name), *std::move(value));
  }
  return wrong;
}

}  // namespace ronda::config
