// SPDX-License-Identifier: Apache-2.0
// Options as they travel to a runner. Pure.
#pragma once

#include <string>

#include "plugin/options.hpp"

namespace ronda::plugin {

/// One encoded map; an empty map when the node is not a table.
std::string encode_options(const OptionNode& options);

}  // namespace ronda::plugin
