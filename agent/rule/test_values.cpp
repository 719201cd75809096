// SPDX-License-Identifier: Apache-2.0
#include "rule/test_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "base/units.hpp"
#include "rule/test_file.hpp"

namespace ronda::rule {
namespace {

constexpr std::string_view example = "; write for example \"6%\", \"6% x10\", \"none x3\" or \"0% to 10% x5\"";

std::string quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, 64)) + "\"";
}

Result<double> one_number(std::string_view text, bool is_status, std::string& unit) {
  if (is_status) {
    constexpr std::array<std::string_view, 4> words = {"ok", "warning", "critical", "unknown"};
    const auto found = std::ranges::find(words, text);
    if (found != words.end()) return static_cast<double>(found - words.begin());
    const std::string_view near = nearest(text, words);
    return Error(Errc::invalid,
                 quoted(text) + " is no status; " +
                     (near.empty() ? "there are ok, warning, critical and unknown" : "did you mean \"" + std::string(near) + "\"?"));
  }
  RONDA_TRY(const double value, parse_quantity(text));
  const std::size_t letter = text.find_first_not_of("-0123456789.");
  if (letter != std::string_view::npos && unit.empty()) {
    const bool size = text.find('B', letter) != std::string_view::npos;
    unit = text[letter] == '%' ? "ratio" : size ? "B" : "s";
  }
  return value;
}

/// " x10" at the end, taken from it.
Result<std::size_t> take_times(std::string_view& text) {
  const std::size_t mark = text.rfind(" x");
  if (mark == std::string_view::npos) return std::size_t{1};
  const std::string_view digits = text.substr(mark + 2);
  std::size_t times = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), times);
  if (error != std::errc() || end != digits.data() + digits.size() || times == 0 || times > most_values)
    return Error(Errc::invalid, quoted(digits) + " is no number of times from 1 to " + std::to_string(most_values));
  text = trim(text.substr(0, mark));
  return times;
}

Status add_text(std::string_view text, bool is_status, GivenValues& out) {
  text = trim(text);
  RONDA_TRY(const std::size_t times, take_times(text));
  if (out.values.size() + times > most_values) return Error(Errc::range, "more than " + std::to_string(most_values) + " values");
  if (text == "none") {
    out.values.insert(out.values.end(), times, std::nullopt);
    return done();
  }
  const std::size_t to = text.find(" to ");
  if (to == std::string_view::npos) {
    RONDA_TRY(const double value, one_number(text, is_status, out.unit));
    out.values.insert(out.values.end(), times, value);
    return done();
  }
  if (is_status) return Error(Errc::invalid, "a status has no steps");
  if (times < 2) return Error(Errc::invalid, "from one value to another it takes at least \"x2\"");
  RONDA_TRY(const double first, one_number(trim(text.substr(0, to)), false, out.unit));
  RONDA_TRY(const double last, one_number(trim(text.substr(to + 4)), false, out.unit));
  for (std::size_t i = 0; i < times; ++i)
    out.values.push_back(first + (last - first) * static_cast<double>(i) / static_cast<double>(times - 1));
  return done();
}

}  // namespace

Status add_values(const config::Value& element, bool is_status, GivenValues& out) {
  if (const std::string* text = element.as_string()) {
    Status added = add_text(*text, is_status, out);
    if (added || added.error().message().find("; ") != std::string::npos) return added;
    return Error(Errc::invalid, added.error().message() + std::string(example));
  }
  const std::int64_t* integer = element.as_int();
  const double* number = element.as_float();
  if (is_status || (integer == nullptr && number == nullptr))
    return Error(Errc::invalid,
                 "a value is a text" + std::string(is_status ? "" : " or a number") + ", not " + std::string(element.type_name()));
  if (out.values.size() == most_values) return Error(Errc::range, "more than " + std::to_string(most_values) + " values");
  out.values.push_back(integer != nullptr ? static_cast<double>(*integer) : *number);
  return done();
}

}  // namespace ronda::rule
