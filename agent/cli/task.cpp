// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/cli.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

int task(const Options& options) {
  if (options.arguments.size() != 2 || options.arguments.front() != "run") {
    complain("usage: ronda task run NAME [--dry-run]");
    return exit_usage;
  }
  if (options.has("set")) {
    complain("--set: no task of this version declares params");
    return exit_usage;
  }
  const std::string target = "/v1/tasks/" + percent_encode(options.arguments[1]) + "/run" + (options.has("dry-run") ? "?dry_run=1" : "");
  const auto answer = ask_json(options, "POST", target, {}, std::chrono::hours(24));
  if (!answer) return answer.error();
  const json::object& result = answer->value.as_object();
  std::cout << (options.json ? answer->text : text_of(result, "line")) << "\n";
  const std::string fate = text_of(result, "fate");
  if (fate != "finished") return exit_undetermined;  // what it did before it was cut off is not known
  return integer_of(result, "exit") == 0 ? exit_done : exit_failed;
}

}  // namespace ronda::cli
