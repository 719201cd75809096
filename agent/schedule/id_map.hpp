// SPDX-License-Identifier: Apache-2.0
// Where the entry of an instance's id stands. Ids only rise, so that a sorted array of eight bytes each does what a
// hash table does in fifty.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace ronda::schedule {

class IdMap {
 public:
  /// `id` is larger than any before.
  void add(std::uint32_t id, std::uint32_t position) { rows_.push_back({id, position}); }

  /// One that is not there is no mistake.
  void erase(std::uint32_t id) {
    const auto found = std::ranges::lower_bound(rows_, id, {}, &Row::id);
    if (found == rows_.end() || found->id != id || found->position == gone) return;
    found->position = gone;
    if (++gone_ * 2 <= rows_.size()) return;
    std::erase_if(rows_, [](const Row& row) { return row.position == gone; });
    gone_ = 0;
  }

  std::optional<std::uint32_t> find(std::uint32_t id) const {
    const auto found = std::ranges::lower_bound(rows_, id, {}, &Row::id);
    if (found == rows_.end() || found->id != id || found->position == gone) return std::nullopt;
    return found->position;
  }

 private:
  static constexpr std::uint32_t gone = UINT32_MAX;
  struct Row {
    std::uint32_t id, position;
  };
  std::vector<Row> rows_;  // by id
  std::size_t gone_ = 0;
};

}  // namespace ronda::schedule
