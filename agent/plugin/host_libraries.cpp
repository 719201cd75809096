// SPDX-License-Identifier: Apache-2.0
#include "plugin/host_libraries.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "plugin/plugin_file.hpp"

namespace ronda::plugin {
namespace {

/// The directories named in one file of the dynamic linker's configuration.
void add_directories_of(const std::filesystem::path& file, std::vector<std::string>& out) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    const std::string_view text = trim(std::string_view(line).substr(0, line.find('#')));
    if (text.starts_with('/')) out.emplace_back(text);
  }
}

/// "GLIBCXX_3.4.30" as the name before the numbers and the numbers.
struct Version {
  std::string_view family;
  std::vector<unsigned long> numbers;
};

Version parse_version(std::string_view text) {
  const std::size_t line = text.rfind('_');
  if (line == std::string_view::npos) return {text, {}};
  Version out{text.substr(0, line), {}};
  std::string_view rest = text.substr(line + 1);
  while (!rest.empty()) {
    const std::string part(rest.substr(0, rest.find('.')));
    if (part.empty() || part.size() > 9 || part.find_first_not_of("0123456789") != std::string::npos)
      return {text, {}};
    out.numbers.push_back(std::stoul(part));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  }
  return out;
}

/// The newest version of the same family, or nothing.
std::string newest_like(const std::string& wanted, const std::vector<std::string>& offered) {
  const Version want = parse_version(wanted);
  std::string best;
  for (const std::string& version : offered) {
    const Version have = parse_version(version);
    if (have.family != want.family || have.numbers.empty()) continue;
    if (best.empty() || parse_version(best).numbers < have.numbers) best = version;
  }
  return best;
}

}  // namespace

std::vector<std::string> system_library_directories() {
  std::vector<std::string> out;
  add_directories_of("/etc/ld.so.conf", out);
  std::error_code none;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator("/etc/ld.so.conf.d", none))
    if (entry.path().extension() == ".conf") files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) add_directories_of(file, out);
  for (const char* directory : {"/lib", "/usr/lib", "/lib64", "/usr/lib64"}) out.emplace_back(directory);
  return out;
}

const HostLibraries::Library& HostLibraries::look_up(const std::string& soname) {
  const auto [entry, is_new] = known_.try_emplace(soname);
  if (!is_new) return entry->second;
  for (const std::string& directory : directories_) {
    const std::string path = directory + "/" + soname;
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    const auto bytes = read_library(path);
    // of another architecture: the dynamic linker looks on, too
    const auto library = bytes ? read_library_elf(*bytes) : Loaded<ElfFacts>(bytes.error());
    const bool foreign = !library && (library.error().reason == LoadReason::wrong_machine ||
                                      library.error().reason == LoadReason::wrong_class);
    if (foreign) continue;
    entry->second.found = true;
    if (library) entry->second.versions = library->offered_versions;
    break;
  }
  return entry->second;
}

std::optional<Refusal> HostLibraries::check(const ElfFacts& facts) {
  for (const std::string& library : facts.needed) {
    if (look_up(library).found) continue;
    return Refusal{LoadStep::read, LoadReason::missing_library,
                   "needs the library " + escape_controls(library) + ", which this host does not have",
                   "install the package that brings it"};
  }
  for (const NeededVersion& need : facts.needed_versions) {
    const Library& library = look_up(need.library);
    if (need.weak || library.versions.empty()) continue;
    if (std::ranges::find(library.versions, need.version) != library.versions.end()) continue;
    const std::string newest = newest_like(need.version, library.versions);
    return Refusal{LoadStep::read, LoadReason::missing_version,
                   "needs " + escape_controls(need.version) + " of " + escape_controls(need.library) +
                       (newest.empty() ? ", which it does not offer here" : "; this host has up to " + newest),
                   "build it on this release of the system or an older one"};
  }
  return std::nullopt;
}

}  // namespace ronda::plugin
