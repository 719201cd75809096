// SPDX-License-Identifier: Apache-2.0
// What became of the envelopes of one message: whether another one must take the place of one that failed for good depends on
// what the others did. Those that are owed stand on the shelf; those that ended are kept here as long as one of their message is
// owed. What ended in a life before is the store's to know, and is asked for when it matters. Inside notify only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "notify/shelf.hpp"

namespace ronda::notify {

/// Whom it was for and what about: of a storm there may be thousands.
store::OutboxRow without_text(const store::OutboxRow& row);

class Siblings {
 public:
  explicit Siblings(Shelf& shelf) : shelf_(shelf) {}

  /// It has ended, and has left the shelf or does so now.
  void note_end(const store::OutboxRow& row, store::OutboxState state);
  /// Of a message of which nothing is owed any more nothing is kept.
  void tidy(const std::string& id);
  /// Ids by which the store is to be asked before others() is: the message of this one, where not all of it is known.
  void add_unknown(const std::string& id, std::vector<std::string>& messages) const;
  /// What the store has of a message. What this life knows better stays.
  void learn(const std::string& message, const std::vector<store::OutboxRow>& rows);
  /// The others of its message that are known, with what became of them; those of `dying` fail with it.
  std::vector<store::OutboxRow> others(const std::string& id, const std::vector<std::string>& dying) const;

 private:
  Shelf& shelf_;
  std::map<std::string, store::OutboxRow> ended_;
};

}  // namespace ronda::notify
