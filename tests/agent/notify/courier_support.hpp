// SPDX-License-Identifier: Apache-2.0
// A courier with a real store, on a thread that is the test's: answers of the store wait in a queue until the test
// runs them, time is what the test says, and notifiers are a list of parcels.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "agent/notify/support.hpp"
#include "agent/store/support.hpp"
#include "notify/delivery.hpp"

namespace ronda::notify::test {

class Loop {
 public:
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
  }
  /// Runs what comes until `condition` holds, at most 20 s; whether it came true.
  template <class Condition>
  bool run_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      std::unique_lock lock(mutex_);
      if (!wake_.wait_until(lock, end, [&] { return !queue_.empty(); })) return false;
      const auto work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
    return true;
  }
  /// What is there already.
  void run_pending() {
    for (bool any = true; any;) {
      std::unique_lock lock(mutex_);
      any = !queue_.empty();
      if (!any) return;
      const auto work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
};

/// Another thread that stops before each of its steps until it is let go.
class Steps {
 public:
  void stop() {
    std::unique_lock lock(mutex_);
    if (free_) return;
    stopped_ = true;
    wake_.notify_all();
    wake_.wait(lock, [&] { return !stopped_ || free_; });
  }
  bool wait_for_stop() {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, std::chrono::seconds(20), [&] { return stopped_; });
  }
  void go(bool free = false) {
    const std::lock_guard lock(mutex_);
    stopped_ = false;
    free_ = free;
    wake_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false, free_ = false;
};

struct FakeClient final : CourierClient {
  void deliver(Parcel parcel) override {
    if (on_deliver) on_deliver(parcel);
    parcels.push_back(std::move(parcel));
  }
  std::vector<store::OutboxRow> fallbacks(const store::OutboxRow& failed, const std::vector<store::OutboxRow>& rest) override {
    others = rest;
    return fallback ? fallback(failed) : std::vector<store::OutboxRow>{};
  }
  void on_sink_trouble(const SinkTrouble& trouble, const store::OutboxRow& row) override { troubles.emplace_back(trouble, row); }
  void on_given_up(const std::vector<store::OutboxRow>& rows) override { given_up.insert(given_up.end(), rows.begin(), rows.end()); }
  void on_delivered(const std::vector<store::OutboxRow>& rows, const std::string& detail) override {
    for (const store::OutboxRow& row : rows) delivered.emplace_back(row, detail);
  }
  void on_durability(bool durable, const std::string& reason) override { durability.emplace_back(durable, reason); }
  void wake_at(std::int64_t wall) override { wake = wall; }
  std::int64_t wall_ns() override { return now; }

  std::int64_t now = noon, wake = 0;
  std::vector<Parcel> parcels;
  std::vector<std::pair<SinkTrouble, store::OutboxRow>> troubles;
  std::vector<store::OutboxRow> given_up;
  std::vector<std::pair<store::OutboxRow, std::string>> delivered;
  std::vector<std::pair<bool, std::string>> durability;
  std::vector<store::OutboxRow> others;  // that were named with what failed last
  std::function<std::vector<store::OutboxRow>(const store::OutboxRow&)> fallback;
  std::function<void(const Parcel&)> on_deliver;
};

/// One life of an agent, as far as messages go.
struct Post {
  explicit Post(const std::string& directory, const std::string& vfs = "", OutboxRules rules = {}) {
    store::Options options = store::test::options_at(directory);
    options.post = [this](std::function<void()> work) { loop.post(std::move(work)); };
    options.on_health = [this](const store::Health& health) {
      if (courier) courier->on_store_health(health);
    };
    options.vfs = vfs;
    options.wall_ns = [this, wall = options.wall_ns] {
      if (on_store_thread) on_store_thread();
      return wall();
    };
    auto opened = store::Store::open(std::move(options));
    if (!opened) throw std::runtime_error(opened.error().message());
    store = *std::move(opened);
    courier = std::make_unique<Courier>(*store, client, rules);
  }
  ~Post() { store->close(); }
  Post(const Post&) = delete;
  Post& operator=(const Post&) = delete;

  Status start() {
    std::optional<Status> started;
    courier->start([&](Result<Unit> result) { started = std::move(result); });
    loop.run_until([&] { return started.has_value(); });
    return started.value_or(Error(Errc::timeout, "the courier did not start"));
  }
  /// Waits until it is durable, or is known not to be.
  Status decide(store::Decision decision) {
    std::optional<Status> decided;
    courier->decide(std::move(decision), [&](Result<Unit> result) { decided = std::move(result); });
    loop.run_until([&] { return decided.has_value(); });
    return decided.value_or(Error(Errc::timeout, "nobody answered"));
  }
  Status send(std::vector<store::OutboxRow> rows) {
    store::Decision decision;
    decision.outbox = std::move(rows);
    return decide(std::move(decision));
  }
  /// The outbox says how a parcel ended; waits until what follows is stored.
  void end(const Parcel& parcel, const Delivery& delivery = delivered()) {
    courier->on_result(parcel.id, parcel.number, delivery);
    wait_stored();
  }
  /// To the next instant at which the courier has something to do.
  void next() {
    if (client.wake > client.now) client.now = client.wake;
    courier->tick();
    wait_stored();
  }
  /// Everything that was given to the store before has been answered.
  void wait_stored() {
    bool seen = false;
    store->load_outbox_rows({}, [&](auto) { seen = true; });
    loop.run_until([&] { return seen; });
    seen = false;  // and what those answers gave to it
    store->load_outbox_rows({}, [&](auto) { seen = true; });
    loop.run_until([&] { return seen; });
  }
  std::vector<store::OutboxRow> stored(std::vector<std::string> ids) {
    std::vector<store::OutboxRow> rows;
    bool seen = false;
    store->load_outbox_rows(std::move(ids), [&](Result<std::vector<store::OutboxRow>> loaded) {
      if (loaded) rows = *std::move(loaded);
      seen = true;
    });
    loop.run_until([&] { return seen; });
    return rows;
  }

  /// Called before each job of the store, on its thread. Set it while the store has nothing to do.
  std::function<void()> on_store_thread;
  Loop loop;
  FakeClient client;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Courier> courier;
};

}  // namespace ronda::notify::test
