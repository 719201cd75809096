// SPDX-License-Identifier: Apache-2.0
// Text on its way out: sound UTF-8, cut where a character ends, on one line, times as RFC 3339. Pure.
#pragma once

#include <ronda/text.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace outgoing {

constexpr std::uint32_t replacement = 0xfffd;  // stands for what is no UTF-8

/// `code`: what is no character (a half of a pair, beyond 0x10ffff) becomes the replacement.
void append_utf8(std::string& to, std::uint32_t code);

/// The first character of a text that is not empty, taken off it; the replacement for a byte that begins none.
std::uint32_t take_character(std::string_view& text);

/// With every byte that is no UTF-8 replaced.
std::string valid_utf8(std::string_view text);

/// At most so many characters, the last of them "…" when some were cut off. `most` is at least 1.
std::string cut_characters(std::string_view text, std::size_t most);

/// Blanks, line ends and control characters in a row become one blank; at most so many characters.
std::string one_line(std::string_view text, std::size_t most);

/// "2026-11-29T01:03:18.250Z"; milliseconds only.
std::string rfc3339(ronda::wall_time when);

/// Whether it is a moment in that form, with any zone: what goes where others would refuse the whole message for it.
bool is_rfc3339(std::string_view text);

}  // namespace outgoing
