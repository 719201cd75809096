// SPDX-License-Identifier: Apache-2.0
// A min-heap of ids, four children a node, whose keys live elsewhere: Keys tells an id's key and keeps its
// place in the heap. Four bytes an entry. Private to agent/schedule.
#pragma once

#include <cstdint>
#include <vector>

namespace ronda::schedule {

/// Keys has `std::int64_t key(Id)` and `std::uint32_t& place(Id)`.
template <class Keys>
class DueHeap {
 public:
  using Id = std::uint32_t;
  static constexpr std::uint32_t nowhere = 0xFFFF'FFFF;

  explicit DueHeap(Keys& keys) : keys_(keys) {}

  bool empty() const { return ids_.empty(); }
  std::size_t size() const { return ids_.size(); }
  Id top() const { return ids_[0]; }

  void push(Id id) {
    ids_.push_back(id);
    rise(static_cast<std::uint32_t>(ids_.size() - 1), id);
  }

  void remove(Id id) {
    const std::uint32_t place = keys_.place(id);
    keys_.place(id) = nowhere;
    const Id last = ids_.back();
    ids_.pop_back();
    if (last != id) settle(place, last);
  }

  /// After the key of `id` changed.
  void update(Id id) { settle(keys_.place(id), id); }

  /// After many keys changed.
  void rebuild() {
    for (auto place = static_cast<std::uint32_t>(ids_.size()); place-- > 0;) sink(place, ids_[place]);
  }

  /// All ids with keys <= limit, without touching the rest: the tree is cut where a key is above it.
  void collect(std::int64_t limit, std::vector<Id>& out) const {
    const std::size_t begin = out.size();
    if (!empty() && keys_.key(top()) <= limit) out.push_back(top());
    for (std::size_t i = begin; i < out.size(); ++i) {
      const std::size_t first = std::size_t{keys_.place(out[i])} * 4 + 1;
      for (std::size_t child = first; child < first + 4 && child < ids_.size(); ++child) {
        if (keys_.key(ids_[child]) <= limit) out.push_back(ids_[child]);
      }
    }
  }

 private:
  void put(std::uint32_t place, Id id) {
    ids_[place] = id;
    keys_.place(id) = place;
  }

  void settle(std::uint32_t place, Id id) {
    if (place > 0 && keys_.key(id) < keys_.key(ids_[(place - 1) / 4])) {
      rise(place, id);
    } else {
      sink(place, id);
    }
  }

  void rise(std::uint32_t place, Id id) {
    const std::int64_t key = keys_.key(id);
    while (place > 0) {
      const std::uint32_t parent = (place - 1) / 4;
      if (keys_.key(ids_[parent]) <= key) break;
      put(place, ids_[parent]);
      place = parent;
    }
    put(place, id);
  }

  void sink(std::uint32_t place, Id id) {
    const std::int64_t key = keys_.key(id);
    while (true) {
      const std::size_t first = std::size_t{place} * 4 + 1;
      std::uint32_t least = nowhere;
      std::int64_t least_key = key;
      for (std::size_t child = first; child < first + 4 && child < ids_.size(); ++child) {
        const std::int64_t child_key = keys_.key(ids_[child]);
        if (child_key >= least_key) continue;
        least = static_cast<std::uint32_t>(child);
        least_key = child_key;
      }
      if (least == nowhere) break;
      put(place, ids_[least]);
      place = least;
    }
    put(place, id);
  }

  Keys& keys_;
  std::vector<Id> ids_;
};

}  // namespace ronda::schedule
