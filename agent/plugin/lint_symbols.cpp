// SPDX-License-Identifier: Apache-2.0
#include "plugin/lint_symbols.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <set>

#include "plugin/plugin_file.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t max_libraries = 200;

/// The first library of that name for this machine, as the dynamic linker would take it.
std::optional<ElfFacts> find_library(const std::string& soname, const std::vector<std::string>& directories) {
  for (const std::string& directory : directories) {
    const std::string path = directory + "/" + soname;
    struct stat found {};
    if (stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) continue;
    const auto bytes = read_any_plugin(path);
    if (!bytes) continue;
    if (auto library = read_library_elf(bytes->bytes)) return *std::move(library);
  }
  return std::nullopt;
}

}  // namespace

Loaded<ReadFacts> read_elf_facts(const ElfImage& image) {
  ReadFacts out;
  RONDA_TRY(out.dynamic, read_dynamic(image, out.facts));
  take_identity(image, out.facts);
  return out;
}

std::vector<std::string> undefined_symbols(const ElfFacts& facts,
                                           const std::vector<std::string>& library_directories) {
  std::set<std::string, std::less<>> wanted(facts.imports.begin(), facts.imports.end());
  for (const std::string& name : facts.weak_imports) wanted.erase(name);
  for (const std::string& name : facts.exports) wanted.erase(name);
  std::deque<std::string> open(facts.needed.begin(), facts.needed.end());
  std::set<std::string, std::less<>> seen(open.begin(), open.end());
  while (!open.empty() && !wanted.empty() && seen.size() < max_libraries) {
    const auto library = find_library(open.front(), library_directories);
    open.pop_front();
    if (!library) return {};
    for (const std::string& name : library->exports) wanted.erase(name);
    for (const std::string& name : library->needed)
      if (seen.insert(name).second) open.push_back(name);
  }
  return {wanted.begin(), wanted.end()};
}

}  // namespace ronda::plugin
