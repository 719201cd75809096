// SPDX-License-Identifier: Apache-2.0
// Where in a file a byte of a TOML string stands: for a caret inside of texts that have a grammar of their own.
#pragma once

#include <cstddef>
#include <string_view>

#include "config/value.hpp"

namespace ronda::config {

/// The place of byte `offset` of the string at `value`, which begins at its opening quote; escapes and strings of several
/// lines are followed through the file's text. The string's own place where it is not to be found there: a text that came
/// from a reference, or a file whose text is not at hand.
Place inside(Place value, std::string_view file_text, std::size_t offset);

}  // namespace ronda::config
