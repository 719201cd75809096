// SPDX-License-Identifier: Apache-2.0
#include "base/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/text.hpp"

namespace ronda {
namespace {

struct Scale {
  std::string_view unit;
  std::int64_t factor;
};

constexpr std::array<Scale, 8> time_scales = {{{"w", 604'800'000'000'000},
                                               {"d", 86'400'000'000'000},
                                               {"h", 3'600'000'000'000},
                                               {"m", 60'000'000'000},
                                               {"s", 1'000'000'000},
                                               {"ms", 1'000'000},
                                               {"us", 1'000},
                                               {"ns", 1}}};

constexpr std::array<Scale, 9> size_scales = {{{"TiB", std::int64_t{1} << 40},
                                               {"TB", 1'000'000'000'000},
                                               {"GiB", std::int64_t{1} << 30},
                                               {"GB", 1'000'000'000},
                                               {"MiB", std::int64_t{1} << 20},
                                               {"MB", 1'000'000},
                                               {"KiB", std::int64_t{1} << 10},
                                               {"kB", 1'000},
                                               {"B", 1}}};

struct NamedUnit {
  std::string_view name;
  BaseUnit base;
};

constexpr std::array<NamedUnit, 13> named_units = {{{"ms", {1e-3, "s"}},
                                                    {"us", {1e-6, "s"}},
                                                    {"ns", {1e-9, "s"}},
                                                    {"KB", {1e3, "B"}},
                                                    {"kB", {1e3, "B"}},
                                                    {"MB", {1e6, "B"}},
                                                    {"GB", {1e9, "B"}},
                                                    {"TB", {1e12, "B"}},
                                                    {"KiB", {1024.0, "B"}},
                                                    {"MiB", {1048576.0, "B"}},
                                                    {"GiB", {1073741824.0, "B"}},
                                                    {"TiB", {1099511627776.0, "B"}},
                                                    {"%", {0.01, "ratio"}}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, 64)) + "\"";
}

/// Digits with an optional fraction at the start of `text`, taken from it.
bool take_number(std::string_view& text, double& out) {
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + end, out, std::chars_format::fixed);
  if (error != std::errc() || stop != text.data() + end) return false;
  text.remove_prefix(end);
  return true;
}

std::string_view take_letters(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_digit(text[end])) ++end;
  const std::string_view unit = text.substr(0, end);
  text.remove_prefix(end);
  return unit;
}

std::string plain_number(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.12g", value);
  return buffer.data();
}

}  // namespace

Result<Nanos> parse_duration(std::string_view text) {
  const Error wrong(Errc::invalid, quoted(text) + " is not a duration; write for example \"30s\", \"5m\" or \"1h30m\"");
  std::string_view rest = text;
  std::int64_t total = 0;
  std::size_t next_scale = 0;
  if (rest.empty()) return wrong;
  while (!rest.empty()) {
    double number = 0;
    if (!take_number(rest, number)) return wrong;
    if (rest.empty()) {
      return Error(Errc::invalid, quoted(text) + ": a duration needs a unit, for example \"" + plain_number(number) + "s\"");
    }
    const std::string_view unit = take_letters(rest);
    while (next_scale < time_scales.size() && time_scales[next_scale].unit != unit) ++next_scale;
    if (next_scale == time_scales.size()) return wrong;
    const double nanos = number * static_cast<double>(time_scales[next_scale].factor);
    if (nanos + static_cast<double>(total) > 9.2e18) return Error(Errc::range, quoted(text) + " is too long a duration");
    total += std::llround(nanos);
    ++next_scale;
  }
  return Nanos(total);
}

std::string format_duration(Nanos value) {
  std::int64_t rest = value.count();
  if (rest == 0) return "0s";
  std::string out = rest < 0 ? "-" : "";
  if (rest < 0) rest = -rest;
  for (const Scale& scale : time_scales) {
    if (rest < scale.factor) continue;
    out += std::to_string(rest / scale.factor);
    out += scale.unit;
    rest %= scale.factor;
  }
  return out;
}

Result<std::int64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  double number = 0;
  const bool numeric = !rest.empty() && take_number(rest, number);
  if (numeric && rest.empty()) {
    return Error(Errc::invalid, quoted(text) + ": a size needs a unit, for example \"" + plain_number(number) + "MiB\"");
  }
  for (const Scale& scale : size_scales) {
    if (!numeric || rest != scale.unit) continue;
    const double bytes = number * static_cast<double>(scale.factor);
    if (bytes > 9.2e18) return Error(Errc::range, quoted(text) + " is too large a size");
    return static_cast<std::int64_t>(std::llround(bytes));
  }
  return Error(Errc::invalid, quoted(text) + " is not a size; write for example \"512B\", \"10MiB\" or \"2GB\"");
}

std::string format_size(std::int64_t bytes) {
  for (const Scale& scale : size_scales) {
    const bool binary = scale.unit.size() == 3 || scale.unit == "B";
    if (binary && bytes >= scale.factor) {
      std::array<char, 32> buffer{};
      const double scaled = static_cast<double>(bytes) / static_cast<double>(scale.factor);
      // %g would write an exponent above the largest unit, which nobody reads back
      std::snprintf(buffer.data(), buffer.size(), scaled < 1000 ? "%.4g" : "%.0f", scaled);
      return buffer.data() + std::string(scale.unit);
    }
  }
  return std::to_string(bytes) + "B";
}

Result<double> parse_percent(std::string_view text) {
  std::string_view rest = text;
  double number = 0;
  if (!rest.empty() && take_number(rest, number) && rest == "%") return number / 100;
  return Error(Errc::invalid, quoted(text) + " is not a percentage; write for example \"80%\"");
}

std::int64_t clamp_to_int64(double value) {
  constexpr double beyond = 9223372036854775808.0;  // 2^63: the largest integer is no double, this is
  if (std::isnan(value)) return 0;
  if (value >= beyond) return std::numeric_limits<std::int64_t>::max();
  if (value < -beyond) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

std::string format_percent(double ratio) {
  return plain_number(ratio * 100) + "%";
}

BaseUnit base_unit(std::string_view unit) {
  const auto found = std::ranges::find(named_units, unit, &NamedUnit::name);
  return found == named_units.end() ? BaseUnit{1, unit} : found->base;
}

std::string format_number(double value) {
  std::array<char, 400> buffer{};  // the largest double has 309 digits
  const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
  std::snprintf(buffer.data(), buffer.size(), whole ? "%.0f" : "%.6g", value);
  if (std::string_view(buffer.data()).find('e') != std::string_view::npos) std::snprintf(buffer.data(), buffer.size(), "%.9f", value);
  return buffer.data();
}

std::string format_quantity(double value, std::string_view unit) {
  if (unit == "ratio") return format_number(std::round(value * 1e4) / 100) + "%";
  if (unit == "B") return format_size(clamp_to_int64(value));
  return format_number(value) + std::string(unit);
}

Result<double> parse_quantity(std::string_view text) {
  const std::string_view whole = text;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const double sign = negative ? -1 : 1;
  std::string_view rest = text;
  double number = 0;
  if (rest.empty() || !take_number(rest, number)) {
    return Error(Errc::invalid, quoted(whole) + " is not a number, nor a number with a unit");
  }
  if (rest.empty()) return sign * number;
  if (rest == "%") return sign * number / 100;
  if (auto bytes = parse_size(text)) return sign * static_cast<double>(*bytes);
  if (auto duration = parse_duration(text)) return sign * static_cast<double>(duration->count()) / 1e9;
  return Error(Errc::invalid, quoted(whole) + ": unknown unit \"" + std::string(rest) + "\"; known are %, B to TiB and ns to w");
}

Result<Range> parse_range(std::string_view text) {
  Range range;
  std::string_view rest = trim(text);
  const std::string_view whole = rest;
  if (rest.starts_with('@')) {
    range.inside = true;
    rest.remove_prefix(1);
  }
  if (rest.empty()) return Error(Errc::invalid, "an empty range; write for example \"80\", \"10:\" or \"@10:20\"");
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view start = rest.substr(0, colon);
    if (start == "~") {
      range.low = -std::numeric_limits<double>::infinity();
    } else if (!start.empty()) {
      RONDA_TRY(range.low, parse_quantity(start));
    }
    rest.remove_prefix(colon + 1);
  }
  if (!rest.empty()) {
    RONDA_TRY(range.high, parse_quantity(rest));
  }
  if (range.low > range.high) return Error(Errc::invalid, quoted(whole) + ": the start of a range is above its end");
  return range;
}

}  // namespace ronda
