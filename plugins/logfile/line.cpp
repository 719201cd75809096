// SPDX-License-Identifier: Apache-2.0
#include "line.hpp"

#include <algorithm>
#include <cstdlib>

#include "outgoing/shown.hpp"

namespace logfile {

using shown::cut, shown::escape, shown::quoted;

namespace {

/// A number of at least `width` characters: 7 as "07".
std::string digits(int number, std::size_t width, char fill = '0') {
  const auto text = std::to_string(number);
  return text.size() < width ? std::string(width - text.size(), fill) + text : text;
}

/// What has no level, as a test, is called by what it is.
std::string severity(const Style& style, const ronda::message& message) {
  const std::string_view level = message.level();
  if (level.empty()) {
    std::string out = cut(message.event(), max_field_bytes);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return out;
  }
  if (level.size() == 2 && level[0] == 'p' && level[1] >= '1' && level[1] <= '4')
    return style.severities[static_cast<std::size_t>(level[1] - '1')];
  return std::string(level);
}

std::string text_of(const Style& style, const ronda::message& message) {
  const auto title = cut(message.title(), max_title_bytes);
  std::string_view whole = message.body();
  while (!whole.empty() && (whole.back() == '\n' || whole.back() == '\r')) whole.remove_suffix(1);  // the end of its last line
  const auto body = cut(whole, max_body_bytes);
  if (body.empty() || (style.text == Text::title && !title.empty())) return title;
  if (title.empty() || style.text == Text::body) return body;
  return title + ": " + body;
}

std::string date(const Reading& t) {
  return digits(t.year, 4) + "-" + digits(t.month, 2) + "-" + digits(t.day, 2);
}
std::string time_of_day(const Reading& t) {
  return digits(t.hour, 2) + ":" + digits(t.minute, 2) + ":" + digits(t.second, 2);
}

/// "+01:00"
std::string offset(const Reading& t) {
  const auto minutes = static_cast<int>(t.offset.count() / 60);
  return (minutes < 0 ? "-" : "+") + digits(std::abs(minutes) / 60, 2) + ":" + digits(std::abs(minutes) % 60, 2);
}

/// "Sun Nov 29 09:30:00 CET 2026", as `date` does where the language is C
std::string as_date_does(const Reading& t) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return std::string(days[t.weekday]) + " " + months[t.month - 1] + " " + digits(t.day, 2, ' ') + " " + time_of_day(t) + " " + t.zone +
         " " + std::to_string(t.year);
}

std::string as_json(const Style& style, const ronda::message& message, const Reading& t) {
  std::string out = "{\"time\":\"" + date(t) + "T" + time_of_day(t) + offset(t) + "\"";
  const auto member = [&](const char* name, std::string_view text, std::size_t limit) {
    out += ",\"" + std::string(name) + "\":" + quoted(cut(text, limit));
  };
  member("id", message.id(), max_field_bytes);
  member("level", message.level(), max_field_bytes);
  member("severity", severity(style, message), max_field_bytes);
  member("event", message.event(), max_field_bytes);
  member("incident", message.incident(), max_field_bytes);
  member("to", message.to(), max_field_bytes);
  member("title", message.title(), max_title_bytes);
  member("body", message.body(), max_body_bytes);
  out += ",\"fields\":{";
  for (std::size_t i = 0; i < std::min(message.field_count(), max_fields); ++i) {
    const auto [name, value] = message.field(i);
    if (i > 0) out += ',';
    out += quoted(cut(name, max_field_bytes)) + ":" + quoted(cut(value, max_field_bytes));
  }
  return out + "}}";
}

}  // namespace

std::array<std::string, 4> usual_severities(Format format) {
  if (format == Format::alerts) return {"CRITICAL", "HIGH", "MEDIUM", "LOW"};
  return {"P1", "P2", "P3", "P4"};
}

std::string make_line(const Style& style, const ronda::message& message, const Reading& time) {
  if (style.format == Format::json) return as_json(style, message, time);
  const auto when = style.format == Format::alerts ? "[" + date(time) + " " + time_of_day(time) + "]" : as_date_does(time) + ":";
  return when + " [" + escape(severity(style, message)) + "] " + escape(text_of(style, message));
}

}  // namespace logfile
