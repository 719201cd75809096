// SPDX-License-Identifier: Apache-2.0
// A copy of the open database into one file of its own, a few pages at a time.
// The final name appears only when the copy is complete, checked and synced; nothing is ever overwritten.
// Until then it is written to a file of a name that nobody else has, in the same directory.
#pragma once

#include <memory>
#include <string>

#include "store/database.hpp"

namespace ronda::store {

class Backup {
 public:
  static Result<std::unique_ptr<Backup>> start(Database& source, const std::string& path);
  ~Backup();  // removes what is not finished

  /// True when all pages are copied. Only between transactions of `source`, which must outlive this.
  Result<bool> step(int pages);
  Status finish();

 private:
  explicit Backup(std::string path);
  struct Copy;
  std::string path_, partial_;  // partial_: what this made and has to take away; empty: nothing
  std::unique_ptr<Copy> copy_;
};

}  // namespace ronda::store
