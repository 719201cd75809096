// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>

#include "cli/cli.hpp"

namespace ronda::cli {

namespace {

constexpr std::string_view common = "--config --plugins --state --socket --trust --env-file --output --no-color --help";

/// The words that stand first in a verb's arguments: "list|inspect ..." or "backup FILE | restore FILE".
std::string first_words(std::string_view arguments) {
  std::string out;
  while (!arguments.empty()) {
    const std::size_t bar = std::min(arguments.find('|'), arguments.size());
    std::string_view part = arguments.substr(0, bar);
    arguments.remove_prefix(std::min(bar + 1, arguments.size()));
    const std::size_t start = part.find_first_not_of(" [");
    if (start == std::string_view::npos) continue;
    part = part.substr(start);
    part = part.substr(0, part.find_first_of(" ]"));
    const bool literal = !part.empty() && std::ranges::all_of(part, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
    if (literal) out += std::string(part) + " ";
  }
  return out;
}

}  // namespace

int completion(const Options& options) {
  if (options.arguments.size() != 1 || options.arguments.front() != "bash") {
    complain("usage: ronda completion bash; for example: ronda completion bash > /etc/bash_completion.d/ronda");
    return exit_usage;
  }
  std::cout
      << "_ronda() {\n  local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words=\n  if [ \"$COMP_CWORD\" = 1 ]; then\n    words='";
  std::string names;
  for (const Verb& verb : verbs()) names += std::string(verb.name) + " ";
  std::cout << names << "'\n  else\n    case $verb in\n";
  for (const Verb& verb : verbs()) {
    std::cout << "      " << verb.name << ") words='" << (verb.arguments == "[VERB]" ? names : first_words(verb.arguments));
    for (const Flag& flag : verb.flags) std::cout << "--" << flag.name << " ";
    std::cout << common << "' ;;\n";
  }
  std::cout << "    esac\n  fi\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
               "  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n}\ncomplete -F _ronda ronda\n";
  return exit_done;
}

}  // namespace ronda::cli
