// SPDX-License-Identifier: Apache-2.0
// The bytes of a shared object as the dynamic linker would see them, read with bounds on every access.
// Works on a private copy in memory, never on a mapping of the file, and looks at no section header.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/refusal.hpp"

namespace ronda::plugin {

using Bytes = std::span<const std::uint8_t>;

inline constexpr std::uint64_t max_plugin_bytes = 64ULL << 20U;

/// A T at `offset`, or nothing when it would reach outside; no alignment is assumed.
template <class T>
std::optional<T> read_at(Bytes bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// One note of a PT_NOTE segment.
struct ElfNote {
  std::string_view owner;
  std::uint32_t type = 0;
  std::string_view text;
};

class ElfImage {
 public:
  /// Copies the bytes and checks header and segments; nothing is trusted before that.
  static Loaded<ElfImage> open(Bytes file);

  const std::vector<Elf64_Phdr>& segments() const { return segments_; }
  /// From `address` to the end of its segment's file part; empty when no segment has it.
  Bytes from_address(std::uint64_t address) const;
  /// Every note, in order; a damaged one ends its segment.
  std::vector<ElfNote> notes() const;
  /// PT_DYNAMIC up to DT_NULL; empty when there is none.
  std::vector<Elf64_Dyn> dynamic() const;

 private:
  explicit ElfImage(Bytes file) : copy_(file.begin(), file.end()) {}
  std::optional<Refusal> read_segments();

  std::vector<std::uint8_t> copy_;
  std::vector<Elf64_Phdr> segments_;
};

}  // namespace ronda::plugin
