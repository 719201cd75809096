// SPDX-License-Identifier: Apache-2.0
#include "plugin/elf_note.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "plugin/elf_dynamic.hpp"
#include "plugin/elf_image.hpp"

namespace ronda::plugin {
namespace {

constexpr std::string_view rebuild = "build it with ronda_add_plugin()";

Refusal refuse_note(LoadReason reason, std::string message, std::string_view remedy = rebuild) {
  return {LoadStep::read, reason, std::move(message), std::string(remedy)};
}

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::optional<Refusal> check_manifest_text(std::string_view text) {
  if (text.size() > max_manifest_bytes) {
    return refuse_note(LoadReason::note_too_large, "the manifest has " + std::to_string(text.size()) + " bytes; at most 65536 are read",
                       "shorten the doc texts");
  }
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    return refuse_note(LoadReason::note_not_utf8,
                       "the manifest has a NUL at byte " + std::to_string(nul) + "; it is UTF-8 text without NUL",
                       "save plugin.toml as plain UTF-8");
  }
  if (repair_utf8(text, text.size()) != text)
    return refuse_note(LoadReason::note_not_utf8, "the manifest is not UTF-8", "save plugin.toml as plain UTF-8");
  return std::nullopt;
}

void take_build_id(const ElfImage& image, ElfFacts& facts) {
  for (const ElfNote& note : image.notes()) {
    if (note.owner == "GNU" && note.type == NT_GNU_BUILD_ID && note.text.size() <= 64) facts.build_id = hexadecimal(note.text);
  }
}

void take_entry_majors(ElfFacts& facts) {
  constexpr std::string_view prefix = "ronda_plugin_entry_";
  for (const std::string_view name : facts.exports) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view digits = name.substr(prefix.size());
    std::uint32_t major = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), major);
    if (failed == std::errc{} && end == digits.data() + digits.size()) facts.entry_majors.push_back(major);
  }
  std::ranges::sort(facts.entry_majors);
}

std::optional<Refusal> check_stack(const ElfImage& image) {
  const auto& segments = image.segments();
  const auto stack = std::ranges::find(segments, std::uint32_t{PT_GNU_STACK}, &Elf64_Phdr::p_type);
  if (stack != segments.end() && (stack->p_flags & PF_X) == 0) return std::nullopt;
  return refuse_note(LoadReason::executable_stack,
                     stack == segments.end() ? "does not say that its stack is not executable" : "asks for an executable stack",
                     "link with -Wl,-z,noexecstack, and give assembler files a .note.GNU-stack section");
}

std::optional<Refusal> check_linking(const DynamicFacts& dynamic, const ElfFacts& facts) {
  if (dynamic.text_relocations)
    return refuse_note(LoadReason::text_relocations, "has relocations in its code (TEXTREL)", "compile everything in it with -fPIC");
  for (const std::string& directory : facts.run_paths) {
    if (!is_system_library_directory(directory))
      return refuse_note(LoadReason::foreign_run_path, "wants libraries from '" + escape_controls(directory) + "' (RUNPATH)",
                         "link without -rpath; install its libraries where the system looks");
  }
  for (const std::string& library : facts.needed) {
    if (library.find('/') != std::string::npos)
      return refuse_note(LoadReason::loads_by_path, "needs the library '" + escape_controls(library) + "' by path",
                         "link it by its soname");
    if (auto wrong = foreign_runtime(library)) return refuse_note(LoadReason::foreign_runtime, std::move(*wrong), foreign_runtime_remedy);
  }
  if (dynamic.loads_filters)
    return refuse_note(LoadReason::loads_by_path, "names an auditor or a filter library", "link without --audit, --filter and --auxiliary");
  if (dynamic.is_program)
    return refuse_note(LoadReason::not_shared_object, "is a position-independent program, not a shared object",
                       "link it with ronda_add_plugin()");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> foreign_runtime(std::string_view library) {
  if (!library.starts_with("libc++.so") && !library.starts_with("libc++abi.so")) return std::nullopt;
  return "needs the library '" + escape_controls(library) +
         "', which shares names with the libstdc++ of ronda-runner, but not the layout of exceptions";
}

bool is_system_library_directory(std::string_view directory) {
  constexpr std::array<std::string_view, 8> known = {"/lib",   "/usr/lib",   "/lib/x86_64-linux-gnu",  "/usr/lib/x86_64-linux-gnu",
                                                     "/lib64", "/usr/lib64", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"};
  while (directory.size() > 1 && directory.ends_with('/')) directory.remove_suffix(1);
  return std::ranges::find(known, directory) != known.end();
}

Loaded<std::string_view> find_manifest(const ElfImage& image) {
  std::vector<std::string_view> manifests;
  for (const ElfNote& note : image.notes())
    if (note.owner == manifest_note_owner && note.type == manifest_note_type) manifests.push_back(note.text);
  if (manifests.empty()) return refuse_note(LoadReason::no_note, "has no manifest (no note of owner RONDA, type 0x524f)");
  if (manifests.size() > 1) {
    return refuse_note(LoadReason::many_notes, "has " + std::to_string(manifests.size()) + " manifests; one file is one plugin",
                       "link one plugin.toml into each plugin");
  }
  if (auto refusal = check_manifest_text(manifests.front())) return *std::move(refusal);
  return manifests.front();
}

void take_identity(const ElfImage& image, ElfFacts& facts) {
  take_build_id(image, facts);
  take_entry_majors(facts);
}

Loaded<ElfFacts> read_plugin_elf(std::span<const std::uint8_t> file) {
  RONDA_TRY(const ElfImage image, ElfImage::open(file));
  ElfFacts facts;
  RONDA_TRY(const DynamicFacts dynamic, read_dynamic(image, facts));
  if (auto refusal = check_linking(dynamic, facts)) return *std::move(refusal);
  if (auto refusal = check_stack(image)) return *std::move(refusal);
  RONDA_TRY(const std::string_view manifest, find_manifest(image));
  facts.manifest = manifest;
  take_identity(image, facts);
  return facts;
}

Loaded<ElfFacts> read_library_elf(std::span<const std::uint8_t> file) {
  RONDA_TRY(const ElfImage image, ElfImage::open(file));
  ElfFacts facts;
  if (auto dynamic = read_dynamic(image, facts); !dynamic) return std::move(dynamic).error();
  take_build_id(image, facts);
  return facts;
}

int fuzz_elf(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(read_plugin_elf({data, size}));
  static_cast<void>(read_library_elf({data, size}));
  return 0;
}

}  // namespace ronda::plugin
