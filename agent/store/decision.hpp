// SPDX-License-Identifier: Apache-2.0
// What one decision about alerts and incidents owes, as plain values: applied in one transaction or not at all.
// Wall time is nanoseconds since 1970-01-01 UTC; 0 means never.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ronda::store {

/// Append-only; unique by (incident, seq). The same event once more is taken as the one that is there already.
struct IncidentEvent {
  std::string incident;
  std::int64_t seq = 0;  // from 1, grows
  std::int64_t at = 0;
  std::string kind, author, source;
  std::string data = "{}";  // JSON, at most event_data_max bytes
};
inline constexpr std::size_t event_data_max = 1024 * 1024;  // the longest event that incident::bound lets through, as JSON, fits

/// From now on the incident is closed (or, with 0, open again): load_incidents() leaves closed ones out.
struct IncidentMark {
  std::string incident;
  std::int64_t closed = 0;
};

struct IncidentSummary {
  std::string id;
  std::int64_t opened = 0, changed = 0, closed = 0;  // closed 0: open
  std::string first;                                 // `data` of its first event; empty: it is not there
};

/// The state of an alert's ladder. Without data it is forgotten. An older one (by `at`) never replaces a newer one.
struct AlertState {
  std::string name;
  std::int64_t at = 0;
  std::optional<std::string> data;  // JSON
};

/// A silence. Without data it is gone.
struct SilenceRow {
  std::string id;
  std::int64_t until = 0;
  std::optional<std::string> data;  // JSON
};

enum class OutboxState : std::uint8_t { queued, sending, delivered, dead };

/// What is said, rendered and escaped for its channel.
struct OutboxText {
  std::string title, body;
  std::string fields = "{}";  // JSON object of strings: the named values the text was made from
};

inline constexpr std::size_t outbox_text_max = 256 * 1024;  // of `fields`

/// A message that is owed to one recipient by one notifier.
struct OutboxRow {
  std::string id;  // the idempotency key, the same in all attempts
  std::string incident, group, notifier, contact, to, level, event;
  std::int64_t order = 0;  // grows by incident and sink, and over all of them
  OutboxState state = OutboxState::queued;
  std::string carrier;  // the row whose message carries this one too; empty: it goes by itself
  std::int64_t attempts = 0;
  std::int64_t queued_at = 0, next_at = 0, first_at = 0;  // first_at: of the first attempt
  std::string last_error;
  OutboxText text;
};

/// What has become of a row. Without text the row keeps its own.
struct OutboxChange {
  std::string id;
  OutboxState state = OutboxState::queued;
  std::string carrier;
  std::int64_t attempts = 0, next_at = 0, first_at = 0;
  std::string last_error;
  std::optional<OutboxText> text;
};

/// One line of the delivery trail; unique by (id, number).
struct DeliveryAttempt {
  std::string id;
  std::int64_t number = 1;
  std::int64_t started = 0, ended = 0;
  std::string outcome;  // "delivered", "retry", "dropped", "unknown"
  std::string detail;
};

/// What decisions share that are stored in the order of their numbers or not at all: where one of them is not promised, none of
/// those behind it is, though there be room for it by then. Whoever gives them again makes another one. Any thread.
class Order {
 public:
  void refuse_from(std::int64_t number) {
    std::int64_t known = first_refused_.load();
    while (number < known && !first_refused_.compare_exchange_weak(known, number)) {
    }
  }
  bool is_refused(std::int64_t number) const { return number >= first_refused_.load(); }

 private:
  std::atomic<std::int64_t> first_refused_{std::numeric_limits<std::int64_t>::max()};
};

/// All that one decision owes.
struct Decision {
  std::vector<IncidentEvent> events;
  std::vector<IncidentMark> marks;
  std::vector<AlertState> alerts;
  std::vector<SilenceRow> silences;
  std::vector<OutboxRow> outbox;  // of one whose id is there and that is owed yet, what became of it is taken, if it had as many attempts
  std::vector<OutboxChange> changes;
  std::vector<DeliveryAttempt> trail;
  std::shared_ptr<Order> order;  // null: stored whatever became of others
  std::int64_t number = 0;       // in it, grows

  bool empty() const {
    return events.empty() && marks.empty() && alerts.empty() && silences.empty() && outbox.empty() && changes.empty() && trail.empty();
  }
  /// About what it takes in memory and in the store's queue.
  std::size_t bytes() const;
};

}  // namespace ronda::store
