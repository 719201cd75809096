// SPDX-License-Identifier: Apache-2.0
// What the outbox is made of: envelopes in lanes (one by sink and group, strictly in order), lanes at a notifier.
// Inside notify only.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "notify/outbox.hpp"

namespace ronda::notify {

inline constexpr std::int64_t never = INT64_MAX;

struct Lane;

/// An envelope, without its text.
struct Item {
  const std::string* id = nullptr;  // the key of the map that holds it
  std::string last_error;
  Lane* lane = nullptr;
  Item* next = nullptr;  // behind it in its lane
  int level = 5;         // 1 to 4, 5: none
  store::OutboxState state = store::OutboxState::queued;
  std::int64_t order = 0, queued_at = 0, next_at = 0, first_at = 0, attempts = 0;
  std::string carrier;
  std::vector<Item*> carries;  // oldest first
};

struct Notifier;

/// What waits in a lane, by order. It owns nothing: there may be 100,000 lanes with one envelope each.
struct Queue {
  Item* first = nullptr;
  Item* last = nullptr;

  bool empty() const { return first == nullptr; }
  void push_back(Item& item) {
    item.next = nullptr;
    (last == nullptr ? first : last->next) = &item;
    last = &item;
  }
  Item& pop_front() {
    Item& item = *first;
    first = item.next;
    if (first == nullptr) last = nullptr;
    item.next = nullptr;
    return item;
  }
};

/// Messages of one group to one sink: the next one begins when the one before has ended.
struct Lane {
  const std::string* key = nullptr;  // of the map that holds it
  Notifier* notifier = nullptr;
  Queue queue;
  Item* active = nullptr;  // attempted, and not at its end
  bool in_flight = false;
  std::int64_t fill_at = 0;     // when the storm rule has forgotten all messages of this lane
  std::int64_t last_start = 0;  // of a new message
  std::int64_t ready_at = never;
  int level = 5;           // the most urgent of what waits
  bool is_listed = false;  // in one of the sets of its notifier
  bool is_ready = false;   // in which, and under which key
  int listed_level = 0;
  std::int64_t listed_order = 0, listed_at = 0;

  /// When a new message may begin at the earliest.
  std::int64_t open_at(const OutboxRules& rules, bool merges) const;
  /// Sets ready_at and level from what waits.
  void plan(const OutboxRules& rules);
  /// How many of what waits the next message takes.
  std::size_t how_many(const OutboxRules& rules, std::int64_t now) const;
  /// Makes the next message of them, to be active; the newest carries the others.
  void choose(const OutboxRules& rules, std::int64_t now, Effects& effects);
  bool is_empty() const { return queue.empty() && active == nullptr; }
};

/// Lanes that wait for an instant, and lanes that wait for their turn: the most urgent first, then the oldest.
struct Notifier {
  struct Ready {
    int level;
    std::int64_t order;
    Lane* lane;
    auto operator<=>(const Ready&) const = default;
  };
  std::string name;
  SinkPolicy policy;
  std::set<std::pair<std::int64_t, Lane*>> waiting;
  std::set<Ready> ready;
  std::multiset<std::int64_t> ages;  // queued_at of all that is not at its end
  int in_flight = 0, failures = 0;
  bool open = false;
  std::int64_t not_before = 0;  // the other side said so, or the circuit
  std::int64_t last_start = 0;
  bool stalled = false;
  std::string last_error;

  void list(Lane& lane, std::int64_t now);
  void unlist(Lane& lane);
  /// Whether an attempt may begin now; if not, when that may change by time alone.
  bool may_start(std::int64_t now) const;
  std::int64_t next_start() const;
  /// Tells when the oldest has waited for too long, and when that is over.
  void watch(const OutboxRules& rules, std::int64_t now, Effects& effects);
  SinkStatus status() const;
};

/// What is to be written of an envelope.
void note(const Item& item, Effects& effects);
/// What happened to rows that are new stands in them, so that they are written once.
void tell_in_rows(std::vector<store::OutboxRow>& rows, Effects& effects);

/// "notifier\0to\0group": a group that is empty is the incident.
std::string lane_key(const store::OutboxRow& row);
int level_of(std::string_view level);

}  // namespace ronda::notify
