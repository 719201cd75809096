// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/cli.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

int reload(const Options& options) {
  const std::string target = std::string("/v1/reload") + (options.has("allow-empty") ? "?allow_empty=1" : "");
  const auto answer = ask_long(options, target, std::chrono::minutes(2), "waiting for the agent to read and try");
  if (!answer) return answer.error();
  if (options.json) std::cout << answer->text << "\n";
  const json::object& result = answer->value.as_object();
  if (!options.json) {
    for (const json::value& detail : result.at("details").as_array()) std::cerr << text_of(detail) << "\n";
    std::cout << text_of(result.at("line")) << "\n";
  }
  return result.at("ok").as_bool() ? exit_done : exit_failed;
}

}  // namespace ronda::cli
