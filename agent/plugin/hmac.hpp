// SPDX-License-Identifier: Apache-2.0
// Codes of authentication over bytes, and their text forms. They stand beside sha256.hpp, where libcrypto is at home.
#pragma once

#include <string>
#include <string_view>

namespace ronda::plugin {

std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 bytes
std::string hmac_sha1(std::string_view key, std::string_view bytes);    // 20 bytes; for who signs by nothing better
std::string sha256_hex(std::string_view bytes);

std::string base64(std::string_view bytes);      // padded, RFC 4648 4
std::string base64_url(std::string_view bytes);  // for URLs, without padding, RFC 4648 5

/// Takes as long wherever two texts of the same length differ first.
bool is_same_secret(std::string_view a, std::string_view b);

}  // namespace ronda::plugin
