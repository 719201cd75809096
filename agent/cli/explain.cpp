// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "cli/cli.hpp"
#include "cli/incident_text.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

int explain(const Options& options) {
  if (options.arguments.size() != 1) {
    complain("explain takes the name of one check, task, notifier, alert or objective");
    return exit_usage;
  }
  constexpr std::string_view slo = "slo/";  // of the alerts of objectives
  const std::string& asked = options.arguments.front();
  const std::size_t slash = asked.find('/');
  const std::string target = asked.starts_with(slo) ? percent_encode(asked.substr(slo.size())) + "?slo=1"
                             : slash != std::string::npos && slash > 0
                                 ? percent_encode(asked.substr(0, slash)) + "?alert=" + percent_encode(asked)
                                 : percent_encode(asked);
  const auto answer = ask_json(options, "GET", "/v1/explain/" + target);
  if (!answer) return answer.error();
  if (options.json) {
    std::cout << answer->text << "\n";
    return exit_done;
  }
  const json::object& result = answer->value.as_object();
  const schedule::ZonePtr zone = zone_of_agent(options);
  if (text_of(result, "kind") == "alert") {
    print_explained(result, *zone);
    return exit_done;
  }
  std::cout << text_of(result, "line") << "\n\nuse       " << text_of(result, "use") << " of " << text_of(result, "plugin") << "\n";
  std::cout << "since     " << instant_text(result.at("since"), *zone) << " (" << age_of(result.at("since")) << ")\n";
  // two counts with two beginnings: runs are the agent's own, failures are remembered
  std::cout << "runs      " << integer_of(result, "runs") << ", not run " << integer_of(result, "skips")
            << " times, since the agent's start (" << age_of(result.at("runs_since")) << ")\n";
  std::cout << "failures  " << integer_of(result, "failures") << " in a row, over restarts of the agent; last ok "
            << age_of(result.at("last_ok")) << (text_of(result, "last_ok").empty() ? "" : " ago") << "\n";
  const std::string next = instant_text(result.at("next_run"), *zone);
  std::cout << "next run  " << (next.empty() ? "only by hand or by an event" : next) << "\n\nthe last trip\n";
  for (const json::value& step : result.at("trail").as_array()) {
    std::string part = text_of(step.as_object(), "part");
    part.resize(std::max<std::size_t>(part.size(), 10), ' ');
    std::cout << "  " << padded(instant_text(step.as_object().at("at"), *zone), instant_width) << part << text_of(step.as_object(), "text")
              << "\n";
  }
  if (const json::value* alert = result.if_contains("alert"); alert != nullptr && alert->is_object()) {
    std::cout << "\n";
    print_explained(alert->as_object(), *zone);
  }
  return exit_done;
}

}  // namespace ronda::cli
