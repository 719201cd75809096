// SPDX-License-Identifier: Apache-2.0
// The dynamic section of a shared object: libraries, versions, symbols. Every offset in it is hostile until
// it has been found inside a loaded segment.
#pragma once

#include "plugin/elf_image.hpp"
#include "plugin/elf_note.hpp"

namespace ronda::plugin {

/// What only decides about refusal and is not kept.
struct DynamicFacts {
  bool text_relocations = false;
  bool loads_filters = false;  // DT_AUDIT, DT_DEPAUDIT, DT_FILTER, DT_AUXILIARY
  bool is_program = false;     // DF_1_PIE
};

/// Fills libraries, versions, symbols and flags of `facts`.
Loaded<DynamicFacts> read_dynamic(const ElfImage& image, ElfFacts& facts);

}  // namespace ronda::plugin
