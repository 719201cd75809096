// SPDX-License-Identifier: Apache-2.0
#include "config/inside.hpp"

#include <algorithm>

namespace ronda::config {
namespace {

/// Walks over the letters of a file and knows line and column; the column counts characters, from 1.
class Cursor {
 public:
  Cursor(std::string_view text, Place place) : text_(text), place_(place) {}

  std::string_view rest() const { return text_; }
  Place place() const { return place_; }
  bool at_end() const { return text_.empty(); }

  void step() {
    const char c = text_.front();
    text_.remove_prefix(1);
    if (c == '\n') {
      ++place_.line;
      place_.column = 1;
    } else if (text_.empty() || (static_cast<unsigned char>(text_.front()) & 0xC0U) != 0x80U) {
      ++place_.column;
    }
  }
  void step(std::size_t bytes) {
    for (; bytes > 0 && !at_end(); --bytes) step();
  }

 private:
  std::string_view text_;
  Place place_;
};

/// The rest of the file from that place on, or nothing.
std::string_view from_place(std::string_view text, Place place) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  for (std::uint32_t line = 1; line < place.line; ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  Cursor cursor(text, {place.file, place.line, 1});
  while (!cursor.at_end() && cursor.place().line == place.line && cursor.place().column < place.column) cursor.step();
  return cursor.place().column == place.column ? cursor.rest() : std::string_view();
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// How many bytes of the string an escape stands for, and how long it is written.
struct Escape {
  std::size_t written, meant;
};

Escape escape_at(std::string_view text) {
  const char kind = text.size() > 1 ? text[1] : ' ';
  if (kind != 'u' && kind != 'U') return {2, 1};
  const std::size_t digits = kind == 'u' ? 4 : 8;
  std::size_t point = 0;
  for (const char c : text.substr(2, digits)) {
    const bool digit = c >= '0' && c <= '9';
    point = point * 16 + static_cast<std::size_t>(digit ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return {2 + digits, point < 0x80 ? 1U : point < 0x800 ? 2U : point < 0x10000 ? 3U : 4U};
}

}  // namespace

Place inside(Place value, std::string_view file_text, std::size_t offset) {
  const std::string_view rest = from_place(file_text, value);
  if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) return value;
  const char quote = rest[0];
  const bool several_lines = rest.size() > 2 && rest[1] == quote && rest[2] == quote;
  Cursor cursor(rest, value);
  cursor.step(several_lines ? 3 : 1);
  if (several_lines && cursor.rest().starts_with("\r\n")) cursor.step();
  if (several_lines && cursor.rest().starts_with('\n')) cursor.step();
  while (offset > 0 && !cursor.at_end()) {
    if (quote == '"' && cursor.rest().front() == '\\') {
      const std::string_view after = cursor.rest().substr(1);
      const bool joins_lines = several_lines && !after.empty() && is_blank(after.front());
      if (joins_lines) {
        cursor.step();
        while (!cursor.at_end() && is_blank(cursor.rest().front())) cursor.step();
        continue;
      }
      const Escape escape = escape_at(cursor.rest());
      if (offset < escape.meant) return cursor.place();
      cursor.step(escape.written);
      offset -= escape.meant;
      continue;
    }
    if (cursor.rest().front() == quote && !several_lines) break;
    cursor.step();
    --offset;
  }
  return cursor.place();
}

}  // namespace ronda::config
