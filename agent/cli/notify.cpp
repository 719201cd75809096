// SPDX-License-Identifier: Apache-2.0
// `ronda notify list`: the messages that are owed, on their way, delivered or given up.
#include <array>
#include <iostream>

#include "cli/incident_text.hpp"

namespace ronda::cli {

int notify(const Options& options) {
  constexpr std::array<std::string_view, 1> known = {"list"};
  if (!options.arguments.empty() && options.arguments.front() != "list") return unknown_word("notify", options.arguments.front(), known);
  if (options.arguments.size() != 1) {
    complain("usage: ronda notify list [--incident ID] [--limit N]");
    return exit_usage;
  }
  std::string query;
  for (const char* flag : {"incident", "limit"}) {
    if (options.has(flag)) query += (query.empty() ? "?" : "&") + std::string(flag) + "=" + percent_encode(options.value(flag));
  }
  const auto answer = ask_json(options, "GET", "/v1/outbox" + query);
  if (!answer) return answer.error();
  if (options.json) {
    std::cout << answer->text << "\n";
    return exit_done;
  }
  const json::array& all = answer->value.as_array();
  if (all.empty()) std::cout << "there is no message\n";
  print_messages(all);
  return exit_done;
}

}  // namespace ronda::cli
