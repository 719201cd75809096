// SPDX-License-Identifier: Apache-2.0
// What a plugin file says about itself without being loaded: the manifest's text and the facts of its ELF file.
// Reads a private copy of the bytes, runs nothing, follows nothing; hostile bytes end in a Refusal.
// What it never does: judge the manifest (manifest.hpp) or decide who may be loaded (catalogue.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plugin/refusal.hpp"

namespace ronda::plugin {

inline constexpr std::size_t max_manifest_bytes = 64U << 10U;
inline constexpr std::uint32_t manifest_note_type = 0x524F;
inline constexpr std::string_view manifest_note_owner = "RONDA";

/// One line of DT_VERNEED: "libstdc++.so.6" must offer "GLIBCXX_3.4.30".
struct NeededVersion {
  std::string library;
  std::string version;
  bool weak = false;
};

struct ElfFacts {
  std::string manifest;
  std::string build_id;  // hexadecimal; empty when there is none
  std::string soname;
  std::vector<std::string> needed;
  std::vector<NeededVersion> needed_versions;
  std::vector<std::string> offered_versions;  // DT_VERDEF: of libraries
  std::vector<std::string> exports;
  std::vector<std::string> imports;       // all of them, weak ones too
  std::vector<std::string> weak_imports;  // may stay unresolved
  std::vector<std::string> unique_symbols;
  std::vector<std::string> run_paths;  // DT_RPATH and DT_RUNPATH, split
  std::vector<std::uint32_t> entry_majors;  // N of every export ronda_plugin_entry_N, ascending
  bool static_tls = false;
  bool no_delete = false;
};

class ElfImage;
/// The text of the one manifest note, inside `image`; a Refusal where there is none, or more than one, or no text.
Loaded<std::string_view> find_manifest(const ElfImage& image);

/// Build id and entry majors, which stand in notes and exports; `facts` has its symbols already.
void take_identity(const ElfImage& image, ElfFacts& facts);

/// Everything a plugin must be; the order of the checks is that of LoadReason.
Loaded<ElfFacts> read_plugin_elf(std::span<const std::uint8_t> file);

/// The same for a library of the host: no note is asked for and nothing is refused but damage.
Loaded<ElfFacts> read_library_elf(std::span<const std::uint8_t> file);

/// True when the directory belongs to the system's own libraries: a run path there changes nothing.
bool is_system_library_directory(std::string_view directory);

/// What is wrong with needing this library, if it is another C++ runtime than the libstdc++ of ronda-runner: names that both
/// have are found in the runner's, so that an exception_ptr of libc++ counts its references in libstdc++'s kind of exception.
std::optional<std::string> foreign_runtime(std::string_view library);
inline constexpr std::string_view foreign_runtime_remedy = "link it into the plugin: clang++ -stdlib=libc++ -static-libstdc++";

/// For fuzzers: reads any bytes as a plugin; 0 always.
int fuzz_elf(const std::uint8_t* data, std::size_t size);

}  // namespace ronda::plugin
