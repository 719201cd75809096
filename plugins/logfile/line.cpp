// SPDX-License-Identifier: Apache-2.0
#include "line.hpp"

#include <algorithm>
#include <cstdlib>

namespace logfile {
namespace {

struct Character {
  char32_t point = 0;
  std::size_t bytes = 0;  ///< 0: not UTF-8
};

/// The first character; no surrogates, nothing longer than it need be, nothing beyond U+10FFFF.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  char32_t point = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    point = point << 6 | (byte(i) & 0x3FU);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
  return point < least[bytes] || point > 0x10FFFF || is_surrogate ? Character{} : Character{point, bytes};
}

bool changes_direction(char32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

bool is_shown(char32_t point) {
  return point >= 0x20 && !(point >= 0x7F && point <= 0x9F) && point != 0x2028 && point != 0x2029 && !changes_direction(point);
}

/// A number of at least `width` characters: 7 as "07".
std::string digits(int number, std::size_t width, char fill = '0') {
  const auto text = std::to_string(number);
  return text.size() < width ? std::string(width - text.size(), fill) + text : text;
}

std::string hex(unsigned number, std::size_t width) {
  static constexpr const char* hex_digits = "0123456789abcdef";
  std::string out(width, '0');
  for (; width > 0; number >>= 4) out[--width] = hex_digits[number & 0xFU];
  return out;
}

/// Takes `text` apart; `plain` gets what may stand as it is, `other` what may not with its point (U+FFFD: not UTF-8).
template <class Plain, class Other>
void walk(std::string_view text, Plain&& plain, Other&& other) {
  while (!text.empty()) {
    const Character c = first_character(text);
    const auto piece = text.substr(0, std::max<std::size_t>(c.bytes, 1));
    if (c.bytes == 0)
      other(piece, char32_t{0xFFFD});
    else if (is_shown(c.point))
      plain(piece);
    else
      other(piece, c.point);
    text.remove_prefix(piece.size());
  }
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  const auto plain = [&](std::string_view piece) {
    if (piece == "\"" || piece == "\\") out += '\\';
    out += piece;
  };
  walk(text, plain, [&](std::string_view, char32_t point) { out += "\\u" + hex(static_cast<unsigned>(point), 4); });
  return out + '"';
}

std::string severity(const Style& style, std::string_view level) {
  if (level.size() == 2 && level[0] == 'p' && level[1] >= '1' && level[1] <= '4')
    return style.severities[static_cast<std::size_t>(level[1] - '1')];
  return std::string(level);
}

std::string text_of(const Style& style, const ronda::message& message) {
  const auto title = cut(message.title(), max_title_bytes);
  const auto body = cut(message.body(), max_body_bytes);
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
  member("severity", severity(style, message.level()), max_field_bytes);
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
  return when + " [" + escape(severity(style, message.level())) + "] " + escape(text_of(style, message));
}

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  walk(
      text, [&](std::string_view piece) { out += piece; },
      [&](std::string_view piece, char32_t) {
        for (const char c : piece) out += "\\x" + hex(static_cast<unsigned char>(c), 2);
      });
  return out;
}

std::string cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t end = limit;
  // at most three bytes back: a longer run of continuations is no UTF-8, and may be cut anywhere
  while (end > 0 && limit - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace logfile
