// SPDX-License-Identifier: Apache-2.0
// What the outbox is made of: envelopes in lanes (one by sink and group, strictly in order), lanes at a sink, sinks at a
// notifier. A sink that may not begin an attempt now keeps its lanes to itself: they are looked at again when that changes.
// Inside notify only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "notify/outbox.hpp"

namespace ronda::notify {

inline constexpr std::int64_t never = INT64_MAX;

struct Lane;
struct Notifier;
struct Sink;

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

/// What waits in a lane, by order. It owns nothing: there may be 100,000 lanes with one envelope each. Level and next_at of an
/// item do not change while it waits here.
struct Queue {
  Item* first = nullptr;
  Item* last = nullptr;
  int level = 5;                // the most urgent of all
  std::int64_t due_at = never;  // the earliest next_at of all

  bool empty() const { return first == nullptr; }
  void push_back(Item& item) {
    item.next = nullptr;
    (last == nullptr ? first : last->next) = &item;
    last = &item;
    level = std::min(level, item.level);
    due_at = std::min(due_at, item.next_at);
  }
  Item& pop_front();
};

/// Messages of one group to one sink: the next one begins when the one before has ended.
struct Lane {
  const std::string* key = nullptr;  // of the map that holds it
  Sink* sink = nullptr;
  Queue queue;
  Item* active = nullptr;  // attempted, and not at its end
  bool in_flight = false;
  std::int64_t fill_at = 0;     // when the storm rule has forgotten all messages of this lane
  std::int64_t last_start = 0;  // of a new message
  std::int64_t began = 0;       // the attempt in flight
  std::int64_t ready_at = never;
  int level = 5;           // the most urgent of what waits
  bool is_listed = false;  // by its sink, or by the notifier
  bool is_ready = false;   // by which, and under which key
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

/// A notifier and an address, with the lanes that may go on as soon as it may: the most urgent first, then the oldest.
struct Sink {
  struct Ready {
    int level;
    std::int64_t order;
    Lane* lane;
    auto operator<=>(const Ready&) const = default;
  };
  const std::string* key = nullptr;  // of the map that holds it
  Notifier* notifier = nullptr;
  std::set<Ready> ready;
  std::multiset<std::int64_t> flying;  // when its attempts in flight began
  std::size_t lanes = 0;               // that there are
  int failures = 0;                    // one after the other
  std::int64_t failed_at = 0;          // the last of them
  std::int64_t rests_until = 0;
  enum class Listed : std::uint8_t { no, well, failing, resting } listed = Listed::no;  // in which set of its notifier, and under which key
  int listed_level = 0;
  std::int64_t listed_order = 0, listed_at = 0;

  /// Whether one more attempt may be beside those in flight. Where an attempt is overdue, it may not from then on.
  bool has_place(const OutboxRules& rules, std::int64_t now) const;
};

/// Lanes that wait for an instant, and sinks that wait for their turn.
struct Notifier {
  /// The most urgent first, of those that fail then the one that has waited longest since, then the oldest.
  struct Turn {
    int level;
    std::int64_t failed_at, order;
    Sink* sink;
    auto operator<=>(const Turn&) const = default;
  };
  std::string name;
  SinkPolicy policy;
  std::set<std::pair<std::int64_t, Lane*>> waiting;
  std::set<std::pair<std::int64_t, Sink*>> resting;
  std::set<Turn> well, failing;
  std::multiset<std::int64_t> ages;  // queued_at of all that is not at its end
  int in_flight = 0;
  int failing_in_flight = 0;  // of sinks that fail
  std::size_t failing_sinks = 0;
  int failures = 0;             // one after the other, whatever their sinks
  bool open = false;            // it seems that no sink answers
  std::int64_t not_before = 0;  // the other side said so
  std::int64_t last_start = 0;
  std::int64_t last_failing = 0;  // when a sink that fails was tried last, or began to fail
  bool stalled = false;
  std::string last_error;

  void list(const OutboxRules& rules, Lane& lane, std::int64_t now);
  void unlist(const OutboxRules& rules, Lane& lane, std::int64_t now);
  void list(const OutboxRules& rules, Sink& sink, std::int64_t now);
  void unlist(Sink& sink);
  /// Whose turn it is; null: nobody may begin now.
  Sink* next(const OutboxRules& rules, std::int64_t now) const;
  /// When that may change by time alone.
  std::int64_t next_start() const;
  /// An attempt at that sink begins, or ends.
  void take_off(Lane& lane, std::int64_t now);
  void land(Lane& lane);
  /// Of a sink whose attempt has landed.
  void note_failure(const OutboxRules& rules, Sink& sink, std::int64_t took, std::int64_t now);
  void note_answer(Sink& sink);
  /// Tells when the oldest has waited for too long, and when that is over.
  void watch(const OutboxRules& rules, std::int64_t now, Effects& effects);
  SinkStatus status() const;

 private:
  bool has_place_for_failing() const { return failing_in_flight < (open ? 1 : std::max(1, policy.in_flight - 1)); }
};

/// What is to be written of an envelope.
void note(const Item& item, Effects& effects);
/// What happened to rows that are new stands in them, so that they are written once.
void tell_in_rows(std::vector<store::OutboxRow>& rows, Effects& effects);

/// "notifier\0to".
std::string sink_key(const store::OutboxRow& row);
/// "notifier\0to\0group": a group that is empty is the incident.
std::string lane_key(const store::OutboxRow& row);
int level_of(std::string_view level);

}  // namespace ronda::notify
