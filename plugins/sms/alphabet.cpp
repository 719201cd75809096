// SPDX-License-Identifier: Apache-2.0
#include "alphabet.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "outgoing/text.hpp"

namespace sms {
namespace {

using outgoing::take_character;

constexpr std::size_t gsm7_alone = 160, gsm7_part = 153, ucs2_alone = 70, ucs2_part = 67;

/// Of the default alphabet beyond ASCII, and of ASCII what it lacks.
constexpr std::u32string_view gsm7_beyond_ascii = U"£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
constexpr std::u32string_view gsm7_extension = U"^{}\\[~]|€\f";

/// Units in the GSM alphabet; 0: it is not there.
std::size_t gsm7_units(char32_t c) {
  if (gsm7_extension.find(c) != gsm7_extension.npos) return 2;
  const bool in_ascii = (c >= 0x20 && c < 0x7f && c != '`') || c == '\n' || c == '\r';
  return in_ascii || gsm7_beyond_ascii.find(c) != gsm7_beyond_ascii.npos ? 1 : 0;
}

std::size_t ucs2_units(char32_t c) {
  return c > 0xffff ? 2 : 1;
}

struct Replacement {
  std::u32string_view from;  // any of these
  std::string_view to;
};

constexpr Replacement replacements[] = {
    {U"‘’‚‛′`´", "'"},
    {U"“”„‟″«»", "\""},
    {U"‐‑‒–—―−", "-"},
    {U"…", "..."},
    {U"•‣●▪", "*"},
    {U"·", "."},
    {U"\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000\t", " "},
    {U"\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff", ""},
    {U"→", "->"},
    {U"←", "<-"},
    {U"⇒", "=>"},
    {U"≤", "<="},
    {U"≥", ">="},
    {U"≠", "!="},
    {U"×", "x"},
    {U"°", "deg"},
    {U"áâãāă", "a"},
    {U"ÁÀÂÃ", "A"},
    {U"êëēę", "e"},
    {U"ÈÊË", "E"},
    {U"íîïī", "i"},
    {U"ÍÌÎÏ", "I"},
    {U"óôõōő", "o"},
    {U"ÓÒÔÕ", "O"},
    {U"úûūű", "u"},
    {U"ÚÙÛ", "U"},
    {U"ç", "c"},
    {U"ýÿ", "y"},
    {U"Ý", "Y"},
};

const Replacement* replacement_of(char32_t c) {
  const auto* found = std::find_if(std::begin(replacements), std::end(replacements),
                                   [&](const Replacement& row) { return row.from.find(c) != row.from.npos; });
  return found == std::end(replacements) ? nullptr : found;
}

template <class Units>
Size measured(std::string_view text, Alphabet alphabet, Units units_of, std::size_t alone, std::size_t part) {
  Size size;
  size.alphabet = alphabet;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto units = units_of(take_character(text));
    size.units += units;
    if (used + units > part) ++size.segments, used = 0;
    used += units;
  }
  if (size.units <= alone) size.segments = 1;
  return size;
}

bool fits_gsm7(std::string_view text) {
  while (!text.empty())
    if (gsm7_units(take_character(text)) == 0) return false;
  return true;
}

}  // namespace

Size size_of(std::string_view text) {
  if (fits_gsm7(text)) return measured(text, Alphabet::gsm7, gsm7_units, gsm7_alone, gsm7_part);
  return measured(text, Alphabet::ucs2, ucs2_units, ucs2_alone, ucs2_part);
}

std::string transliterated(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = take_character(text);
    const auto* row = gsm7_units(c) == 0 ? replacement_of(c) : nullptr;
    if (row != nullptr)
      out += row->to;
    else
      outgoing::append_utf8(out, c);
  }
  return out;
}

}  // namespace sms
