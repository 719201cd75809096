// SPDX-License-Identifier: Apache-2.0
// The rules of the contract that `ronda plugin test` tries, each in a process of its own. Numbers are those of
// sdk/README.md, "The rules", where these are enforced by *plugin test*; they are for ever.
#pragma once

#include <array>
#include <string_view>

namespace ronda::plugin {

struct ContractRule {
  std::string_view number;  // "RONDA-P-001"
  std::string_view title;   // what holds
};

inline constexpr std::array<ContractRule, 18> contract_rules = {{
    {"RONDA-P-001", "it loads, and its entry returns a description"},
    {"RONDA-P-007", "it has the kinds that its manifest names, with all mandatory functions"},
    {"RONDA-P-009", "it has no kind that its manifest does not name"},
    {"RONDA-P-015", "asked for an unknown, empty or overlong kind it returns NULL"},
    {"RONDA-P-016", "an instance is created with its options, and destroyed"},
    {"RONDA-P-017", "asked for a procedure that it does not have, create fails with a text; with only one it may make that"},
    {"RONDA-P-018", "created without any option it fails with a text, or works"},
    {"RONDA-P-019", "two instances live side by side and are destroyed in any order"},
    {"RONDA-P-022", "created with every service denied it fails with a text, or works"},
    {"RONDA-P-030", "a call ends with one result and breaks no rule of the host"},
    {"RONDA-P-037", "a second call on the same instance does so too"},
    {"RONDA-P-040", "a call that is cancelled before it begins comes back"},
    {"RONDA-P-048", "a call that is cancelled at a random moment comes back"},
    {"RONDA-P-049", "a call whose deadline is over comes back"},
    {"RONDA-P-043", "no thread of its own outlives destroy"},
    {"RONDA-P-050", "kept state that is damaged does not end the process"},
    {"RONDA-P-051", "an inbox full of nonsense does not end the process"},
    {"RONDA-P-045", "directory, umask, locale, time zone, environment, signals and descriptors are as before"},
}};

}  // namespace ronda::plugin
