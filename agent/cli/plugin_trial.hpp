// SPDX-License-Identifier: Apache-2.0
// Options with which a procedure can be tried when nobody gave any: what is required gets the manifest's
// example, or a value that fits. Paths do not exist, so that nothing of this host is written. Pure.
#pragma once

#include <string>
#include <vector>

#include "plugin/manifest.hpp"

namespace ronda::cli {

/// `given` ("key=value") and one more for each key that is required and missing.
std::vector<std::string> trial_settings(const plugin::Procedure& procedure, std::vector<std::string> given);

}  // namespace ronda::cli
