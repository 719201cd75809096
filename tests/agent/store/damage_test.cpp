// SPDX-License-Identifier: Apache-2.0
// Damaged files: found out, set aside untouched, and never a reason not to start.
#include <cstdlib>
#include <random>
#include <set>

#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

/// A closed database with some hundred rows in every kind of page.
std::string filled(const std::string& directory) {
  const auto store = open_at(directory);
  const InstanceId id{"task", "dump"};
  std::atomic<int> open_calls{300};
  for (int i = 0; i < 300; ++i) store->append_journal(event_of("event " + std::to_string(i)), [&](auto) { --open_calls; });
  for (int i = 0; i < 50; ++i) {
    REQUIRE(claim(*store, id, noon + i));
    store->observe({{"check", std::to_string(i)}, 0, "fine", "", 1, 1, 1, 0}, {1, 1, 0, "fine"});
  }
  REQUIRE(
      ask<Unit>(*store, &Store::write_kv, KvSpace{id, "p"}, std::uint32_t{1}, std::vector<KvWrite>{{"k", std::string(30'000, 'v'), 0}}));
  REQUIRE(wait_for([&] { return open_calls == 0; }));
  store->close();
  return bytes_of(directory + "/ronda.db");
}

/// The one file that was set aside, empty when there is none.
std::string set_aside(const std::string& directory) {
  auto names = names_in(directory, "ronda.db.corrupt-");
  std::erase_if(names, [](const std::string& name) { return name.ends_with("-wal"); });
  return names.size() == 1 ? directory + "/" + names[0] : std::string();
}

struct Spoil {
  const char* what;
  std::function<std::string(std::string)> apply;
};

}  // namespace

TEST_CASE("a damaged database is set aside byte for byte, and a fresh one is in use, with a notice", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  const std::string good = filled(state);
  const auto spoil = GENERATE(values<Spoil>({
      {"garbage", [](std::string b) { return std::string(b.size(), 'g'); }},
      {"one line of text", [](const std::string&) { return std::string("not a database\n"); }},
      {"header of zeros", [](std::string b) { return b.replace(0, 100, 100, '\0'); }},
      {"cut in the middle of a page", [](const std::string& b) { return b.substr(0, b.size() / 2 + 100); }},
      {"cut to its first page", [](const std::string& b) { return b.substr(0, 4096); }},
      {"every second page of ones",
       [](std::string b) {
         for (std::size_t at = 4096; at + 4096 <= b.size(); at += 8192) b.replace(at, 4096, 4096, '\xff');
         return b;
       }},
      {"a schema that is not ours",
       [](std::string b) {
         b.replace(b.find("CREATE TABLE inbox"), 18, "CREATE TABLE inbux");
         return b;
       }},
  }));
  INFO(spoil.what);
  const std::string bad = spoil.apply(good);
  write_bytes(file, bad);
  const auto start = std::chrono::steady_clock::now();
  const auto store = open_at(state);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  REQUIRE_FALSE(set_aside(state).empty());
  CHECK(bytes_of(set_aside(state)) == bad);
  CHECK(store->report().fresh);
  REQUIRE(store->report().notices.size() == 1);
  const std::string notice = store->report().notices[0];
  CHECK(notice.starts_with("the store was damaged ("));
  CHECK(notice.ends_with(") and is set aside untouched as '" + set_aside(state) + "'; a fresh one is in use"));
  CHECK(store->health().state == HealthState::degraded);
  CHECK(store->health().reason == notice);
  CHECK(append(*store, "x"));
  CHECK(count_of(journal(*store), "store.damaged") == 1);
}

TEST_CASE("a database that is empty or gone is replaced by a fresh one, with a notice", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  filled(state);
  const bool gone = GENERATE(true, false);
  if (gone)
    std::filesystem::remove(file);
  else
    write_bytes(file, "");
  const auto store = open_at(state);
  CHECK(store->report().fresh);
  REQUIRE(store->report().notices.size() == 1);
  CHECK(store->report().notices[0] == "the database was missing; what it held is lost, and a fresh one is in use");
  CHECK(append(*store, "x"));
}

TEST_CASE("a store with flipped bytes starts, whatever they were, and again after that", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  const std::string good = filled(state);
  std::mt19937 random(20260921);
  int aside = 0;
  for (int round = 0; round < 24; ++round) {
    std::string bad = good;
    // one byte at the start of a page, where its structure is, and some anywhere
    for (int n = 0; n < 1 + round % 4; ++n) {
      const std::size_t page = random() % (bad.size() / 4096);
      const std::size_t at = page * 4096 + (n == 0 ? random() % 64 : random() % 4096);
      bad[at] = static_cast<char>(bad[at] ^ (1 + random() % 255));
    }
    for (const std::string& name : names_in(state, "")) {
      if (name != "ballast" && name != "lock") std::filesystem::remove(state + "/" + name);
    }
    write_bytes(file, bad);
    INFO("round " << round);
    {
      auto opened = Store::open(options_at(state));
      if (!opened) {  // the header says that it is somebody else's, so it stays
        CHECK(opened.error().code() == Errc::invalid);
        CHECK(bytes_of(file) == bad);
        continue;
      }
      Store& store = **opened;
      REQUIRE(append(store, "x"));
      (void)journal(store);
      (void)ask<std::vector<InstanceState>>(store, &Store::load_instances);
      (void)ask<std::vector<Slot>>(store, &Store::load_last_slots);
      (void)ask<KvContent>(store, &Store::load_kv, KvSpace{{"task", "dump"}, "p"});
      CHECK(append(store, "x"));  // also after a damage was found by a read
      if (!set_aside(state).empty()) {
        ++aside;
      }
    }
    const auto again = open_at(state);
    CHECK(append(*again, "y"));
    CHECK(again->health().state == HealthState::ok);
  }
  CHECK(aside >= 5);
}

TEST_CASE("damage that a query meets while the store runs is set aside then", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  {
    const auto store = open_at(state);
    for (int i = 0; i < 40; ++i) {
      const KvSpace space{{"check", std::to_string(i)}, "p"};
      std::vector<KvWrite> writes;
      for (int k = 0; k < 16; ++k) writes.push_back({std::to_string(k), std::string(60'000, 'v'), 0});
      REQUIRE(ask<Unit>(*store, &Store::write_kv, space, std::uint32_t{1}, writes));
    }
    store->close();
  }
  Options options = options_at(state);
  // A clock that makes the budget of the check at start run out at once.
  const auto calls = std::make_shared<std::atomic<std::int64_t>>(0);
  options.mono_ns = [calls] { return monotonic().count() + 1'000'000'000 * ++*calls; };
  std::string bad = bytes_of(file);
  auto opened = Store::open(std::move(options));
  REQUIRE(opened);
  Store& store = **opened;
  REQUIRE(append(store, "before"));
  for (std::size_t at = 4096 * 40; at + 4096 <= bad.size(); at += 4096) bad.replace(at, 4096, 4096, '\xff');
  write_bytes(file, bad);
  REQUIRE(wait_for([&] {
    (void)ask<KvContent>(store, &Store::load_kv, KvSpace{{"check", "20"}, "p"});
    return store.health().state == HealthState::degraded;
  }));
  CHECK(wait_for([&] { return append(store, "after").has_value(); }));
  REQUIRE_FALSE(set_aside(state).empty());
  CHECK(bytes_of(set_aside(state)) == bad);
}

TEST_CASE("files that are removed or replaced under the store are noticed before anything is acknowledged", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  const std::string good = filled(state);
  {
    const auto store = open_at(state);
    REQUIRE(append(*store, "before"));
    SECTION("the database") {
      std::filesystem::remove(file);
    }
    SECTION("the WAL") {
      std::filesystem::remove(file + "-wal");
    }
    SECTION("both") {
      std::filesystem::remove(file);
      std::filesystem::remove(file + "-wal");
    }
    SECTION("an older copy moved into its place") {
      write_bytes(file + ".new", good);
      std::filesystem::rename(file + ".new", file);
    }
    REQUIRE(append(*store, "after"));
    CHECK(store->health().state == HealthState::ok);
  }
  const auto store = open_at(state);
  const auto events = journal(*store);
  CHECK(count_of(events, "test") == 302);
  CHECK(count_of(events, "store.replaced") == 1);
}

TEST_CASE("a damaged WAL is told and kept, and what stands before the damage is there", "[store]") {
  const Scratch scratch, copy;
  std::filesystem::create_directory(copy / "state");
  std::filesystem::permissions(copy / "state", std::filesystem::perms(0700));
  const std::string file = copy / "state/ronda.db";
  {
    const auto store = open_at(scratch / "state");
    for (int i = 0; i < 20; ++i) REQUIRE(append(*store, std::to_string(i)));
    // as a kill at this moment would leave them; another process may read what SQLite holds open, this one may not
    REQUIRE(std::system(
                ("cp '" + scratch / "state/ronda.db" + "' '" + scratch / "state/ronda.db-wal" + "' '" + copy / "state" + "'").c_str()) ==
            0);
  }
  std::string wal = bytes_of(file + "-wal");
  constexpr std::size_t frame = 24 + 4096;
  std::size_t kept_at_least = 20;
  std::string notice;
  SECTION("none") {}
  SECTION("its last commit is cut short, as by a power loss") {
    wal.resize(wal.size() - 100);
    kept_at_least = 19;
  }
  SECTION("a byte of a frame in its middle") {
    wal[32 + frame * 30 + 500] ^= 1;
    kept_at_least = 5;
    notice = "frame 31 of '" + file + "-wal' is damaged: ";
  }
  SECTION("a byte of its header") {
    wal[17] ^= 1;
    kept_at_least = 0;
    notice = "the header of '" + file + "-wal' is damaged: what was not in the database yet is lost";
  }
  write_bytes(file + "-wal", wal);
  const auto store = open_at(copy / "state");
  std::set<std::string> there;
  for (const JournalEvent& event : journal(*store)) there.insert(event.subject);
  for (std::size_t i = 0; i < kept_at_least; ++i) CHECK(there.contains(std::to_string(i)));
  CHECK(store->report().notices.size() == (notice.empty() ? 0 : 1));
  if (notice.empty()) return;
  CHECK(store->report().notices.at(0).starts_with(notice));
  const auto copies = names_in(copy / "state", "ronda.db.damaged-wal-");
  REQUIRE(copies.size() == 1);
  CHECK(bytes_of((copy / "state/") + copies[0]) == wal);
}
