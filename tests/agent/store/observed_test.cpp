// SPDX-License-Identifier: Apache-2.0
#include <mutex>

#include "agent/store/faulty_vfs.hpp"
#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

InstanceState state_of(const std::string& name, std::int64_t at) {
  return {{"check", name}, 1, "summary " + std::to_string(at), "detail", at, at, 0, at};
}
Run run_at(std::int64_t at) {
  return {at, 5, 1, "run " + std::to_string(at)};
}
std::vector<Run> runs(Store& store, const std::string& name) {
  return must<std::vector<Run>>(store, &Store::load_runs, InstanceId{"check", name});
}

}  // namespace

TEST_CASE("a read sees what was observed before it, at once", "[store]") {
  const Scratch scratch;
  Options options = options_at(scratch / "state");
  options.flush_after = std::chrono::hours(1);
  auto opened = Store::open(std::move(options));
  REQUIRE(opened);
  Store& store = **opened;
  for (int i = 1; i <= 3; ++i) store.observe(state_of("a", i), run_at(i));
  const auto states = must<std::vector<InstanceState>>(store, &Store::load_instances);
  REQUIRE(states.size() == 1);
  CHECK(states[0].id.name == "a");
  CHECK(states[0].summary == "summary 3");
  CHECK(states[0].detail == "detail");
  CHECK(states[0].since == 3);
  CHECK(states[0].last_run == 3);
  CHECK(states[0].failures == 3);
  CHECK(runs(store, "a").size() == 3);
}

TEST_CASE("the newest runs of an instance are kept, newest first, over flushes and restarts", "[store]") {
  const Scratch scratch;
  std::int64_t at = 0;
  for (int round = 0; round < 3; ++round) {
    const auto store = open_at(scratch / "state");
    for (int batch = 0; batch < 4; ++batch) {
      for (int i = 0; i < 7 * batch; ++i) {
        ++at;
        store->observe(state_of("a", at), run_at(at));
      }
      REQUIRE(ask<Unit>(*store, &Store::flush));
    }
    const auto kept = runs(*store, "a");
    REQUIRE(kept.size() == static_cast<std::size_t>(kept_runs));
    for (int i = 0; i < kept_runs; ++i) CHECK(kept[static_cast<std::size_t>(i)].started == at - i);
  }
}

TEST_CASE("observed writes go to the file by themselves, and at the end", "[store]") {
  const Scratch scratch;
  {
    const auto store = open_at(scratch / "state");
    const auto wal = scratch / "state/ronda.db-wal";
    const auto before = std::filesystem::file_size(wal);
    store->observe(state_of("a", 1), run_at(1));
    CHECK(wait_for([&] { return std::filesystem::file_size(wal) > before; }));
    store->observe(state_of("b", 2), run_at(2));
  }
  const auto store = open_at(scratch / "state");
  CHECK(runs(*store, "a").size() == 1);
  CHECK(runs(*store, "b").size() == 1);
}

TEST_CASE("a batch is written at once and with one sync; what cannot be written is tried again, but not all the time", "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  const auto looks = std::make_shared<std::atomic<int>>(0);
  Options options = options_at(scratch / "state");
  options.flush_after = Options().flush_after;
  options.retry_after = std::chrono::milliseconds(100);
  options.vfs = vfs.name();
  options.mono_ns = [looks] {
    ++*looks;
    return monotonic().count();
  };
  const auto opened = Store::open(std::move(options));
  REQUIRE(opened);
  Store& store = **opened;
  REQUIRE(append(store, "x"));  // the start is over
  std::vector<Observed> batch;
  for (int i = 0; i < 1000; ++i) batch.push_back({state_of(std::to_string(i), 1), run_at(1)});
  const int syncs = vfs.syncs();
  store.observe(std::move(batch));
  REQUIRE(wait_for([&] { return vfs.syncs() > syncs; }));
  REQUIRE(append(store, "y"));
  CHECK(vfs.syncs() == syncs + 2);  // the batch, and the event that waited for it
  CHECK(must<std::vector<InstanceState>>(store, &Store::load_instances).size() == 1000);

  vfs.fail_writes(1, 1'000'000, SQLITE_IOERR_WRITE);
  store.observe(state_of("late", 2), run_at(2));
  REQUIRE(wait_for_health(store, HealthState::failed));
  *looks = 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(*looks < 200);
  vfs.fail_writes(0, 0, 0);
  REQUIRE(wait_for_health(store, HealthState::ok));
  CHECK(wait_for([&] { return runs(store, "late").size() == 1; }));
}

TEST_CASE("neither a backup nor whoever does not take his answers makes the WAL grow", "[store]") {
  const Scratch scratch;
  const std::string wal = scratch / "state/ronda.db-wal";
  std::mutex guard;  // the store's thread posts, and for what it refuses at once the thread of the call
  std::vector<std::function<void()>> not_taken;
  const auto takes = std::make_shared<std::atomic<bool>>(true);
  Options options = options_at(scratch / "state");
  options.post = [&guard, &not_taken, takes](std::function<void()> work) {
    if (*takes) return work();
    const std::lock_guard locked(guard);
    not_taken.push_back(std::move(work));
  };
  auto opened = Store::open(std::move(options));
  REQUIRE(opened);
  Store& store = **opened;
  const auto write = [&](int megabytes) {
    std::uintmax_t largest = 0;
    for (int i = 0; i < megabytes * 17; ++i) {
      JournalEvent event = event_of(std::to_string(i));
      event.data = "\"" + std::string(60'000, 'x') + "\"";
      store.append_journal(event, [](auto) {});
      if (i % 100 == 0 && *takes) REQUIRE(append(store, "x"));
      if (i % 100 == 0 && !*takes) store.load_journal(1000, [](auto) {});
      std::error_code gone;
      const auto size = std::filesystem::file_size(wal, gone);
      if (!gone) largest = std::max(largest, size);
    }
    return largest;
  };
  std::atomic<bool> copied{false};
  store.backup(scratch / "copy", [&](Result<Unit> result) { copied = result.has_value(); });
  CHECK(write(80) <= 64 * 1024 * 1024);
  CHECK(wait_for([&] { return copied.load(); }));
  *takes = false;
  CHECK(write(80) <= 64 * 1024 * 1024);
  store.close();
  CHECK_FALSE(not_taken.empty());
  CHECK_FALSE(std::filesystem::exists(wal));
}

TEST_CASE("a dropped instance leaves its slots and journal only", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  const InstanceId id{"check", "a"};
  store->observe(state_of("a", 1), run_at(1));
  store->observe(state_of("b", 1), run_at(1));
  REQUIRE(claim(*store, id, noon));
  REQUIRE(ask<Unit>(*store, &Store::write_kv, KvSpace{id, "p"}, std::uint32_t{1}, std::vector<KvWrite>{{"k", "v", 0}}));
  REQUIRE(ask<Posted>(*store, &Store::post_inbox, id, InboxEvent{0, "log", 0, "", 0}));
  REQUIRE(ask<Unit>(*store, &Store::put_quarantine, Quarantine{"check/a", "", 0, 0, ""}));
  REQUIRE(ask<Unit>(*store, &Store::drop_instance, id));
  CHECK(must<std::vector<InstanceState>>(*store, &Store::load_instances).size() == 1);
  CHECK(runs(*store, "a").empty());
  CHECK(must<KvContent>(*store, &Store::load_kv, KvSpace{id, "p"}).entries.empty());
  CHECK(must<Ids>(*store, &Store::load_inbox_owners).empty());
  CHECK(must<std::vector<Quarantine>>(*store, &Store::load_quarantines).empty());
  CHECK(*claim(*store, id, noon) == Claim::already_done);
}

TEST_CASE("the results of 100,000 instances are stored in time that grows with their number only", "[store]") {
  const Scratch scratch;
  auto store = open_at(scratch / "state");
  const auto seconds_for = [&](int from, int count) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = from; i < from + count; ++i) store->observe(state_of("instance-" + std::to_string(i), 1), run_at(1));
    REQUIRE(ask<Unit>(*store, &Store::flush));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double small = seconds_for(0, 10'000);
  const double large = seconds_for(10'000, 90'000);
  const double again = seconds_for(0, 100'000);
  INFO("10,000: " << small << " s; 90,000 more: " << large << " s; all 100,000 again: " << again << " s");
  CHECK(large < 9 * 5 * small);  // quadratic would be 81 times
  CHECK(again < 10 * 5 * small);
  CHECK(store->health().dropped_observed == 0);
  const auto states = must<std::vector<InstanceState>>(*store, &Store::load_instances);
  CHECK(states.size() == 100'000);
  CHECK(runs(*store, "instance-99999").size() == 2);
  CHECK(std::filesystem::file_size(scratch / "state/ronda.db-wal") <= 64 * 1024 * 1024);

  store.reset();
  const auto start = std::chrono::steady_clock::now();
  store = open_at(scratch / "state");
  const auto opened = std::chrono::steady_clock::now() - start;
  INFO("opened in " << std::chrono::duration<double>(opened).count() << " s");
  CHECK(opened < std::chrono::seconds(5));
  CHECK(must<std::vector<InstanceState>>(*store, &Store::load_instances).size() == 100'000);
}
