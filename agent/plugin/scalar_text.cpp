// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/text.hpp"
#include "base/units.hpp"
#include "plugin/scalar_value.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t max_shown = 80;

std::string number_text(double value) {
  std::array<char, 32> out{};
  const auto [end, failed] = std::to_chars(out.data(), out.data() + out.size(), value);
  return failed == std::errc{} ? std::string(out.data(), end) : std::string("?");
}

std::string timestamp_text(std::int64_t nanos) {
  using namespace std::chrono;
  const auto seconds = floor<std::chrono::seconds>(nanoseconds(nanos));
  const sys_seconds instant{seconds};
  const sys_days day = floor<days>(instant);
  const year_month_day date{day};
  const hh_mm_ss time{instant - day};
  const auto two = [](auto n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return "\"" + std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) +
         "-" + two(static_cast<unsigned>(date.day())) + "T" + two(time.hours().count()) + ":" +
         two(time.minutes().count()) + ":" + two(time.seconds().count()) + "Z\"";
}

/// Takes `count` digits off the front; nothing when there are fewer.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return out;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// ".123456789" as nanoseconds, 0 when there is no fraction.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return 0;
  std::int64_t nanos = 0;
  std::int64_t unit = 100'000'000;
  bool any = false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    nanos += (text.front() - '0') * unit;
    unit /= 10;
    any = true;
    text.remove_prefix(1);
  }
  if (!any) return std::nullopt;
  return nanos;
}

/// "Z" or "+03:00" as minutes.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return 0;
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  const bool colon = take(text, ":");
  const auto minutes = take_digits(text, 2);
  if (!hours || !colon || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const int total = *hours * 60 + *minutes;
  return west ? -total : total;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  const bool first = take(text, "-");
  const auto month = take_digits(text, 2);
  const bool second = take(text, "-");
  const auto day = take_digits(text, 2);
  if (!year || !first || !month || !second || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year < 1700 || *year > 2200) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<std::int64_t> take_instant(std::string_view text) {
  const auto date = take_date(text);
  if (!date || !take(text, "Tt ")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  const bool first = take(text, ":");
  const auto minute = take_digits(text, 2);
  const bool second = take(text, ":");
  const auto seconds = take_digits(text, 2);
  if (!hour || !first || !minute || !second || !seconds) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *seconds > 60) return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto offset = take_offset(text);
  if (!fraction || !offset || !text.empty()) return std::nullopt;
  const std::int64_t days = date->time_since_epoch().count();
  const std::int64_t total = days * 86'400 + *hour * 3600 + (*minute - *offset) * 60 + *seconds;
  return total * 1'000'000'000 + *fraction;
}

}  // namespace

std::string shown_text(std::string_view text) {
  std::string shown = escape_controls(repair_utf8(text, max_shown));
  if (text.size() > max_shown) shown += "...";
  return '"' + shown + '"';
}

std::string format_scalar(OptionType type, const OptionNode& value) {
  if (value.as_bool() != nullptr) return *value.as_bool() ? "true" : "false";
  if (value.as_secret() != nullptr) return "(secret)";
  if (value.as_string() != nullptr) return shown_text(*value.as_string());
  if (value.as_int() != nullptr) {
    if (type == OptionType::duration) return format_duration(Nanos(*value.as_int()));
    if (type == OptionType::bytes) return format_size(*value.as_int());
    if (type == OptionType::timestamp) return timestamp_text(*value.as_int());
    return std::to_string(*value.as_int());
  }
  if (value.as_float() == nullptr) return "nothing";
  return type == OptionType::percent ? format_percent(*value.as_float()) : number_text(*value.as_float());
}

std::optional<int> compare_scalars(const OptionNode& left, const OptionNode& right) {
  const auto order = [](const auto& a, const auto& b) { return a < b ? -1 : b < a ? 1 : 0; };
  if (left.as_int() != nullptr && right.as_int() != nullptr) return order(*left.as_int(), *right.as_int());
  if (left.as_string() != nullptr && right.as_string() != nullptr)
    return order(*left.as_string(), *right.as_string());
  if (left.as_bool() != nullptr && right.as_bool() != nullptr) return order(*left.as_bool(), *right.as_bool());
  const auto number = [](const OptionNode& node) -> std::optional<double> {
    if (node.as_float() != nullptr) return *node.as_float();
    if (node.as_int() != nullptr) return static_cast<double>(*node.as_int());
    return std::nullopt;
  };
  const auto a = number(left);
  const auto b = number(right);
  if (!a || !b) return std::nullopt;
  return order(*a, *b);
}

Result<std::int64_t> parse_timestamp(std::string_view text) {
  const auto instant = take_instant(text);
  if (instant) return *instant;
  return Error(Errc::invalid, shown_text(text) + " is no RFC 3339 timestamp with an offset");
}

}  // namespace ronda::plugin
