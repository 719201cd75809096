// SPDX-License-Identifier: Apache-2.0
// The envelopes that are not at their end, by id, with as much of their texts as memory may take: what the store has
// can be fetched again. Inside notify only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/decision.hpp"

namespace ronda::notify {

struct Held {
  store::OutboxRow row;
  bool has_text = false;             // body and named values; the title is always there
  bool is_stored = false;            // the store knows it
  bool is_whole = false;             // all of its message is known here, what has ended too
  std::int64_t started = 0;          // the attempt in flight
  std::int64_t dispatched = 0;       // its number; 0: none
  std::vector<std::string> carries;  // of the attempt made last
};

class Shelf {
 public:
  /// Takes it, or takes it anew.
  Held& put(const store::OutboxRow& row, bool has_text);
  Held* find(const std::string& id);
  const Held* find(const std::string& id) const;
  void drop(const std::string& id) {
    forget_text(id);
    held_.erase(id);
  }
  void set_text(Held& held, store::OutboxText text);
  void forget_text(Held& held);
  /// The text of one that waits and is stored, when texts take more than they may.
  void relieve(Held& held);
  std::map<std::string, Held>& held() { return held_; }
  /// Rows by their ids, without those that are not here.
  std::vector<const store::OutboxRow*> rows(const std::vector<std::string>& ids) const;

 private:
  void forget_text(const std::string& id);

  std::map<std::string, Held> held_;  // in order: those of one message stand together
  std::size_t text_bytes_ = 0;
};

}  // namespace ronda::notify
