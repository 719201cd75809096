// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace ronda::config {

/// Stands among names for those that could not be read: one that is missing there may be meant well. No name is empty.
inline constexpr std::string_view unread_name;

}  // namespace ronda::config
