// SPDX-License-Identifier: Apache-2.0
// The claims of slots that this life made in commits that were refused. A commit whose sync failed may be in the file all the same
// (its frames are found in the WAL when that is opened again): then the claim that finds its own row is the one that was made.
// [the store's thread]
#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "store/types.hpp"

namespace ronda::store {

class UnsureClaims {
 public:
  void add(const InstanceId& id, std::int64_t scheduled) {
    if (slots_.size() >= most) slots_.erase(slots_.begin());
    slots_.emplace(id, scheduled);
  }
  /// Whether it was one; it is none any more.
  bool take(const InstanceId& id, std::int64_t scheduled) { return slots_.erase({id, scheduled}) > 0; }
  const std::set<std::pair<InstanceId, std::int64_t>>& all() const { return slots_; }

 private:
  static constexpr std::size_t most = 1000;  // a store that fails refuses before it commits, so there are few

  std::set<std::pair<InstanceId, std::int64_t>> slots_;
};

}  // namespace ronda::store
