// SPDX-License-Identifier: Apache-2.0
// Step 2 of the loader: the bytes that were checked become a file that nobody changes any more, named by their
// hash, and that file is what a runner loads. Rename, overwrite and truncation of the original cannot reach it.
// Where the directory cannot do it, a sealed memory file stands in.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "base/descriptor.hpp"
#include "plugin/plugin_file.hpp"

namespace ronda::plugin {

struct StagedFile {
  std::string sha256;
  Descriptor file;   // readable; what the runner is given
  std::string path;  // STATE/stage/<sha256>.so; empty when it lives in memory only
  std::string note;  // why it lives in memory, for people; else empty
  std::uint64_t size = 0;
};

class Stage {
 public:
  /// Makes STATE/stage when it is missing. Never fails: what is wrong with the directory is known to
  /// trouble() and every file goes to memory then.
  Stage(const std::string& state_directory, uid_t uid);

  Loaded<StagedFile> put(const PluginBytes& plugin);

  /// Removes staged files whose hash is not in `keep`, and what an earlier death left half done. A file that is
  /// mapped lives on without its name.
  void prune(const std::set<std::string, std::less<>>& keep);

  const std::string& trouble() const { return trouble_; }

 private:
  Loaded<StagedFile> put_on_disk(const PluginBytes& plugin, std::string& why_not);
  Loaded<StagedFile> put_in_memory(const PluginBytes& plugin, const std::string& why);
  bool is_whole(int file, const PluginBytes& plugin) const;

  std::string directory_path_;
  Descriptor directory_;
  uid_t uid_;
  std::string trouble_;
};

}  // namespace ronda::plugin
