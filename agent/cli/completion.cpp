// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <set>

#include "cli/completion_names.hpp"

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

/// Options whose value is a word of its own, as a pattern of the shell.
std::string with_values() {
  std::set<std::string_view> names;
  for (const Verb& verb : verbs()) {
    for (const Flag& flag : verb.flags) {
      if (!flag.argument.empty()) names.insert(flag.name);
    }
  }
  std::string out = "--output";
  for (const std::string_view name : names) out += "|--" + std::string(name);
  return out;
}

/// Which names are expected: after an option, else by the words before.
void print_kinds() {
  std::cout << "  case ${COMP_WORDS[COMP_CWORD-1]} in\n    --output) [[ $word == -* ]] || words='text json' kinds=- ;;\n";
  for (const NameFlag& flag : name_flags()) std::cout << "    --" << flag.flag << ") kinds='" << flag.kind << "' ;;\n";
  std::cout << "  esac\n  [ -n \"$kinds\" ] || case $verb/${plain[1]}/${#plain[@]} in\n";
  for (const NameSlot& slot : name_slots())
    std::cout << "    " << slot.verb << "/" << (slot.word.empty() ? "*" : slot.word) << "/" << slot.position << ") kinds='" << slot.kind
              << "' ;;\n";
  std::cout << "  esac\n";
}

int print_names(const Options& options) {
  std::string kinds;
  for (std::size_t i = 1; i < options.arguments.size(); ++i) kinds += (i > 1 ? " " : "") + options.arguments[i];
  for (const std::string& name : names_of(options, kinds)) std::cout << name << "\n";
  return exit_done;
}

}  // namespace

int completion(const Options& options) {
  if (options.arguments.size() >= 2 && options.arguments.front() == "names") return print_names(options);
  if (options.arguments.size() != 1 || options.arguments.front() != "bash") {
    complain("usage: ronda completion bash; for example: ronda completion bash > /etc/bash_completion.d/ronda");
    return exit_usage;
  }
  // the words before this one: those that are no options, and the options that say which agent and which conf.d
  std::cout
      << "_ronda() {\n  local word=${COMP_WORDS[COMP_CWORD]} verb= words= kinds= i\n  local -a plain=() where=()\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n    case ${COMP_WORDS[i]} in\n"
         "      --config|--plugins|--state|--socket|--trust|--env-file) where+=(\"${COMP_WORDS[i]}\" \"${COMP_WORDS[i+1]}\"); ((++i)) ;;\n"
      << "      " << with_values()
      << ") ((++i)) ;;\n      -*) ;;\n      *) plain+=(\"${COMP_WORDS[i]}\") ;;\n    esac\n  done\n"
         "  verb=${plain[0]}\n  if [ -z \"$verb\" ]; then\n    words='";
  std::string names;
  for (const Verb& verb : verbs()) names += std::string(verb.name) + " ";
  std::cout << names << common << "'\n  else\n    case $verb in\n";
  for (const Verb& verb : verbs()) {
    std::cout << "      " << verb.name << ") words='" << (verb.arguments == "[VERB]" ? names : first_words(verb.arguments));
    for (const Flag& flag : verb.flags) std::cout << "--" << flag.name << " ";
    std::cout << common << "' ;;\n";
  }
  std::cout << "    esac\n  fi\n";
  print_kinds();
  std::cout << "  if [ -n \"${kinds#-}\" ] && [[ $word != -* ]]; then\n"
               "    words=$(\"${COMP_WORDS[0]}\" completion names $kinds \"${where[@]}\" 2>/dev/null)\n  fi\n"
               "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
               "  [ ${#COMPREPLY[@]} -gt 0 ] || [ -n \"$kinds\" ] || mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n}\n"
               "complete -F _ronda ronda\n";
  return exit_done;
}

}  // namespace ronda::cli
