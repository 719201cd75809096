// SPDX-License-Identifier: Apache-2.0
// The composition root: builds the parts in order, connects them, runs the loop and takes them down in reverse.
// Wiring, no decisions.
#pragma once

#include <string>
#include <vector>

namespace ronda {

struct AgentOptions {
  std::string config_directory;
  std::vector<std::string> plugin_directories;
  std::string state_directory;
  std::string socket;
  std::string trust_file;
  std::string env_file;
  std::string runner;                   // path of ronda-runner
  std::string system_plugin_directory;  // the only one in safe mode
  bool safe_mode = false;
};

/// Runs until it is told to stop; the exit code of `ronda run`.
int run_agent(const AgentOptions& options);

}  // namespace ronda
