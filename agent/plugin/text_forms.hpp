// SPDX-License-Identifier: Apache-2.0
// The forms of text that options may ask for: path, url, host. Syntax only; nothing is looked up.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace ronda::plugin {

/// Absolute, without ".." parts and control characters.
Status check_path(std::string_view text);
/// "scheme://authority...", without spaces and control characters.
Status check_url(std::string_view text);
/// A host name (labels of [A-Za-z0-9_-]), an IPv4 or an IPv6 address, the latter with or without brackets.
Status check_host(std::string_view text);

}  // namespace ronda::plugin
