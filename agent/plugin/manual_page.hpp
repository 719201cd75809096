// SPDX-License-Identifier: Apache-2.0
// The manual page that a manifest becomes: roff for `man`, with the same words as the Markdown of docs.hpp. Pure; whatever
// a manifest says is text in it and never a request of roff.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"
#include "plugin/manifest.hpp"

namespace ronda::plugin {

inline constexpr std::size_t max_manual_page_bytes = 1U << 20U;

/// ASCII; an error where it would be larger than that.
Result<std::string> manual_page(const Manifest& manifest);

}  // namespace ronda::plugin
