// SPDX-License-Identifier: Apache-2.0
// Texts that others wrote, on their way into a line, a JSON object or a message for people: escaped and cut, by character.
// Needs no library: for the notifiers that post nothing as well.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace shown {

struct Character {
  char32_t point = 0;
  std::size_t bytes = 0;  ///< 0: not UTF-8
};

/// The first character of a text that is not empty; no surrogates, nothing longer than it need be, nothing beyond U+10FFFF.
inline Character first_character(std::string_view text) {
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

inline bool changes_direction(char32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

/// No control character of C0 or C1, no DEL, no separator of lines or paragraphs, no mark that turns the direction of text.
inline bool is_harmless(char32_t point) {
  return point >= 0x20 && !(point >= 0x7F && point <= 0x9F) && point != 0x2028 && point != 0x2029 && !changes_direction(point);
}

/// Takes `text` apart: `plain` gets what is harmless, `other` what is not with its point (U+FFFD: not UTF-8, one byte).
template <class Plain, class Other>
void walk(std::string_view text, Plain&& plain, Other&& other) {
  while (!text.empty()) {
    const Character c = first_character(text);
    const auto piece = text.substr(0, std::max<std::size_t>(c.bytes, 1));
    if (c.bytes == 0)
      other(piece, char32_t{0xFFFD});
    else if (is_harmless(c.point))
      plain(piece);
    else
      other(piece, c.point);
    text.remove_prefix(piece.size());
  }
}

inline std::string hex(unsigned number, std::size_t width) {
  std::string out(width, '0');
  for (; width > 0; number >>= 4) out[--width] = "0123456789abcdef"[number & 0xFU];
  return out;
}

/// What is not harmless as \xNN, byte by byte.
inline std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  walk(
      text, [&](std::string_view piece) { out += piece; },
      [&](std::string_view piece, char32_t) {
        for (const char c : piece) out += "\\x" + hex(static_cast<unsigned char>(c), 2);
      });
  return out;
}

/// A string of JSON with its quotes; what is not harmless as \uNNNN.
inline std::string quoted(std::string_view text) {
  std::string out = "\"";
  const auto plain = [&](std::string_view piece) {
    if (piece == "\"" || piece == "\\") out += '\\';
    out += piece;
  };
  walk(text, plain, [&](std::string_view, char32_t point) { out += "\\u" + hex(static_cast<unsigned>(point), 4); });
  return out + '"';
}

/// At most `limit` bytes, not cut within a character, with "..." where something is missing.
inline std::string cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t end = limit;
  // at most three bytes back: a longer run of continuations is no UTF-8, and may be cut anywhere
  while (end > 0 && limit - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace shown
