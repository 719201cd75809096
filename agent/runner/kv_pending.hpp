// SPDX-License-Identifier: Apache-2.0
// What one call has written to its instance's state and not committed: of several writes to one key the last.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/messages.hpp"

namespace ronda::runner {

class KvPending {
 public:
  /// False, and nothing is changed, when keys and values would hold more than `most` bytes with it.
  bool add(wire::KvWrite write, std::size_t most);
  /// The write to `key`, or null; until the next change.
  const wire::KvWrite* find(std::string_view key) const;
  /// By key; until the next change.
  const std::map<std::string, wire::KvWrite, std::less<>>& by_key() const { return writes_; }
  std::vector<wire::KvWrite> all() const;
  void clear();

 private:
  std::map<std::string, wire::KvWrite, std::less<>> writes_;
  std::size_t bytes_ = 0;  // of all keys and values
};

}  // namespace ronda::runner
