// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "base/text.hpp"
#include "cli/cli.hpp"
#include "cli/incident_text.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

namespace {

/// What the task says of how far it is, as `ronda status` shows it; empty where it says nothing.
std::string progress_of(const Options& options, const std::string& name) {
  const auto answer = ask_agent(options, "GET", "/v1/status", {}, std::chrono::seconds(2));
  if (!answer) return {};
  boost::system::error_code error;
  const json::value status = json::parse(answer->body, error);
  if (error || !status.is_object()) return {};
  for (const json::value& task : list_of(status.as_object(), "tasks")) {
    if (!task.is_object() || text_of(task.as_object(), "name") != name) continue;
    const json::value* const progress = task.as_object().if_contains("progress");
    if (progress == nullptr || !progress->is_object()) return {};
    return progress_bar(number_of(progress->as_object(), "share")) + " " + text_of(progress->as_object(), "what");
  }
  return {};
}

}  // namespace

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
  const auto answer = ask_long(options, target, std::chrono::hours(24), "waiting for " + escape_controls(options.arguments[1]),
                               [&] { return progress_of(options, options.arguments[1]); });
  if (!answer) return answer.error();
  const json::object& result = answer->value.as_object();
  std::cout << (options.json ? answer->text : text_of(result, "line")) << "\n";
  const std::string fate = text_of(result, "fate");
  const std::int64_t exit = integer_of(result, "exit");
  if (fate != "finished" || exit == exit_undetermined) return exit_undetermined;  // what it did before it was cut off is not known
  return exit == 0 ? exit_done : exit_failed;
}

}  // namespace ronda::cli
