// SPDX-License-Identifier: Apache-2.0
// `ronda alert list`: what fires, and what could.
#include <algorithm>
#include <array>
#include <iostream>

#include "cli/incident_text.hpp"

namespace ronda::cli {

int alert(const Options& options) {
  constexpr std::array<std::string_view, 1> known = {"list"};
  if (!options.arguments.empty() && options.arguments.front() != "list") return unknown_word("alert", options.arguments.front(), known);
  if (options.arguments.size() != 1) {
    complain("usage: ronda alert list [--firing]");
    return exit_usage;
  }
  const auto answer = ask_json(options, "GET", std::string("/v1/alerts") + (options.has("firing") ? "?firing=1" : ""));
  if (!answer) return answer.error();
  if (options.json) {
    std::cout << answer->text << "\n";
    return exit_done;
  }
  const json::array& alerts = answer->value.as_array();
  if (alerts.empty()) std::cout << (options.has("firing") ? "no alert fires\n" : "there is no alert\n");
  std::vector<const json::object*> sorted;
  for (const json::value& one : alerts) sorted.push_back(&one.as_object());
  std::ranges::stable_sort(sorted, {}, [](const json::object* one) {
    const std::string level = text_of(*one, "level");
    return level.empty() ? std::string("q") : level;  // after p4
  });
  for (const json::object* one : sorted) std::cout << alert_line(*one) << "\n";
  return exit_done;
}

}  // namespace ronda::cli
