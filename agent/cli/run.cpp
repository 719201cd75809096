// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "agent.hpp"
#include "cli/cli.hpp"
#include "cli/layout.hpp"

namespace ronda::cli {

int run_agent(const Options& options) {
  AgentOptions agent;
  // absolute, so that what is shown and stored means the same from everywhere
  const auto absolute = [](const std::string& path) { return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string(); };
  agent.config_directory = absolute(options.config);
  for (const std::string& directory : plugin_directories(options)) agent.plugin_directories.push_back(absolute(directory));
  agent.state_directory = absolute(options.state);
  agent.socket = absolute(socket_path(options));
  agent.trust_file = absolute(options.trust);
  agent.env_file = absolute(options.env_file);
  agent.runner = runner_path();
  agent.system_plugin_directory = system_plugin_directory();
  agent.safe_mode = options.has("safe-mode");
  return ronda::run_agent(agent);
}

}  // namespace ronda::cli
