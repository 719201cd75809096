// SPDX-License-Identifier: Apache-2.0
// Any file as a plugin: facts or a refusal.
#include "plugin/elf_note.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return ronda::plugin::fuzz_elf(data, size);
}
