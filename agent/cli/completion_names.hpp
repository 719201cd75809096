// SPDX-License-Identifier: Apache-2.0
// The names that a shell may offer where a word takes one.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "cli/cli.hpp"

namespace ronda::cli {

/// Where a name is expected: the words before it, "" for any, and what it names.
struct NameSlot {
  std::string_view verb;
  std::string_view word;  // the verb's own word; empty: it has none
  int position;           // of the name among all words that are no options, from 1 for the verb's first
  std::string_view kind;  // see names_of
};
std::span<const NameSlot> name_slots();

/// Where the value of an option is a name.
struct NameFlag {
  std::string_view flag;
  std::string_view kind;
};
std::span<const NameFlag> name_flags();

/// Sections of conf.d and lists of the agent, with a blank between them: "check task", "incidents". What cannot be read or does
/// not answer has no names; nothing is said.
std::set<std::string> names_of(const Options& options, std::string_view kinds);

}  // namespace ronda::cli
