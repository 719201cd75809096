// SPDX-License-Identifier: Apache-2.0
// What of a generation is no instance and yet not as it was, by name: for who reloads.
#pragma once

#include <string>
#include <vector>

#include "config/generation.hpp"

namespace ronda::config {

/// "removed alert web", "added contact ann", "changed service shop", "changed settings".
std::vector<std::string> changes_between(const Generation& before, const Generation& after);

}  // namespace ronda::config
