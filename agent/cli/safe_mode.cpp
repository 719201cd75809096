// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/cli.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

int safe_mode(const Options& options) {
  if (options.arguments.size() != 1 || options.arguments.front() != "leave") {
    complain("usage: ronda safe-mode leave");
    return exit_usage;
  }
  const auto answer = ask_json(options, "POST", "/v1/safe-mode/leave");
  if (!answer) return answer.error();
  std::cout << (options.json ? answer->text : "safe mode is over; tasks run by their schedule again") << "\n";
  return exit_done;
}

}  // namespace ronda::cli
