// SPDX-License-Identifier: Apache-2.0
// `ronda slo`: what is left of each objective's budget, and how fast it burns.
#include <cmath>
#include <cstdio>
#include <iostream>

#include "cli/incident_text.hpp"
#include "cli/show.hpp"

namespace ronda::cli {
namespace {

std::string percent(const json::value& share) {
  if (!share.is_number()) return "unknown";
  char text[32];
  std::snprintf(text, sizeof text, "%.4g%%", share.to_number<double>() * 100);
  return text;
}

std::string times(const json::value& number) {
  if (!number.is_number()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number.to_number<double>());
  return text;
}

void print_burns(const json::object& slo) {
  for (const json::value& one : list_of(slo, "burns")) {
    if (!one.is_object()) continue;
    const json::object& burn = one.get_object();
    std::cout << "      " << padded(text_of(burn, "name"), 8) << level_label(member(burn, "level")) << "  "
              << padded(times(member(burn, "in_long")), 8) << padded(times(member(burn, "in_short")), 8) << "limit "
              << times(member(burn, "factor"))
              << (!is_set(burn, "holds")  ? ""
                  : is_set(burn, "calls") ? "  burns"
                                          : "  burns, and calls nobody");
    if (const std::string held = text_of(burn, "held_back"); !held.empty()) std::cout << "  no: only " << held;
    std::cout << "\n";
  }
}

}  // namespace

std::string slo_line(const json::object& slo) {
  return "  " + level_label(member(slo, "level")) + "  " + padded(text_of(slo, "name"), 26) + padded(text_of(slo, "promise"), 16) +
         "left " + padded(percent(member(slo, "budget_left")), 10) + "reached " + percent(member(slo, "reached")) +
         (is_set(slo, "known") ? "" : "  (nothing is known now)");
}

int slo(const Options& options) {
  if (options.arguments.size() > 1) {
    complain("usage: ronda slo [NAME]");
    return exit_usage;
  }
  const auto answer = ask_json(options, "GET", "/v1/slos");
  if (!answer) return answer.error();
  json::array found;
  for (const json::value& one : answer->value.as_array()) {
    if (options.arguments.empty() || text_of(one.as_object(), "name") == options.arguments.front()) found.push_back(one);
  }
  if (found.empty() && !options.arguments.empty()) {
    complain("there is no objective '" + options.arguments.front() + "'");
    return exit_usage;
  }
  if (options.json) {
    std::cout << json::serialize(found) << "\n";
    return exit_done;
  }
  if (found.empty()) std::cout << "there is no objective\n";
  for (const json::value& one : found) {
    std::cout << slo_line(one.as_object()) << "\n";
    print_burns(one.as_object());
  }
  return exit_done;
}

}  // namespace ronda::cli
