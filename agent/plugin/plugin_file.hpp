// SPDX-License-Identifier: Apache-2.0
// Step 1 of the loader: opens a plugin file that nobody but root or the agent's user can have changed, without
// following a link, and reads it once into memory. All later steps look at these bytes and never at the file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.hpp"
#include "plugin/refusal.hpp"

namespace ronda::plugin {

/// Which file it was, and since when, as stat has it.
struct FileMark {
  std::uint64_t device = 0, inode = 0;
  std::int64_t size = 0, modified_ns = 0;
  bool operator==(const FileMark&) const = default;
};

/// "same", "differs" or "missing": what is at `path` now, beside the file that was read. It may differ in its time alone. A stat;
/// nothing is opened.
std::string_view compare_file(const std::string& path, const FileMark& read);

/// The bytes of a plugin and what they are called.
struct PluginBytes {
  std::vector<std::uint8_t> bytes;
  std::string sha256;
  FileMark file = {};
};

/// A directory of plugins: itself and everything above it only root's or `uid`'s. May be reached by a symlink.
Loaded<Descriptor> open_plugin_directory(const std::string& path, uid_t uid);

/// The entry `name` of an open directory: regular, no symlink, owner and mode as above, at most 64 MiB.
Loaded<Descriptor> open_plugin_entry(int directory, const std::string& name, uid_t uid);

/// Reads and hashes. A file that grows past the cap while it is read is refused.
Loaded<PluginBytes> read_plugin_bytes(int file);

/// For the author's tools: any regular file by any path, its owner does not matter.
Loaded<PluginBytes> read_any_plugin(const std::string& path);

/// The bytes of a shared library of the host, which nobody hashes.
Loaded<std::vector<std::uint8_t>> read_library(const std::string& path);

}  // namespace ronda::plugin
