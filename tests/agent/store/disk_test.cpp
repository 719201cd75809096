// SPDX-License-Identifier: Apache-2.0
// A disk that is full, out of inodes or read-only: a tiny tmpfs in a mount namespace of this test's own.
#include <sys/mount.h>
#include <sys/resource.h>

#include <csignal>
#include <set>

#include "agent/store/support.hpp"
#include "catch.hpp"
#include "tiny_disk.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;
using ronda::test::TinyDisk;

namespace {

std::unique_ptr<Store> open_with_ballast(const std::string& directory) {
  Options options = options_at(directory);
  options.ballast_bytes = Options().ballast_bytes;
  options.retry_after = Options().retry_after;
  auto store = Store::open(std::move(options));
  REQUIRE(store);
  return *std::move(store);
}

/// Appends events of `bytes` until one is refused or `most` were accepted.
void append_many(Store& store, std::set<std::string>& kept, std::size_t bytes, std::size_t most) {
  for (std::size_t i = 0; i < most; ++i) {
    JournalEvent event = event_of(std::to_string(kept.size()));
    event.data = "\"" + std::string(bytes, 'x') + "\"";
    const auto result = ask<Unit>(store, &Store::append_journal, event);
    if (!result) {
      CHECK(result.error().code() == Errc::unavailable);
      return;
    }
    kept.insert(event.subject);
  }
}

bool has_all(Store& store, const std::set<std::string>& kept) {
  std::set<std::string> there;
  for (const JournalEvent& event : journal(store)) there.insert(event.subject);
  return std::includes(there.begin(), there.end(), kept.begin(), kept.end());
}

}  // namespace

TEST_CASE("on a full disk the reserve takes a thousand events, and with space all is as before", "[store]") {
  const TinyDisk disk("size=24m");
  RONDA_NEED_DISK(disk);
  std::set<std::string> kept;
  {
    const auto store = open_with_ballast(disk.state());
    CHECK(store->health().ballast);
    store->observe({{"check", "a"}, 0, "early", "", 1, 1, 1, 0}, {1, 1, 0, "early"});
    REQUIRE(ask<Unit>(*store, &Store::flush));
    disk.fill();
    append_many(*store, kept, 200, 3000);
    CHECK(kept.size() == 3000);
    CHECK(store->health().state == HealthState::degraded);
    CHECK(store->health().reason == "no space left for the state; the reserve is in use, and only what is owed is stored");
    CHECK_FALSE(store->health().ballast);

    store->observe({{"check", "a"}, 2, "late", "", 1, 1, 1, 0}, {2, 1, 2, "late"});
    CHECK(ask<Unit>(*store, &Store::flush).error().code() == Errc::unavailable);

    append_many(*store, kept, 60'000, 1000);  // until nothing goes any more
    CHECK(kept.size() < 4000);
    CHECK(store->health().state == HealthState::failed);
    CHECK(store->health().reason == "no space left for the state, and the reserve is used up");
    CHECK(has_all(*store, kept));  // reading still works

    disk.empty();
    const auto emptied = std::chrono::steady_clock::now();
    REQUIRE(wait_for_health(*store, HealthState::ok));
    CHECK(std::chrono::steady_clock::now() - emptied < std::chrono::seconds(15));
    CHECK(store->health().ballast);
    CHECK(append(*store, "after"));
    CHECK(must<std::vector<InstanceState>>(*store, &Store::load_instances).at(0).summary == "late");
    const auto events = journal(*store);
    CHECK(count_of(events, "store.full") == 1);
    CHECK(count_of(events, "store.space") == 1);
  }
  const auto store = open_with_ballast(disk.state());
  CHECK(store->report().notices.empty());
  CHECK(has_all(*store, kept));
}

TEST_CASE("on a full disk the reserve takes a thousand incidents with their messages", "[store]") {
  const TinyDisk disk("size=24m");
  RONDA_NEED_DISK(disk);
  const auto store = open_with_ballast(disk.state());
  disk.fill();
  std::size_t kept = 0;
  for (; kept < 5000; ++kept) {
    Decision decision;
    const std::string incident = "INC-" + std::to_string(kept * 7919 % 100'003);
    decision.events.push_back({incident, 1, noon, "opened", "ronda", "alert", "{\"text\":\"" + std::string(400, 'x') + "\"}"});
    decision.alerts.push_back({"alert-" + std::to_string(kept % 50), noon, "{\"level\":\"p1\"}"});
    OutboxRow row;
    row.id = incident + "/1/0123456789abcdef";
    row.incident = row.group = incident;
    row.notifier = "slack";
    row.text = {"INCIDENT ALERT - P1", std::string(600, 'b'), "{\"description\":\"" + std::string(400, 'f') + "\"}"};
    decision.outbox.push_back(row);
    if (!ask<Unit>(*store, &Store::decide, decision)) break;
  }
  INFO(kept << " were kept");
  CHECK(kept >= 1000);
  CHECK(must<std::vector<IncidentEvent>>(*store, &Store::load_incidents).size() == kept);
  CHECK(must<std::vector<OutboxRow>>(*store, &Store::load_outbox).size() == kept);
  CHECK(store->health().state != HealthState::ok);
}

TEST_CASE("a large write that a full disk cannot take does not take the small ones beside it along", "[store]") {
  const TinyDisk disk("size=16m");
  RONDA_NEED_DISK(disk);
  const auto store = open_at(disk.state());
  disk.fill();
  const KvSpace space{{"check", "a"}, "p"};
  std::vector<KvWrite> large;
  for (int i = 0; i < 15; ++i) large.push_back({std::to_string(i), std::string(kv_value_max, 'v'), 0});
  std::atomic<int> answered{0}, small_good{0}, large_good{0};
  for (int i = 0; i < 10; ++i) {
    store->write_kv(space, 1, large, [&](Result<Unit> result) {
      large_good += result ? 1 : 0;
      ++answered;
    });
    store->append_journal(event_of("small"), [&](Result<Unit> result) {
      small_good += result ? 1 : 0;
      ++answered;
    });
  }
  REQUIRE(wait_for([&] { return answered == 20; }));
  CHECK(large_good == 0);
  CHECK(small_good == 10);
  CHECK(count_of(journal(*store), "test") == 10);
}

TEST_CASE("a start on a full disk takes the reserve and works", "[store]") {
  const TinyDisk disk("size=24m");
  RONDA_NEED_DISK(disk);
  std::set<std::string> kept;
  {
    const auto store = open_with_ballast(disk.state());
    append_many(*store, kept, 200, 100);
  }
  disk.fill();
  const auto store = open_with_ballast(disk.state());
  CHECK(store->health().state == HealthState::degraded);
  CHECK(store->health().reason == "no space left for the state; the reserve is in use, and only what is owed is stored");
  append_many(*store, kept, 200, 1000);
  CHECK(kept.size() == 1100);
  CHECK(has_all(*store, kept));
  disk.empty();
  CHECK(wait_for_health(*store, HealthState::ok));
}

TEST_CASE("a first start on a full disk fails aloud and works when there is space", "[store]") {
  const TinyDisk disk("size=2m");
  RONDA_NEED_DISK(disk);
  disk.fill();
  const auto store = open_at(disk.state());
  CHECK(store->health().state == HealthState::failed);
  CHECK(append(*store, "x").error().code() == Errc::unavailable);
  disk.empty();
  REQUIRE(wait_for_health(*store, HealthState::ok));
  CHECK(append(*store, "x"));
}

TEST_CASE("a file system without an inode left is met like a full one", "[store]") {
  const TinyDisk disk("size=24m,nr_inodes=40");
  RONDA_NEED_DISK(disk);
  std::set<std::string> kept;
  {
    const auto store = open_with_ballast(disk.state());
    disk.fill_inodes();
    append_many(*store, kept, 200, 1500);  // the files are there already
    CHECK(kept.size() == 1500);
  }
  SECTION("for the WAL at the start") {
    disk.fill_inodes();
    const auto store = open_with_ballast(disk.state());
    append_many(*store, kept, 200, 100);
    CHECK(kept.size() == 1600);
    CHECK(store->health().state == HealthState::degraded);
    CHECK(has_all(*store, kept));
    disk.empty();
    CHECK(wait_for_health(*store, HealthState::ok));
  }
  SECTION("for a database in the place of a damaged one") {
    write_bytes(disk.state() + "/ronda.db", std::string(8192, 'g'));
    disk.fill_inodes();
    const auto store = open_with_ballast(disk.state());
    CHECK(append(*store, "x").has_value() == (store->health().state == HealthState::degraded));
    disk.empty();
    REQUIRE(wait_for([&] { return append(*store, "x").has_value(); }));
    CHECK(names_in(disk.state(), "ronda.db.corrupt-").size() == 1);
  }
}

TEST_CASE("a read-only file system is no refusal: the store says so and works when it can", "[store]") {
  const TinyDisk disk("size=24m");
  RONDA_NEED_DISK(disk);
  std::set<std::string> kept;
  {
    const auto store = open_at(disk.state());
    append_many(*store, kept, 200, 100);
  }
  REQUIRE(disk.remount(MS_RDONLY));
  const auto store = open_at(disk.state());
  CHECK(store->health().state == HealthState::failed);
  CHECK(store->health().reason.starts_with("the file system of '" + disk.state() + "' is read-only: "));
  CHECK(append(*store, "x").error().code() == Errc::unavailable);
  REQUIRE(disk.remount(0));
  REQUIRE(wait_for_health(*store, HealthState::ok));
  CHECK(has_all(*store, kept));
  CHECK(append(*store, "x"));
}

TEST_CASE("a limit of the file size is an error and not the end", "[store]") {
  const Scratch scratch;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  std::set<std::string> kept;
  const auto store = open_at(scratch / "state");
  const rlimit tight{2 * 1024 * 1024, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  append_many(*store, kept, 60'000, 200);
  const Health health = store->health();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(kept.size() > 10);
  CHECK(kept.size() < 200);
  CHECK(health.state != HealthState::ok);
  REQUIRE(wait_for([&] { return append(*store, "after").has_value(); }));
  CHECK(has_all(*store, kept));
}
