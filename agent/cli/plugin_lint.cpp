// SPDX-License-Identifier: Apache-2.0
// `ronda plugin lint`: every finding with its rule and remedy. Exit code 1 when one of them is an error.
#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "base/text.hpp"
#include "cli/plugin_tools.hpp"
#include "plugin/lint.hpp"

namespace ronda::cli {
namespace json = boost::json;

namespace {

void print_text(const std::string& path, const std::vector<plugin::LintFinding>& findings) {
  for (const plugin::LintFinding& finding : findings) {
    std::cout << escape_controls(path) << ": " << plugin::to_string(finding.severity) << " " << finding.rule
              << ": " << escape_controls(finding.message) << "\n";
    if (!finding.remedy.empty()) std::cout << "  remedy: " << finding.remedy << "\n";
  }
  if (findings.empty()) std::cout << escape_controls(path) << ": nothing to correct\n";
}

void print_json(const std::string& path, const std::vector<plugin::LintFinding>& findings) {
  json::array list;
  for (const plugin::LintFinding& finding : findings)
    list.push_back(json::object{{"severity", plugin::to_string(finding.severity)},
                                {"rule", finding.rule},
                                {"message", finding.message},
                                {"remedy", finding.remedy}});
  std::cout << json::serialize(json::object{{"format", 1}, {"file", path}, {"findings", std::move(list)}})
            << "\n";
}

}  // namespace

int plugin_lint(const Options& options) {
  const auto path = find_plugin_file(options, options.arguments[0]);
  if (!path) return complain_of(path.error());
  const auto content = plugin::read_any_plugin(*path);
  if (!content) {
    complain(escape_controls(*path) + " " + content.error().message);
    return exit_failed;
  }
  const auto findings = plugin::lint(content->bytes, plugin::system_library_directories());
  if (options.json)
    print_json(*path, findings);
  else
    print_text(*path, findings);
  const bool wrong = std::ranges::any_of(
      findings, [](const plugin::LintFinding& f) { return f.severity == plugin::LintSeverity::error; });
  return wrong ? exit_failed : exit_done;
}

}  // namespace ronda::cli
