// SPDX-License-Identifier: Apache-2.0
// The header Retry-After (RFC 9110, 10.2.3): seconds, or a date in one of the three forms of HTTP. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace outgoing {

/// A server that asks for more is asked again after this.
constexpr std::chrono::seconds longest_retry_after{3600};

/// From now on, 0 to longest_retry_after; 0 for a date that has passed. Nothing when it is neither seconds nor a date.
/// `now_s`: seconds since 1970.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now_s);

}  // namespace outgoing
