// SPDX-License-Identifier: Apache-2.0
// What may be shown of values that came from references, and of addresses that carry passwords.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/value.hpp"

namespace ronda::config {

/// A URL, connection string or path without userinfo, query and fragment: "https://h/p" of
/// "https://u:p@h/p?k=v".
std::string cut_address(std::string_view text);

/// A literal URL with its userinfo hidden: "https://***@h/p?k=v".
std::string hide_userinfo(std::string_view text);

/// True for options that say where something is: url, host, port, path, and names that end in _url and so on.
bool is_address_key(std::string_view key);

/// The text of a string value for people. `written` is what stood in the file, or empty. Secrets are shown as
/// written; values of variables too, except in an address, where the resolved address is shown, cut.
std::string shown_text(const Value& value, std::string_view written, bool is_address);

/// `text` with each of the secrets replaced by "***".
std::string hide_secrets(std::string_view text, std::span<const std::string> secrets);

}  // namespace ronda::config
