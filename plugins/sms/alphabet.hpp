// SPDX-License-Identifier: Apache-2.0
// The two alphabets of text messages (3GPP TS 23.038) and how many parts a text takes in them. Texts are UTF-8. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sms {

enum class Alphabet {
  gsm7,  ///< 160 units alone, 153 a part; the characters of the extension take two units
  ucs2,  ///< 70 units alone, 67 a part; characters beyond the basic plane take two units
};

struct Size {
  Alphabet alphabet = Alphabet::gsm7;
  std::size_t units = 0;
  std::size_t segments = 1;
};

/// In the GSM alphabet when all characters are in it. No character is divided between two parts.
Size size_of(std::string_view text);

/// With typographic characters replaced by what stands for them in ASCII, and accents taken off the letters that the GSM
/// alphabet has only without. What nothing stands for remains.
std::string transliterated(std::string_view text);

}  // namespace sms
