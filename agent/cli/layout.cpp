// SPDX-License-Identifier: Apache-2.0
#include "cli/layout.hpp"

#include <unistd.h>

#include <filesystem>

namespace ronda::cli {
namespace fs = std::filesystem;

namespace {

/// The directory of this program; empty where /proc does not tell.
fs::path own_directory() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

/// A build tree has the runner beside the program; an installation has it elsewhere.
bool in_build_tree() {
  const fs::path own = own_directory();
  return !own.empty() && ::access((own / "ronda-runner").c_str(), X_OK) == 0;
}

}  // namespace

std::string system_plugin_directory() { return in_build_tree() ? (own_directory().parent_path() / "plugins").string() : RONDA_PLUGIN_DIR; }

std::vector<std::string> plugin_directories(const Options& options) {
  return options.plugins.empty() ? std::vector<std::string>{system_plugin_directory()} : options.plugins;
}

std::string runner_path() { return in_build_tree() ? (own_directory() / "ronda-runner").string() : RONDA_RUNNER; }

}  // namespace ronda::cli
