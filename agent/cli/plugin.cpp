// SPDX-License-Identifier: Apache-2.0
// `ronda plugin VERB`: chooses the verb and counts its arguments.
#include <algorithm>
#include <array>
#include <iostream>

#include "base/text.hpp"
#include "cli/plugin_tools.hpp"

namespace ronda::cli {
namespace {

struct PluginVerb {
  std::string_view name, arguments, help;
  std::size_t least, most;  // how many arguments
  int (*run)(const Options& options);
};

constexpr std::array<PluginVerb, 12> plugin_verbs = {{
    {"list", "", "the plugins that are found, and the files that are refused", 0, 0, plugin_list},
    {"inspect", "FILE|ID", "everything a plugin says about itself; runs nothing of it", 1, 1, plugin_inspect},
    {"why", "FILE|ID", "why it is used or not: each step of the loader, and what the agent says", 1, 1,
     plugin_why},
    {"clear", "NAME", "end the quarantine of a plugin or an instance", 1, 1, plugin_clear},
    {"docs", "FILE|ID [--into README|--man]", "its manual as Markdown; --into renews the tables of a README, --man is a manual page", 1, 1,
     plugin_docs},
    {"schema", "FILE|ID [PROCEDURE]", "JSON Schema of what conf.d may say to it", 1, 2, plugin_schema},
    {"lint", "FILE|ID", "what is wrong with the file or its manifest, with a remedy for each", 1, 1,
     plugin_lint},
    {"test", "FILE|ID [--only RULE] [--seed N]", "run the rules of the contract against it", 1, 1,
     plugin_test},
    {"run", "FILE|ID [PROCEDURE] [--set KEY=VALUE]", "run one procedure once, as a runner would", 1, 2,
     plugin_run},
    {"new", "[check|task|notifier] NAME [--id ID]", "start a plugin of your own from the template", 1, 2,
     plugin_new},
    {"ld-args", "", "flags to build a plugin without CMake", 0, 0, plugin_ld_args},
    {"install", "FILE [--signature FILE] [--yes [--accept-grants LIST]]", "check a plugin and put it into the plugin directory", 1, 1,
     plugin_install},
}};

void print_usage(std::ostream& out) {
  out << "usage: ronda plugin VERB ...\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const PluginVerb& verb : plugin_verbs)
    rows.push_back(
        {"  " + std::string(verb.name) + " " + std::string(verb.arguments), std::string(verb.help)});
  out << columns(rows) << "\nAn ID is a plugin's id or its file's name without .so.\n";
}

int unknown_plugin_verb(const std::string& word) {
  std::vector<std::string_view> names;
  for (const PluginVerb& verb : plugin_verbs) names.push_back(verb.name);
  const std::string_view meant = nearest(word, names);
  complain("plugin has no verb \"" + escape_controls(word) + "\"" +
           (meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?"));
  return exit_usage;
}

}  // namespace

int plugin(const Options& options) {
  if (options.arguments.empty()) {
    print_usage(std::cerr);
    return exit_usage;
  }
  const std::string& word = options.arguments.front();
  const auto* const verb = std::ranges::find(plugin_verbs, word, &PluginVerb::name);
  if (verb == plugin_verbs.end()) return unknown_plugin_verb(word);
  Options rest = options;
  rest.arguments.erase(rest.arguments.begin());
  if (rest.arguments.size() < verb->least || rest.arguments.size() > verb->most) {
    complain("usage: ronda plugin " + std::string(verb->name) + " " + std::string(verb->arguments));
    return exit_usage;
  }
  return verb->run(rest);
}

}  // namespace ronda::cli
