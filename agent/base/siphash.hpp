// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 with 128 bits of output: tells contents apart. Not for passwords, and no proof against someone
// who knows the key. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", and its reference
// vectors.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace ronda {

struct Hash128 {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  auto operator<=>(const Hash128&) const = default;
};

using SipKey = std::array<std::uint64_t, 2>;

Hash128 siphash128(std::string_view bytes, const SipKey& key = {});

/// 32 hexadecimal digits.
std::string to_hex(const Hash128& hash);

}  // namespace ronda
