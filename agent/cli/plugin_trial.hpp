// SPDX-License-Identifier: Apache-2.0
// Options with which a procedure can be tried when nobody gave any: what is required gets a value that fits and that
// reaches nobody: the local discard port, a path that does not exist. Pure.
#pragma once

#include <string>
#include <vector>

#include "plugin/manifest.hpp"

namespace ronda::cli {

/// `given` ("key=value") and one more for each key that is required and missing. Values that fit no form of ours (a
/// pattern) are taken from the manifest's example.
std::vector<std::string> trial_settings(const plugin::Procedure& procedure, std::vector<std::string> given);

}  // namespace ronda::cli
