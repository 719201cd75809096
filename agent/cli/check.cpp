// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "base/text.hpp"
#include "cli/cli.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

int check(const Options& options) {
  if (options.arguments.size() != 1) {
    complain("check takes the name of one check; 'ronda status' lists them");
    return exit_undetermined;
  }
  const std::string target = "/v1/checks/" + percent_encode(options.arguments.front()) + "/run";
  const auto answer = ask_long(options, target, std::chrono::hours(1), "waiting for " + escape_controls(options.arguments.front()));
  if (!answer) {  // in the Nagios meaning even a refusal is "not determined"; who reads only stdout is told so there
    if (!options.json) std::cout << "UNKNOWN - " << escape_controls(options.arguments.front()) << ": not determined\n";
    return exit_undetermined;
  }
  const json::object& result = answer->value.as_object();
  std::cout << (options.json ? answer->text : text_of(result, "line")) << "\n";
  return static_cast<int>(integer_of(result, "exit"));
}

}  // namespace ronda::cli
