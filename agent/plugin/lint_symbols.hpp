// SPDX-License-Identifier: Apache-2.0
// The parts of lint that read more than one note: a file's facts without any refusal, and its symbols against
// the libraries of this host.
#pragma once

#include <string>
#include <vector>

#include "plugin/elf_dynamic.hpp"

namespace ronda::plugin {

struct ReadFacts {
  DynamicFacts dynamic;
  ElfFacts facts;  // without the manifest
};
/// Only damage is refused: what is merely wrong is for the rules to say.
Loaded<ReadFacts> read_elf_facts(const ElfImage& image);

/// Imports, weak ones aside, that neither the libraries it names nor those that they name export. Nothing
/// where a library is missing: that is said elsewhere, and would make everything undefined.
std::vector<std::string> undefined_symbols(const ElfFacts& facts,
                                           const std::vector<std::string>& library_directories);

}  // namespace ronda::plugin
