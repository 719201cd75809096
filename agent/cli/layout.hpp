// SPDX-License-Identifier: Apache-2.0
// Where the other files of Ronda lie, seen from this program: installed, or in a build tree.
#pragma once

#include <string>
#include <vector>

#include "cli/cli.hpp"

namespace ronda::cli {

/// LIBDIR/ronda/plugins
std::string system_plugin_directory();
/// --plugins, or the system's directory.
std::vector<std::string> plugin_directories(const Options& options);
std::string runner_path();

}  // namespace ronda::cli
