// SPDX-License-Identifier: Apache-2.0
// What the libraries of this host offer, so that "needs GLIBCXX_3.4.32" is said before anything is loaded.
// Reads files of the system's library directories, each once; loads nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugin/elf_note.hpp"

namespace ronda::plugin {

/// The directories of the dynamic linker: its built-in ones and those of /etc/ld.so.conf.d.
std::vector<std::string> system_library_directories();

class HostLibraries {
 public:
  explicit HostLibraries(std::vector<std::string> directories) : directories_(std::move(directories)) {}

  /// A library or a version that the plugin needs and this host lacks, as far as files tell.
  std::optional<Refusal> check(const ElfFacts& facts);

 private:
  struct Library {
    bool found = false;
    std::vector<std::string> versions;  // empty: unknown
  };
  const Library& look_up(const std::string& soname);

  std::vector<std::string> directories_;
  std::map<std::string, Library> known_;
};

}  // namespace ronda::plugin
