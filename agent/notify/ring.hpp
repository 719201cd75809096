// SPDX-License-Identifier: Apache-2.0
// Decisions that the store could not keep, in memory, until it can: bounded, oldest out first, and counted when one is
// lost. Plain data; it stores and sends nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "store/decision.hpp"

namespace ronda::notify {

class Ring {
 public:
  Ring(std::size_t most, std::size_t most_bytes) : most_(most), most_bytes_(most_bytes) {}
  Ring() : Ring(2000, std::size_t{16} * 1024 * 1024) {}

  /// Of a row that is in here it keeps no change by itself: stored after the row, it would undo what the row tells by then.
  void push(store::Decision decision);
  /// What became of a row whose decision is in here; false: it is not.
  bool change(const store::OutboxChange& change);
  /// Everything in the order in which it was decided, as its numbers say; the ring is empty then.
  std::deque<store::Decision> take();

  std::size_t size() const { return held_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t lost() const { return lost_; }

 private:
  struct Row {
    store::OutboxRow* row = nullptr;
    bool is_changed = false;  // since it came in here
  };

  const std::size_t most_, most_bytes_;
  std::deque<store::Decision> held_;
  std::unordered_map<std::string, Row> rows_;  // of the decisions in held_, by id
  std::size_t bytes_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace ronda::notify
