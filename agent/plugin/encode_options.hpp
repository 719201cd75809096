// SPDX-License-Identifier: Apache-2.0
// Options as they travel to a runner. Pure.
#pragma once

#include <span>
#include <string>

#include "plugin/options.hpp"

namespace ronda::plugin {

/// One encoded map; an empty map when the node is not a table. Behind it, if there are any, a list of texts that
/// must not be shown either: `pieces`, which may be parts of the options, and the forms of all secrets (forms_of).
std::string encode_options(const OptionNode& options, std::span<const std::string> pieces = {});

}  // namespace ronda::plugin
