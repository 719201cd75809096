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

/// A build tree has the runner beside the program.
bool in_build_tree() {
  const fs::path own = own_directory();
  return !own.empty() && ::access((own / "ronda-runner").c_str(), X_OK) == 0;
}

/// An installation has it elsewhere: in the prefix in which this program lies, which may have been moved or chosen when it was
/// installed; else where the build was told.
bool in_own_prefix() {
  const fs::path own = own_directory();
  return !own.empty() && ::access((own.parent_path() / RONDA_REL_RUNNER).c_str(), X_OK) == 0;
}

}  // namespace

std::string system_plugin_directory() {
  const fs::path prefix = own_directory().parent_path();
  if (in_build_tree()) return (prefix / "plugins").string();
  return in_own_prefix() ? (prefix / RONDA_REL_PLUGIN_DIR).string() : RONDA_PLUGIN_DIR;
}

std::vector<std::string> plugin_directories(const Options& options) {
  return options.plugins.empty() ? std::vector<std::string>{system_plugin_directory()} : options.plugins;
}

std::string runner_path() {
  if (in_build_tree()) return (own_directory() / "ronda-runner").string();
  return in_own_prefix() ? (own_directory().parent_path() / RONDA_REL_RUNNER).string() : RONDA_RUNNER;
}

}  // namespace ronda::cli
