// SPDX-License-Identifier: Apache-2.0
// All plugins that may be used, found in the plugin directories without running any of their code, and all
// files that may not, each with the step that refused it. Steps 1 to 4 of the loader; 5 is schema.hpp. Files that
// have the same id are refused, all of them: no name or place of a file says which of them is meant.
// A catalogue is immutable; a rescan makes a new one. Identity is the content hash, never mtime or inode.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/abi_window.hpp"
#include "plugin/elf_note.hpp"
#include "plugin/host_libraries.hpp"
#include "plugin/manifest.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/stage.hpp"
#include "plugin/trust.hpp"

namespace ronda::plugin {

/// One usable plugin. Shared between generations; its staged file lives as long as somebody holds this.
struct PluginEntry {
  std::string path;  // where it was found
  std::string sha256;
  std::uint64_t size = 0;
  FileMark file;
  Manifest manifest;
  ElfFacts facts;
  std::uint32_t entry_major = 1;  // which ronda_plugin_entry_N to call
  std::vector<Grant> grants;
  std::vector<std::string> users;
  std::vector<std::string> warnings;         // about its manifest, with line and column
  std::shared_ptr<const StagedFile> staged;  // null when the scan had no stage
};
using PluginPointer = std::shared_ptr<const PluginEntry>;

struct RefusedFile {
  std::string path;
  Refusal refusal;
  std::string id;                       // where the manifest could be read
  std::vector<std::string> procedures;  // the same
  std::vector<std::string> problems;    // of the manifest: headlines with line and column
};

struct Catalogue {
  std::map<std::string, PluginPointer, std::less<>> plugins;  // by id
  std::vector<RefusedFile> refused;
  std::vector<std::string> skipped;  // names that are no plugins by rule: hidden, backups, package leftovers

  struct Found {
    PluginPointer plugin;
    const Procedure* procedure = nullptr;  // inside plugin
  };
  /// Nothing when no usable plugin provides it.
  std::optional<Found> find(Kind kind, std::string_view name) const;
  /// "no plugin provides the check 'disc'; did you mean 'disk'?", or which refused file would.
  std::string explain_missing(Kind kind, std::string_view name) const;
  /// The trail of the loader for an id or a path; empty when neither is known.
  std::string why(std::string_view id_or_path) const;
};

struct ScanRequest {
  std::vector<std::string> directories;  // of two ids with one procedure the first is used; one named twice is read once
  uid_t uid = 0;                         // besides root, who may own plugins: the agent's own
  HostAbi abi = this_agents_abi();
  Trust trust;
  Stage* stage = nullptr;                    // nothing is staged without one
  HostLibraries* libraries = nullptr;        // nothing is known of the host's libraries without them
  const Catalogue* previous = nullptr;       // files with the same hash are not read again
  std::map<std::string, std::string> unfit;  // hash -> why: code that was tried and failed
  /// Begins to read the bytes in a throw-away process, before they are read here; what it returns waits for the answer and is
  /// called at most once. A fault of a library there refuses the file. A few are under way at once, so the bytes may be gone by then.
  std::function<std::function<Status()>(const PluginBytes&)> vet;
};

Catalogue scan_plugins(const ScanRequest& request);

/// Paths of what a scan would look at, in its order, as the directories are now. Nothing is opened but those.
std::vector<std::string> list_plugin_files(const std::vector<std::string>& directories, uid_t uid);
/// The bytes of one of them under the rules of a scan; nothing where a scan will refuse it.
std::optional<PluginBytes> read_listed_plugin(const std::string& path, uid_t uid);

/// What the throw-away process behind ScanRequest::vet runs: everything that reads hostile bytes. That it comes
/// back is the answer.
void read_hostile_bytes(std::span<const std::uint8_t> bytes);

struct CatalogueChange {
  std::string id, old_sha256, new_sha256;  // empty: was not there, is gone
};
/// By id; equal hashes are no change.
std::vector<CatalogueChange> diff(const Catalogue& before, const Catalogue& after);

/// The hashes in use, for Stage::prune.
std::set<std::string, std::less<>> hashes_of(const Catalogue& catalogue);

}  // namespace ronda::plugin
