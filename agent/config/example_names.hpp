// SPDX-License-Identifier: Apache-2.0
// Names that are reserved for examples and lead nowhere, wherever they are used (RFC 2606, RFC 6761). Pure.
#pragma once

#include <string_view>

#include "config/value.hpp"

namespace ronda::config {

/// Whether the text holds a name below .example or .invalid, or of example.com, example.net or example.org.
bool names_an_example(std::string_view text);
/// The same for all texts in a value.
bool holds_an_example(const Value& value);

}  // namespace ronda::config
