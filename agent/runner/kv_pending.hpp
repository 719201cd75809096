// SPDX-License-Identifier: Apache-2.0
// What one call has written to its instance's state and not committed: of several writes to one key the last.
// A pointer while there is nothing, which is how it is nearly always.
#pragma once

#include <map>
#include <memory>
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
  const std::map<std::string, wire::KvWrite, std::less<>>& by_key() const;
  std::vector<wire::KvWrite> all() const;
  void clear() { held_.reset(); }

 private:
  struct Held {
    std::map<std::string, wire::KvWrite, std::less<>> writes;
    std::size_t bytes = 0;  // of all keys and values
  };
  std::unique_ptr<Held> held_;  // null: nothing
};

}  // namespace ronda::runner
