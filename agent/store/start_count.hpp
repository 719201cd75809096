// SPDX-License-Identifier: Apache-2.0
// How many lives of the agent in a row ended before they were well: the file `starts` of the state directory. It is
// of one size and written in place, so that it needs neither the database nor space on the disk, and it knows no
// clock. Whoever calls this holds the state directory. Not thread-safe.
#pragma once

#include <string>

#include "base/result.hpp"

namespace ronda::store {

class StartCount {
 public:
  static constexpr unsigned largest = 9999;

  explicit StartCount(const std::string& state_directory);

  /// Counts this start, durably; the number of lives before it, since the last that was well, that ended by
  /// themselves. A file that is damaged counts as none. An error: the disk; the start is not counted.
  Result<unsigned> begin();
  /// This life ends because it was told to, or refuses to begin: it is no crash, and says nothing of those before it.
  Status take_back();
  /// This life is well, or an operator says that it is. Like the above it does not wait for the disk: what a loss of
  /// power undoes here costs nothing.
  Status clear();
  unsigned before() const { return before_; }

 private:
  unsigned present() const;
  Status write(unsigned count, bool durably) const;

  std::string path_;
  unsigned before_ = 0;
  bool counted_ = false;
};

}  // namespace ronda::store
