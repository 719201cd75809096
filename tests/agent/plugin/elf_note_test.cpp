// SPDX-License-Identifier: Apache-2.0
#include "plugin/elf_note.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "built_plugin.hpp"
#include "catch.hpp"
#include "plugin/elf_image.hpp"

using namespace ronda;
using namespace ronda::plugin;
using namespace ronda::test;

namespace {

const FileBytes& good_file() {
  static const FileBytes bytes = [] {
    const TempDir dir;
    return read_bytes(build_plugin(dir, "good"));
  }();
  return bytes;
}

std::string refusal_of(const FileBytes& file) {
  const auto facts = read_plugin_elf(file);
  return facts ? "accepted" : facts.error().text();
}

std::string refusal_of(std::string_view text) { return refusal_of(FileBytes(text.begin(), text.end())); }

std::string refusal_of(const PluginSource& source) {
  const TempDir dir;
  return refusal_of(read_bytes(build_plugin(dir, "made", source)));
}

template <class T>
FileBytes with(std::size_t offset, T value) {
  FileBytes file = good_file();
  std::memcpy(file.data() + offset, &value, sizeof value);
  return file;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

TEST_CASE("the manifest and the facts of a plugin are read without loading it", "[plugin]") {
  const auto facts = read_plugin_elf(good_file());
  REQUIRE(facts);
  CHECK(facts->manifest == minimal_manifest);
  CHECK(facts->entry_majors == std::vector<std::uint32_t>{1});
  CHECK(has(facts->exports, "ronda_plugin_entry_1"));
  CHECK(facts->build_id.size() == 40);
  CHECK_FALSE(facts->static_tls);
  CHECK_FALSE(facts->no_delete);
}

TEST_CASE("what is not a plugin is refused with a sentence of its own", "[plugin]") {
  using namespace std::string_literals;
  CHECK(refusal_of(""s) == "read/empty_file: the file is empty; copy or build it again");
  CHECK(refusal_of("\x7f" "ELF\x02\x01\x01\x00"s) ==
        "read/truncated: ends inside the ELF header; copy it again");
  CHECK(refusal_of("\x7f" "E"s) == "read/truncated: ends inside the ELF header; copy it again");
  CHECK(refusal_of("manifest = 1"s) == "read/not_elf: is not an ELF file; build it with ronda_add_plugin()");
  CHECK(refusal_of("!<arch>\nlibx.o/"s) ==
        "read/archive: is a static library (ar archive), not a shared object; link it with ronda_add_plugin()");
  CHECK(refusal_of("#!/bin/sh\n"s) ==
        "read/script: is a script, not a shared object; run scripts with the check exec.nagios");
}

TEST_CASE("a foreign ELF header is named for what it is", "[plugin]") {
  CHECK(refusal_of(with<std::uint8_t>(EI_CLASS, ELFCLASS32))
            .starts_with("read/wrong_class: is a 32-bit ELF file; the agent is 64-bit; build it for "));
  CHECK(refusal_of(with<std::uint8_t>(EI_DATA, ELFDATA2MSB))
            .starts_with("read/wrong_byte_order: is a big-endian ELF file; this host is little-endian"));
  CHECK(refusal_of(with<std::uint16_t>(offsetof(Elf64_Ehdr, e_machine), EM_RISCV))
            .starts_with("read/wrong_machine: is built for riscv; this host is "));
  CHECK(refusal_of(with<std::uint16_t>(offsetof(Elf64_Ehdr, e_type), ET_EXEC)) ==
        "read/not_shared_object: is a program, not a shared object; link it with ronda_add_plugin()");
  CHECK(refusal_of(with<std::uint16_t>(offsetof(Elf64_Ehdr, e_type), ET_REL)) ==
        "read/not_shared_object: is an object file, not linked yet, not a shared object; "
        "link it with ronda_add_plugin()");
}

TEST_CASE("a plugin cut anywhere is refused or read whole, never a fault", "[plugin]") {
  const FileBytes& whole = good_file();
  for (std::size_t size = 0; size < whole.size(); size += 64) {
    const FileBytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto facts = read_plugin_elf(cut);
    if (facts) CHECK(facts->manifest == minimal_manifest);  // only the section headers were cut off
  }
  const FileBytes half(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 3));
  CHECK(refusal_of(half).starts_with("read/truncated: segment "));
}

TEST_CASE("a file larger than 64 MiB is refused before it is copied", "[plugin]") {
  const FileBytes file((64U << 20U) + 1, 0);
  CHECK(refusal_of(file) ==
        "read/too_large: has 67108865 bytes; a plugin has at most 64 MiB; "
        "strip it, or link its libraries dynamically");
}

TEST_CASE("exactly one manifest note is taken, and only a sound one", "[plugin]") {
  CHECK(refusal_of(PluginSource::with_manifest("")) ==
        "read/no_note: has no manifest (no note of owner RONDA, type 0x524f); build it with ronda_add_plugin()");
  const TempDir dir;
  write_file(dir / "second.toml", minimal_manifest);
  CHECK(refusal_of(PluginSource::with_code(minimal_code + note_of(dir / "second.toml"))) ==
        "read/many_notes: has 2 manifests; one file is one plugin; link one plugin.toml into each plugin");
  CHECK(refusal_of(PluginSource::with_manifest(minimal_manifest + std::string(70'000, '#')))
            .starts_with("read/note_too_large: the manifest has "));
  CHECK(refusal_of(PluginSource::with_manifest("# \xff\xfe\n")) ==
        "read/note_not_utf8: the manifest is not UTF-8; save plugin.toml as plain UTF-8");
  CHECK(refusal_of(PluginSource::with_manifest(std::string("ab\0c", 4))) ==
        "read/note_not_utf8: the manifest has a NUL at byte 2; it is UTF-8 text without NUL; "
        "save plugin.toml as plain UTF-8");
}

TEST_CASE("ways of linking that open a door are refused", "[plugin]") {
  CHECK(refusal_of(PluginSource::with_flags({"-Wl,-z,execstack"}))
            .starts_with("read/executable_stack: asks for an executable stack; link with -Wl,-z,noexecstack"));
  CHECK(refusal_of(PluginSource::with_flags({"-Wl,-rpath,/tmp/evil"})) ==
        "read/foreign_run_path: wants libraries from '/tmp/evil' (RUNPATH); "
        "link without -rpath; install its libraries where the system looks");
  CHECK(refusal_of(PluginSource::with_flags({"-Wl,--auxiliary,libother.so"}))
            .starts_with("read/loads_by_path: names an auditor or a filter library"));
  CHECK(refusal_of(PluginSource::with_flags({"-Wl,-rpath,/usr/lib"})) == "accepted");
}

TEST_CASE("a plugin that shares another C++ runtime is refused", "[plugin]") {
  for (const char* library : {"libc++.so.1", "libc++abi.so.1"}) {
    const TempDir libraries;
    const std::string other =
        build_plugin(libraries, "other", PluginSource::with_flags({std::string("-Wl,-soname,") + library}));
    CHECK(refusal_of(PluginSource::with_flags({"-Wl,--no-as-needed", other})) ==
          "read/foreign_runtime: needs the library '" + std::string(library) +
              "', which shares names with the libstdc++ of ronda-runner, but not the layout of exceptions; "
              "link it into the plugin: clang++ -stdlib=libc++ -static-libstdc++");
  }
}

#if defined(__x86_64__)
TEST_CASE("a relocation in code is refused", "[plugin]") {
  const std::string code = minimal_code +
                           "extern int far_away; __asm__(\".text\\nmoved: movabsq $far_away, %rax\\n\");"
                           "int far_away;\n";
  CHECK(refusal_of(PluginSource::with_code(code, {"-Wl,-z,notext"})) ==
        "read/text_relocations: has relocations in its code (TEXTREL); compile everything in it with -fPIC");
}
#endif

TEST_CASE("facts that lint judges are seen", "[plugin]") {
  const TempDir dir;
  const std::string code = minimal_code +
                           "__attribute__((tls_model(\"initial-exec\"))) __thread int slot;\n"
                           "int stray(void) { return slot; } extern void exit(int); void leave(void) { exit(1); }\n";
  const auto facts = read_plugin_elf(
      read_bytes(build_plugin(dir, "odd", PluginSource::with_code(code, {"-Wl,-z,nodelete"}))));
  REQUIRE(facts);
  CHECK(facts->static_tls);
  CHECK(facts->no_delete);
  CHECK(has(facts->exports, "stray"));
  CHECK(has(facts->imports, "exit"));
  CHECK(has(facts->needed, "libc.so.6"));
  CHECK(std::ranges::any_of(facts->needed_versions, [](const NeededVersion& need) {
    return need.library == "libc.so.6" && need.version.starts_with("GLIBC_2.");
  }));
}

TEST_CASE("unique symbols of C++ are seen", "[plugin]") {
  const TempDir dir;
  const std::string code =
      "extern \"C\" const void* ronda_plugin_entry_1(const void*, void*) { return nullptr; }\n"
      "template <class T> struct Shared { static inline int value = 1; };\n"
      "int use() { return ++Shared<int>::value; }\n";
  const auto facts = read_plugin_elf(
      read_bytes(build_plugin(dir, "unique", PluginSource::with_cpp(code))));
  REQUIRE(facts);
#if !defined(__clang__)
  CHECK_FALSE(facts->unique_symbols.empty());
#endif
}

TEST_CASE("symbols and notes are found without section headers", "[plugin]") {
  FileBytes file = good_file();
  auto header = *read_at<Elf64_Ehdr>(file, 0);
  file.resize(header.e_shoff);
  const auto facts = read_plugin_elf(file);
  REQUIRE(facts);
  CHECK(facts->manifest == minimal_manifest);
  CHECK(has(facts->exports, "ronda_plugin_entry_1"));
}

namespace {

void mutate_files(std::uint32_t count) {
  const FileBytes good = good_file();
  for (std::uint32_t seed = 0; seed < count; ++seed) {
    std::mt19937 random(seed);
    FileBytes file = good;
    const std::size_t changes = 1 + random() % 12;
    for (std::size_t i = 0; i < changes; ++i) {
      // most of the structure stands in the first 4 KiB
      const std::size_t reach = random() % 2 == 0 ? 4096 : file.size();
      const std::size_t at = random() % std::min(reach, file.size());
      file[at] = random() % 3 == 0 ? static_cast<std::uint8_t>(0xff) : static_cast<std::uint8_t>(random());
    }
    if (random() % 8 == 0) file.resize(random() % file.size());
    INFO("seed " << seed);
    REQUIRE(fuzz_elf(file.data(), file.size()) == 0);
  }
}

}  // namespace

TEST_CASE("2,000 mutated files end in facts or a refusal", "[plugin]") {
  mutate_files(2000);
}

// the same 2,000 first; sanitized.sh runs them where a byte read too far ends the test
TEST_CASE("100,000 mutated files end in facts or a refusal", "[plugin][.long][mutated]") {
  mutate_files(100'000);
}
