// SPDX-License-Identifier: Apache-2.0
// A quick look at TOML text before the real parser: nesting that would cost it its stack, and headers that
// stand twice, with both places. Knows strings and comments, nothing else; what it lets pass may still be
// wrong.
#pragma once

#include <string_view>

#include "config/diagnostic.hpp"

namespace ronda::config {

/// False, with diagnostics, when the text must not go to the parser.
bool scan_toml(std::string_view text, std::uint32_t file, Diagnostics& diagnostics);

}  // namespace ronda::config
