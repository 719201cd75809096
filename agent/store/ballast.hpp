// SPDX-License-Identifier: Apache-2.0
// Room kept on the file system of the state directory for the day when it is full.
// It never takes the last free space: it comes back only when there is a quarter more than it needs.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace ronda::store {

class Ballast {
 public:
  /// Of 0 bytes: none is wanted.
  Ballast(std::string path, std::int64_t bytes) : path_(std::move(path)), bytes_(bytes) {}
  bool present() const;
  Status create() const;
  /// False when there was none.
  bool release() const;

  /// Whether an unprivileged file could not grow, or not be made. SQLite does not always say so.
  bool is_disk_full() const;
  bool is_disk_read_only() const;

 private:
  std::string directory() const { return path_.substr(0, path_.rfind('/')); }

  std::string path_;
  std::int64_t bytes_;
};

}  // namespace ronda::store
