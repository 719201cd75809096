// SPDX-License-Identifier: Apache-2.0
// Header fields of a mail (RFC 5322, RFC 2047) from texts that may hold anything. Pure. What comes out is ASCII, has no line
// longer than 78 characters where it can be folded and none longer than 998 anywhere, and its only line's ends are those of
// folding: a CR, LF or NUL in a text never becomes one in a header.
#pragma once

#include <string>
#include <string_view>

#include "address.hpp"

namespace smtp {

constexpr std::size_t max_header_text_bytes = 1000;

/// A text for people on one line: white space and line's ends are one space, what is not harmless is \xNN, and it is cut.
std::string one_line(std::string_view text, std::size_t limit = max_header_text_bytes);

/// "Subject: Disk of caf=C3=A9" as one folded field with its CRLF; encoded words where ASCII alone would not do.
std::string unstructured(std::string_view name, std::string_view text);

/// "To: Name <user@host>"
std::string mailbox(std::string_view field, const Address& address);

/// A part of a message id that is the same for the same text and holds nothing but letters, digits, dots and dashes.
std::string id_part(std::string_view text);

/// 16 digits (FNV-1a of 64 bits): the same for the same bytes, in every build and for ever.
std::string hex_hash(std::string_view bytes);

}  // namespace smtp
