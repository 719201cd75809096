// SPDX-License-Identifier: Apache-2.0
// The signature of a body: who has the key can tell that it came from here, whole, and when. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace webhook {

/// "sha256=" and the HMAC-SHA256 (RFC 2104) of "TIMESTAMP.BODY" in hexadecimal; `timestamp_s`: seconds since 1970.
std::string signature_of(std::string_view key, std::int64_t timestamp_s, std::string_view body);

}  // namespace webhook
