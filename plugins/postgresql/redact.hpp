// SPDX-License-Identifier: Apache-2.0
// Keeps passwords out of everything that people read: connection strings in both of libpq's forms, and the
// texts of libpq and the server, which quote pieces of them. Pure; never looks a secret up, never connects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postgresql {

/// The connection string with every password replaced by ***; also where it is malformed.
std::string redact(std::string_view dsn);

/// One line: newlines become "; ", each secret becomes ***.
std::string scrub(std::string_view text, const std::vector<std::string>& secrets);

/// Everything in double quotes becomes "...": libpq's complaints about a malformed connection string quote
/// whatever stood at that place.
std::string mask_quoted(std::string_view text);

/// A statement's text without string and number literals, on one line, at most `limit` bytes.
std::string without_literals(std::string_view statement, std::size_t limit);

}  // namespace postgresql
