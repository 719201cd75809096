// SPDX-License-Identifier: Apache-2.0
// Thresholds: ranges in the notation of the monitoring plugins ("10", "5:", "~:10", "@2:4") and grading
// by them. Pure.
#pragma once

#include <charconv>

#include <ronda/result.hpp>

namespace ronda {

/// Says which values are bad: those outside [low, high], or with '@' those inside.
struct range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool inside = false;

  static range above(double limit) { return {-std::numeric_limits<double>::infinity(), limit, false}; }
  static range below(double limit) { return {limit, std::numeric_limits<double>::infinity(), false}; }

  /// "10" is bad outside 0..10, "5:" below 5, "~:10" above 10, "@2:4" from 2 to 4. Nothing if malformed.
  static std::optional<range> parse(std::string_view text);

  bool bad(double value) const noexcept { return inside == (value >= low && value <= high); }
  std::string text() const;
};

namespace detail {

inline std::optional<double> parse_number(std::string_view digits) {
  // Not strtod: it obeys the locale. Where from_chars knows no floating point (before g++ 11), what is read may be off
  // in the last of 17 digits.
  double value = 0, scale = 1;
  std::size_t i = 0, seen = 0;
  bool negative = !digits.empty() && digits[0] == '-';
  if (negative || (!digits.empty() && digits[0] == '+')) i = 1;
  for (; i < digits.size() && digits[i] >= '0' && digits[i] <= '9'; ++i, ++seen)
    value = value * 10 + (digits[i] - '0');
  if (i < digits.size() && digits[i] == '.')
    for (++i; i < digits.size() && digits[i] >= '0' && digits[i] <= '9'; ++i, ++seen)
      value = value * 10 + (digits[i] - '0'), scale *= 10;
  if (seen == 0 || i != digits.size()) return std::nullopt;
#if defined(__cpp_lib_to_chars)
  double exact = 0;
  if (!digits.empty() && digits[0] == '+') digits.remove_prefix(1);
  auto read = std::from_chars(digits.data(), digits.data() + digits.size(), exact, std::chars_format::fixed);
  if (read.ec == std::errc()) return exact;
#endif
  return (negative ? -value : value) / scale;
}

}  // namespace detail

inline std::optional<range> range::parse(std::string_view text) {
  range parsed;
  if (!text.empty() && text[0] == '@') parsed.inside = true, text.remove_prefix(1);
  std::size_t colon = text.find(':');
  std::string_view low = colon == std::string_view::npos ? "0" : text.substr(0, colon);
  std::string_view high = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (text.empty() || (colon != std::string_view::npos && low.empty() && high.empty())) return std::nullopt;
  if (low.empty()) low = "0";
  if (low != "~") {
    auto number = detail::parse_number(low);
    if (!number) return std::nullopt;
    parsed.low = *number;
  }
  if (!high.empty()) {
    auto number = detail::parse_number(high);
    if (!number) return std::nullopt;
    parsed.high = *number;
  }
  if (parsed.low > parsed.high) return std::nullopt;
  return parsed;
}

inline std::string range::text() const {
  std::string shown = inside ? "@" : "";
  shown += std::isinf(low) ? std::string("~") : detail::exact(low);
  shown += ':';
  if (!std::isinf(high)) shown += detail::exact(high);
  return shown;
}

/// What a metric is compared with: nothing, a limit, or a range. A limit alone is bad above it.
struct threshold {
  threshold() = default;
  threshold(std::nullopt_t) {}
  threshold(double bound) : limit(std::isnan(bound) ? std::nullopt : std::optional<double>(bound)) {}
  threshold(std::optional<double> bound) : limit(bound) {}
  threshold(range r) : given(r) {}
  threshold(std::optional<range> r) : given(r) {}

  std::optional<double> limit;
  std::optional<range> given;
};

/// Both as ranges. Two limits with warn above crit mean that low values are the bad ones.
inline std::pair<std::optional<range>, std::optional<range>> ranges(const threshold& warn,
                                                                    const threshold& crit) {
  bool low_is_bad = warn.limit && crit.limit && *warn.limit > *crit.limit;
  auto one = [low_is_bad](const threshold& t) {
    if (!t.limit) return t.given;
    return std::optional<range>(low_is_bad ? range::below(*t.limit) : range::above(*t.limit));
  };
  return {one(warn), one(crit)};
}

/// critical past `crit`, else warning past `warn`, else ok; a value that is no number is unknown.
inline status grade_status(double value, const threshold& warn, const threshold& crit) {
  if (std::isnan(value)) return status::unknown;
  auto [w, c] = ranges(warn, crit);
  if (c && c->bad(value)) return status::critical;
  return w && w->bad(value) ? status::warning : status::ok;
}

template <class... Parts>
result grade(double value, const threshold& warn, const threshold& crit, const Parts&... parts) {
  return {grade_status(value, warn, crit), text(parts...)};
}

}  // namespace ronda
