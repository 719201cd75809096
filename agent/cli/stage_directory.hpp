// SPDX-License-Identifier: Apache-2.0
// Where a verb stages plugins that it runs without an agent.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace ronda::cli {

/// A directory for staged files that a runner of another user can reach; goes with its owner.
class StageDirectory {
 public:
  StageDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ronda-run-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  StageDirectory(const StageDirectory&) = delete;
  StageDirectory& operator=(const StageDirectory&) = delete;
  ~StageDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }  // empty: it could not be made

 private:
  std::string path_;
};

}  // namespace ronda::cli
