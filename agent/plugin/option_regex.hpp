// SPDX-License-Identifier: Apache-2.0
// Regular expressions that people and manifests give: POSIX extended, bounded in size. What is matched here is a value
// of an option, which is short: regexec may take time quadratic in it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ronda::plugin {

inline constexpr std::size_t max_regex_bytes = 1000;

/// Refuses what regcomp refuses, what would cost too much, and escapes that other dialects know and this not.
Status check_regex(std::string_view pattern);

/// True when `pattern` (checked before) matches somewhere in `text`.
bool regex_matches(const std::string& pattern, const std::string& text);

}  // namespace ronda::plugin
