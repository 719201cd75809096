// SPDX-License-Identifier: Apache-2.0
#include "incident/ical_lines.hpp"

#include <algorithm>

namespace ronda::people {
namespace {

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// The first of `ends` in `text` that stands in no quotes.
std::size_t find_outside_quotes(std::string_view text, std::string_view ends) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') is_quoted = !is_quoted;
    if (!is_quoted && ends.find(text[i]) != std::string_view::npos) return i;
  }
  return std::string_view::npos;
}

ContentLine take_apart(std::string_view line, std::uint32_t number) {
  ContentLine out;
  out.number = number;
  const std::size_t colon = find_outside_quotes(line, ":");
  if (colon == std::string_view::npos) {
    out.name = line;
    return out;
  }
  out.value = line.substr(colon + 1);
  std::string_view head = line.substr(0, colon);
  std::size_t end = find_outside_quotes(head, ";");
  out.name = upper_case(head.substr(0, end));
  while (end != std::string_view::npos) {
    head.remove_prefix(end + 1);
    end = find_outside_quotes(head, ";");
    const std::string_view one = head.substr(0, end);
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) continue;
    std::string value(one.substr(equals + 1));
    std::erase(value, '"');
    out.parameters.emplace_back(upper_case(one.substr(0, equals)), std::move(value));
  }
  return out;
}

}  // namespace

std::string upper_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), upper);
  return out;
}

std::string_view ContentLine::parameter(std::string_view key) const {
  const auto found = std::ranges::find(parameters, key, &std::pair<std::string, std::string>::first);
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view LineReader::take_physical() {
  ++number_;
  const std::size_t end = rest_.find('\n');
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<ContentLine> LineReader::next() {
  while (!rest_.empty()) {
    std::string line(take_physical());
    const std::uint32_t number = number_;
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) line += take_physical().substr(1);
    if (!line.empty()) return take_apart(line, number);
  }
  return {};
}

std::string unescape_text(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      out += value[i];
      continue;
    }
    const char c = value[++i];
    out += c == 'n' || c == 'N' ? '\n' : c;
  }
  return out;
}

}  // namespace ronda::people
