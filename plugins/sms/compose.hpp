// SPDX-License-Identifier: Apache-2.0
// The text of one message to a telephone, and the number it goes to. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sms {

/// '+', and 7 to 15 digits of which the first is no 0.
bool is_e164(std::string_view number);

struct Parts {
  std::string_view title, body;
  std::string ack;  ///< how to acknowledge; comes last and is never cut off
};

/// "Reply 4821 to acknowledge." in the language, "es" or any other for English. The code is at most 32 characters.
std::string ack_sentence(std::string_view code, std::string_view language);

/// Title, body and ack, one a line, in at most so many segments: what is too long is cut where a character ends, and "..."
/// stands there. With `transliterate` in the GSM alphabet wherever transliterated() gets it there.
std::string compose(const Parts& parts, std::size_t max_segments, bool transliterate);

/// As a form says it: percent-encoded but for letters, digits and "-._~".
std::string form_encoded(std::string_view text);

}  // namespace sms
