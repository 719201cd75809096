// SPDX-License-Identifier: Apache-2.0
// The outbox as a pure machine: (envelopes, event, now) -> (changes, attempts to start, next instant).
// At least once, the same id in all attempts; by incident and sink in order; one dead sink delays no other; a
// storm is at most two messages by group and sink, then one every 30 s. It sends and stores nothing, has no clock
// (`now` is wall time in ns) and no random source (jitter is a hash of id and attempt). One thread.
// "Sink" is a notifier and an address: the circuit belongs to it, places and rate to the notifier.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/decision.hpp"

namespace ronda::notify {

inline constexpr std::int64_t second_ns = 1'000'000'000, minute_ns = 60 * second_ns, hour_ns = 60 * minute_ns;

/// The rules that are the same for all.
struct OutboxRules {
  std::int64_t retry_least = second_ns, retry_most = 15 * minute_ns;
  std::int64_t retry_after_most = hour_ns;
  std::int64_t give_up_after = 72 * hour_ns;    // since the first attempt
  int circuit_after = 10;                       // failures of a sink one after the other
  std::int64_t overdue_after = 10 * second_ns;  // an attempt: its sink begins no further one beside it
  int rest_most = 4;                            // times what its attempt took, of a sink that failed more than once
  std::int64_t passed_over_most = minute_ns;    // sinks that fail, by others of the notifier
  int burst = 2;                                // messages by group and sink at once
  std::int64_t gather = second_ns;              // how long the second of them waits for more
  std::int64_t group_interval = 30 * second_ns;
  std::size_t merged_most = 10'000;  // rows that one message carries
  std::int64_t stalled_after = 15 * minute_ns;
};

struct SinkPolicy {
  std::int64_t spacing = 0;  // least time between two attempts of the notifier
  int in_flight = 4;         // places; one of them, if there are more, is no sink's alone
  bool merges = true;        // false: machines want each message by itself, and the storm rule does not hold
};

/// How an attempt ended.
struct Delivery {
  enum class What : std::uint8_t { delivered, retry, dropped } what = What::delivered;
  std::int64_t again_at = 0;  // of retry: not before (wall ns), if the other side said so
  std::string detail;
};

/// "delivered", "retry", "dropped": as the trail has it.
std::string_view outcome_name(Delivery::What what);

/// An attempt to be made. Its changes must be durable before it is (or the store has failed).
struct Start {
  std::string id;  // of the envelope; the id of the message
  std::int64_t number = 1;
  std::vector<std::string> carries;  // ids whose text goes with it, oldest first; empty: its own alone
};

struct SinkTrouble {
  enum class What : std::uint8_t { dead_letter, given_up, stalled, flowing } what = What::dead_letter;  // given_up: only too old
  std::string notifier, id, detail;
};

struct Effects {
  std::vector<store::OutboxChange> changes;  // without text
  std::vector<Start> starts;
  std::vector<std::string> dead;  // failed for good now, oldest first, carried ones too
  std::vector<SinkTrouble> troubles;
};

struct SinkStatus {
  std::string notifier;
  std::size_t waiting = 0, in_flight = 0;
  std::int64_t oldest = 0;  // queued_at of the oldest that is not delivered
  int failures = 0;         // one after the other, of the sink that has most
  bool open = false;        // its circuit: one probe at a time
  bool is_dead = false;     // none of its sinks has answered for as many attempts: not that of one address alone
  std::string last_error;
};

class Outbox {
 public:
  explicit Outbox(OutboxRules rules = {});
  ~Outbox();
  Outbox(Outbox&&) noexcept;
  Outbox& operator=(Outbox&&) noexcept;

  /// Holds from now on; a notifier without one has the default.
  void set_policy(std::string_view notifier, SinkPolicy policy);
  /// New envelopes, in the order in which they are owed; each gets its order and queued_at. One with a next_at waits
  /// until then (quiet hours), or goes along when something behind it in its lane may go before. What may go at once is
  /// `sending` in its row already, so that one commit holds the decision and the attempt.
  Effects add(std::vector<store::OutboxRow>& rows, std::int64_t now);
  /// What the store held at start, in any order. What was `sending` is sent again with the next number.
  Effects restore(const std::vector<store::OutboxRow>& rows, std::int64_t now);
  /// Of an attempt that was started; one that is not known is ignored.
  Effects on_result(std::string_view id, std::int64_t number, const Delivery& delivery, std::int64_t now);
  /// Whether on_result would make dead letters of it and of those that it carries.
  bool would_fail_for_good(std::string_view id, std::int64_t number, const Delivery& delivery, std::int64_t now) const;
  /// The attempt was never made (the agent stops, its changes could not be stored): as if it had not been started.
  Effects take_back(std::string_view id, std::int64_t now);
  Effects tick(std::int64_t now);
  /// The clock was set forward by so much, and it is `now` by it: what was planned or noted moves with it, so that delays and the 72 hours
  /// stay what they are. What waits for an hour of the day (quiet hours) waits for that hour by the clock as it is.
  Effects set_clock(std::int64_t by, std::int64_t now);
  /// The agent stops: nothing starts any more, and what comes in or comes back waits for the next life.
  void hold();
  /// A person wants this one (of the dead: given anew as a row) to go now.
  Effects hurry(std::string_view notifier, std::int64_t now);

  /// When tick() has something to do; 0: never.
  std::int64_t next_at() const;
  std::size_t size() const;  // not delivered and not dead
  bool knows(std::string_view id) const;
  std::vector<SinkStatus> status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Full jitter: between retry_least and twice as much for each attempt, at most retry_most. `number` counts from 1.
std::int64_t retry_delay(const OutboxRules& rules, std::string_view id, std::int64_t number);

}  // namespace ronda::notify
