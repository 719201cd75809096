// SPDX-License-Identifier: Apache-2.0
// The shell around the outbox: commits what it decides, then lets attempts begin, and brings their ends back.
// A store that has failed stops nothing: attempts go without it, and what could not be stored is kept in a bounded
// ring in memory until it can. It decides nothing about people and renders nothing but what is merged. All [loop].
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "notify/outbox.hpp"
#include "notify/ring.hpp"
#include "store/store.hpp"

namespace ronda::notify {

/// One attempt, as a notifier's plugin gets it.
struct Parcel {
  std::string id, notifier, to, level, event, incident;
  std::int64_t number = 1;
  store::OutboxText text;
  std::vector<std::string> carries;  // ids of other envelopes whose text goes with it, oldest first
};

class CourierClient {
 public:
  /// Hands over; the end comes by Courier::on_result, never from inside this function.
  virtual void deliver(Parcel parcel) = 0;
  /// What takes the place of one that failed for good; may be empty. `others`: those of the same message that are known, with what
  /// became of them, without texts.
  virtual std::vector<store::OutboxRow> fallbacks(const store::OutboxRow& failed, const std::vector<store::OutboxRow>& others) = 0;
  /// A dead letter, a sink that stands still or flows again: for an incident about the agent itself, by another sink.
  virtual void on_sink_trouble(const SinkTrouble& trouble, const store::OutboxRow& row) = 0;
  /// These will not be delivered by the notifier that they were for, those that another message carried among them; each
  /// has its reason in last_error. Called once the store has been given that, so what follows from it is stored after it.
  virtual void on_given_up(const std::vector<store::OutboxRow>&) {}
  /// These were taken by one attempt, that which carried the others last; without their texts. `detail`: the notifier's words.
  /// Called as on_given_up.
  virtual void on_delivered(const std::vector<store::OutboxRow>&, const std::string& /*detail*/) {}
  /// Durability is lost, or is there again: the lines of Ring's state.
  virtual void on_durability(bool durable, const std::string& reason) = 0;
  /// Call Courier::tick at this wall time (ns), once; it replaces the one before.
  virtual void wake_at(std::int64_t wall_ns) = 0;
  virtual std::int64_t wall_ns() = 0;

 protected:
  ~CourierClient() = default;
};

class Courier {
 public:
  Courier(store::Store& store, CourierClient& client, OutboxRules rules = {});
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void set_policy(std::string_view notifier, SinkPolicy policy);
  /// At start, once: takes up what is owed. `done` when it is known.
  void start(store::Done<Unit> done);

  /// The one way of a decision: committed with its outbox rows, then sent. `done` tells whether it is durable; where it
  /// is not, its messages are sent all the same and the decision is kept in the ring.
  void decide(store::Decision decision, store::Done<Unit> done);
  /// `number` as in the parcel.
  void on_result(std::string_view id, std::int64_t number, const Delivery& delivery);
  /// It was never handed over: no attempt, and it goes again soon, by this life or the next one.
  void take_back(std::string_view id, std::int64_t number);
  void tick();
  /// The client's clock was set forward by so much. What changes of messages is added to the decision in which the client keeps the rest.
  void on_clock_set(std::int64_t by_ns, store::Decision& decision);
  /// The store is well again, or was restarted: what the ring holds is stored now.
  void on_store_health(const store::Health& health);
  /// No attempt starts any more; those in flight may still come back.
  void stop();
  /// False: something that was decided is not in the store yet.
  bool is_durable() const;
  bool is_idle() const;  // nothing in flight and nothing being stored
  /// What waits for this notifier may go now.
  Effects hurry(std::string_view notifier);
  /// A dead letter is owed again, by its id and with its next number, for another 72 hours. Errc::not_found: there is no
  /// such message; Errc::invalid: it is none.
  void revive(std::string id, store::Done<Unit> done);

  const Ring& ring() const;
  std::vector<SinkStatus> status() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ronda::notify
