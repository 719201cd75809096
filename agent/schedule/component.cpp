// SPDX-License-Identifier: Apache-2.0
#include "schedule/component.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace ronda::schedule {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string quoted(std::string_view text) {
  return "\"" + escape_controls(text.substr(0, 40)) + "\"";
}

std::string bounds(const FieldRule& rule) {
  return std::to_string(rule.low) + std::string(rule.range) + std::to_string(rule.high);
}

std::optional<int> find_name(std::string_view text, const FieldRule& rule) {
  for (std::size_t i = 0; i < rule.names.size(); ++i) {
    if (same_letters(text, rule.names[i])) return rule.low + static_cast<int>(i);
  }
  return std::nullopt;
}

Result<int> parse_value(Piece piece, const FieldRule& rule) {
  if (const auto named = find_name(piece.text, rule)) return *named;
  int value = 0;
  const char* end = piece.text.data() + piece.text.size();
  const auto [stop, error] = std::from_chars(piece.text.data(), end, value);
  if (piece.text.empty() || error != std::errc() || stop != end) {
    return calendar_error(piece.column, quoted(piece.text) + " is no " + std::string(rule.name) + "; write " +
                                            bounds(rule) + ", a list, a range \"a" + std::string(rule.range) +
                                            "b\", a step \"a/n\" or \"*\"");
  }
  if (value < rule.low || value > rule.high) {
    return calendar_error(piece.column, "the " + std::string(rule.name) + " " + std::to_string(value) +
                                            " is out of range; it goes from " + std::to_string(rule.low) +
                                            " to " + std::to_string(rule.high));
  }
  return value;
}

Result<int> parse_step(Piece piece, const FieldRule& rule) {
  int step = 0;
  const char* end = piece.text.data() + piece.text.size();
  const auto [stop, error] = std::from_chars(piece.text.data(), end, step);
  if (piece.text.empty() || error != std::errc() || stop != end || step < 1 || step > 9999) {
    return calendar_error(piece.column, quoted(piece.text) + " is no step of the " + std::string(rule.name) +
                                            "; write a whole number from 1 on after the \"/\"");
  }
  return step;
}

struct Bounds {
  int low = 0;
  int high = 0;
  bool is_range = false;
};

Result<Bounds> parse_bounds(Piece piece, const FieldRule& rule) {
  if (piece.text == "*") return Bounds{rule.low, rule.high, true};
  const std::size_t mark = piece.text.find(rule.range);
  if (mark == std::string_view::npos) {
    RONDA_TRY(const int value, parse_value(piece, rule));
    return Bounds{value, value, false};
  }
  RONDA_TRY(const int low, parse_value(piece.sub(0, mark), rule));
  RONDA_TRY(const int high, parse_value(piece.sub(mark + rule.range.size()), rule));
  if (low > high) {
    return calendar_error(
        piece.column, "the range " + quoted(piece.text) + " runs backwards; write it as two: \"" +
                          std::to_string(low) + std::string(rule.range) + std::to_string(rule.high) + "," +
                          std::to_string(rule.low) + std::string(rule.range) + std::to_string(high) + "\"");
  }
  return Bounds{low, high, true};
}

Status add_component(Piece piece, const FieldRule& rule, Chain& out) {
  const std::size_t slash = piece.text.find('/');
  RONDA_TRY(Bounds range, parse_bounds(piece.sub(0, slash), rule));
  int step = 1;
  if (slash != std::string_view::npos) {
    RONDA_TRY(step, parse_step(piece.sub(slash + 1), rule));
    out.has_step = true;
    if (!range.is_range) range.high = rule.high;
  }
  for (int value = range.low; value <= range.high; value += step) out.values.push_back(value);
  return done();
}

}  // namespace

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

Error calendar_error(std::uint32_t column, std::string message) {
  return {Errc::invalid, std::move(message), Position{"", 1, column}};
}

std::vector<Piece> split(Piece piece, char separator) {
  std::vector<Piece> out;
  std::size_t from = 0;
  for (std::size_t at = piece.text.find(separator); at != std::string_view::npos;
       at = piece.text.find(separator, from)) {
    out.push_back(piece.sub(from, at - from));
    from = at + 1;
  }
  out.push_back(piece.sub(from));
  return out;
}

std::vector<Piece> split_words(std::string_view text) {
  std::vector<Piece> out;
  for (const Piece& word : split({text, 1}, ' ')) {
    if (!word.text.empty()) out.push_back(word);
  }
  return out;
}

Result<Chain> parse_chain(Piece piece, const FieldRule& rule) {
  Chain out;
  out.star = piece.text == "*";
  out.starts_with_star = piece.text.starts_with('*');
  for (const Piece& part : split(piece, ',')) {
    RONDA_TRY(Unit unit, add_component(part, rule, out));
    (void)unit;
  }
  std::ranges::sort(out.values);
  // not std::ranges::unique: clang 14 cannot read libstdc++ 12's
  out.values.erase(std::unique(out.values.begin(), out.values.end()), out.values.end());
  return out;
}

}  // namespace ronda::schedule
