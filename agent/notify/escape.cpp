// SPDX-License-Identifier: Apache-2.0
#include "notify/escape.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace ronda::notify {
namespace {

constexpr std::string_view mark = "...";
constexpr std::array<std::string_view, 4> markup_names = {"plain", "mrkdwn", "html", "sms"};

/// The length of the character that begins here; the text is valid UTF-8.
std::size_t length_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(length, text.size() - at);
}

std::uint32_t point_at(std::string_view text, std::size_t at) {
  const std::size_t length = length_at(text, at);
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i])); };
  if (length == 1) return byte(0);
  std::uint32_t point = byte(0) & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) point = (point << 6) | (byte(i) & 0x3FU);
  return point;
}

template <class OnCharacter>
void each_character(std::string_view text, OnCharacter&& on_character) {
  for (std::size_t at = 0; at < text.size(); at += length_at(text, at))
    on_character(point_at(text, at), text.substr(at, length_at(text, at)));
}

/// What belongs to the character before it: combining marks, joiners, variation selectors, skin tones.
bool continues(std::uint32_t point) {
  return (point >= 0x300 && point <= 0x36F) || (point >= 0x1AB0 && point <= 0x1AFF) || (point >= 0x20D0 && point <= 0x20FF) ||
         point == 0x200D || (point >= 0xFE00 && point <= 0xFE0F) || (point >= 0x1F3FB && point <= 0x1F3FF);
}

std::string_view entity_of(char c, Markup markup) {
  if (markup != Markup::mrkdwn && markup != Markup::html) return {};
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return markup == Markup::html ? "&quot;" : "";
    case '\'':
      return markup == Markup::html ? "&#39;" : "";
    default:
      return {};
  }
}

std::string escape_markup(std::string_view text, Markup markup) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const std::string_view entity = entity_of(c, markup);
    if (entity.empty())
      out += c;
    else
      out += entity;
  }
  return out;
}

// GSM 03.38: the basic set beyond ASCII, and what ASCII has that it lacks. Escape characters take two septets.
constexpr std::u32string_view gsm_beyond_ascii = U"£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
constexpr std::u32string_view gsm_two_septets = U"^{}\\[~]|€\f";

/// Septets of a character; 0: GSM-7 lacks it.
std::size_t septets(std::uint32_t point) {
  const auto c = static_cast<char32_t>(point);
  if (gsm_two_septets.find(c) != std::u32string_view::npos) return 2;
  if (point == '\n' || point == '\r' || (point >= 0x20 && point < 0x7F && point != '`')) return 1;
  return gsm_beyond_ascii.find(c) != std::u32string_view::npos ? 1 : 0;
}

struct Near {
  char32_t letter;
  std::string_view near;
};
constexpr std::array near_ones = {
    Near{U'á', "a"},      Near{U'í', "i"},       Near{U'ó', "o"},        Near{U'ú', "u"},      Near{U'Á', "A"},       Near{U'Í', "I"},
    Near{U'Ó', "O"},      Near{U'Ú', "U"},       Near{U'À', "A"},        Near{U'È', "E"},      Near{U'Ì', "I"},       Near{U'Ò', "O"},
    Near{U'Ù', "U"},      Near{U'â', "a"},       Near{U'ê', "e"},        Near{U'î', "i"},      Near{U'ô', "o"},       Near{U'û', "u"},
    Near{U'ã', "a"},      Near{U'õ', "o"},       Near{U'ç', "c"},        Near{U'ë', "e"},      Near{U'ï', "i"},       Near{U'º', "o"},
    Near{U'ª', "a"},      Near{U'`', "'"},       Near{U'\u2018', "'"},   Near{U'\u2019', "'"}, Near{U'\u201C', "\""}, Near{U'\u201D', "\""},
    Near{U'\u2013', "-"}, Near{U'\u2014', "-"},  Near{U'\u2026', "..."}, Near{U'\u00A0', " "}, Near{U'\u00AB', "\""}, Near{U'\u00BB', "\""},
    Near{U'\u2022', "-"}, Near{U'\u2192', "->"}, Near{U'\u00B7', "."},   Near{U'\t', " "},
};

/// How many bytes of `text` may stand so that nothing is torn at the end.
std::size_t whole(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && continues(point_at(text, at))) {
    do --at;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  }
  const std::size_t open = text.substr(0, at).rfind('&');
  constexpr std::size_t longest_entity = 6;
  if (open == std::string_view::npos || at - open >= longest_entity) return at;
  const std::size_t close = text.find(';', open);
  const bool torn = close != std::string_view::npos && close >= at && close - open < longest_entity;
  return torn ? open : at;
}

}  // namespace

std::string_view markup_name(Markup markup) {
  return markup_names[static_cast<std::size_t>(markup)];
}

Markup find_markup(std::string_view name) {
  const auto found = std::ranges::find(markup_names, name);
  return found == markup_names.end() ? Markup::plain : static_cast<Markup>(found - markup_names.begin());
}

std::string escape_line(std::string_view value, Markup markup) {
  const std::string line = escape_controls(repair_utf8(value, value.size() * 3));
  return escape_markup(markup == Markup::sms ? fold_for_sms(line) : line, markup);
}

std::string escape_lines(std::string_view value, Markup markup) {
  std::string out;
  while (true) {
    const std::size_t end = value.find('\n');
    std::string_view line = value.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    out += escape_line(line, markup);
    if (end == std::string_view::npos) return out;
    out += markup == Markup::sms ? ' ' : '\n';
    value.remove_prefix(end + 1);
  }
}

Limits limits_of(Markup markup) {
  switch (markup) {
    case Markup::mrkdwn:
      return {150, 2900, 0};  // a header block takes 150 characters, a section 3000
    case Markup::html:
      return {200, 60'000, 0};
    case Markup::sms:
      return {0, 0, 2};
    case Markup::plain:
      break;
  }
  return {};
}

std::string cut(std::string_view text, std::size_t most) {
  std::size_t count = 0, room = 0;  // room: bytes that leave space for the mark
  for (std::size_t at = 0; at < text.size(); at += length_at(text, at)) {
    if (count + mark.size() <= most) room = at;
    if (++count <= most) continue;
    if (most < mark.size()) return {};
    return std::string(text.substr(0, whole(text, room))) + std::string(mark);
  }
  return std::string(text);
}

SmsSize sms_size(std::string_view text) {
  SmsSize size;
  std::size_t seven = 0, two = 0;
  each_character(text, [&](std::uint32_t point, std::string_view) {
    const std::size_t one = septets(point);
    size.gsm7 &= one > 0;
    seven += one;
    two += point > 0xFFFF ? 2 : 1;
  });
  size.units = size.gsm7 ? seven : two;
  const std::size_t alone = size.gsm7 ? 160 : 70, each = size.gsm7 ? 153 : 67;
  size.parts = size.units <= alone ? 1 : static_cast<int>((size.units + each - 1) / each);
  return size;
}

std::string fold_for_sms(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_character(text, [&](std::uint32_t point, std::string_view character) {
    const auto near = std::ranges::find(near_ones, static_cast<char32_t>(point), &Near::letter);
    if (septets(point) == 0 && near != near_ones.end())
      out += near->near;
    else
      out += character;
  });
  return out;
}

// By characters from the end: few are too many when a text is a little too long, and a text is short.
std::string cut_sms(std::string_view text, int parts) {
  if (sms_size(text).parts <= parts) return std::string(text);
  std::size_t low = 0, high = text.size();  // characters that fit, by halving: more never fit where fewer do not
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    if (sms_size(cut(text, middle)).parts <= parts)
      low = middle;
    else
      high = middle - 1;
  }
  return cut(text, low);
}

}  // namespace ronda::notify
