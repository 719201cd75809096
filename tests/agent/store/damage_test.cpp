// SPDX-License-Identifier: Apache-2.0
// Damaged files: found out, set aside untouched, and never a reason not to start.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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

/// A state directory as a kill leaves it: twenty events, all or some of them in the WAL only. The bytes of the WAL.
std::string killed_with_wal(const std::string& living, const std::string& left) {
  std::filesystem::create_directory(left);
  std::filesystem::permissions(left, std::filesystem::perms(0700));
  const auto store = open_at(living);
  for (int i = 0; i < 20; ++i) REQUIRE(append(*store, std::to_string(i)));
  // another process may read what SQLite holds open, this one may not
  REQUIRE(std::system(("cd '" + living + "' && cp ronda.db ronda.db-wal generation '" + left + "'").c_str()) == 0);
  return bytes_of(left + "/ronda.db-wal");
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
      {"a header that asks for a later SQLite", [](std::string b) { return b.replace(18, 1, 1, 9); }},
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
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
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

TEST_CASE("a database that is gone is replaced by a fresh one, with a notice", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state";
  filled(state);
  std::filesystem::remove(state + "/ronda.db");
  const auto store = open_at(state);
  CHECK(store->report().fresh);
  REQUIRE(store->report().notices.size() == 1);
  CHECK(store->report().notices[0] == "the database was missing; what it held is lost, and a fresh one is in use");
  CHECK(append(*store, "x"));
  CHECK(store->health().state == HealthState::degraded);  // so that people hear of it
  CHECK(store->health().reason == store->report().notices[0]);
}

TEST_CASE("a database that was emptied is set aside with its WAL, never written over", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  std::string why = "its file is empty", wal;
  SECTION("after a clean end") {
    filled(state);
    write_bytes(file, "");
  }
  SECTION("after a kill, when the WAL holds what is nowhere else") {
    wal = killed_with_wal(scratch / "killed", state);
    write_bytes(file, "");
  }
  SECTION("or removed then") {
    wal = killed_with_wal(scratch / "killed", state);
    std::filesystem::remove(file);
    why = "its file is gone and its WAL is not";
  }
  const auto store = open_at(state);
  CHECK(store->report().fresh);
  REQUIRE(store->report().notices.size() == 1);
  CHECK(store->report().notices[0].starts_with("the store was damaged (" + why + ") and is set aside untouched as '"));
  CHECK(store->health().state == HealthState::degraded);
  if (!wal.empty()) {
    const auto names = names_in(state, "ronda.db.corrupt-");
    const auto kept = std::ranges::find_if(names, [](const std::string& name) { return name.ends_with("-wal"); });
    REQUIRE(kept != names.end());
    CHECK(bytes_of(state + "/" + *kept) == wal);
  }
  CHECK(append(*store, "x"));
}

namespace {

/// The database and the WAL of an agent that was killed, with rows in every kind of page and some in the WAL only.
struct Left {
  std::string database, wal;
};
Left left_by_a_kill(const Scratch& scratch) {
  filled(scratch / "living");
  const std::string wal = killed_with_wal(scratch / "living", scratch / "left");
  return {bytes_of(scratch / "left/ronda.db"), wal};
}

/// Up to four bytes of one file: the first at the start of a page or frame, where its structure is, the others anywhere.
std::string flipped(std::string bytes, std::size_t round, std::size_t first, std::size_t stride, std::mt19937& random) {
  const std::size_t parts = (bytes.size() - first) / stride;
  for (std::size_t n = 0; n < 1 + round % 4; ++n) {
    const std::size_t part = n == 0 ? round % parts : random() % parts;
    const std::size_t at = round % 7 == 0 && n == 0 ? random() % 100 : first + part * stride + (n == 0 ? random() % 64 : random() % stride);
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1 + random() % 255));
  }
  return bytes;
}

/// Starts on what is in `state`, reads and writes there, and starts again. False: it is refused as somebody else's.
bool starts_twice(const std::string& state) {
  const std::string before = bytes_of(state + "/ronda.db");
  {
    auto opened = Store::open(options_at(state));
    if (!opened) {
      CHECK(opened.error().code() == Errc::invalid);
      CHECK(bytes_of(state + "/ronda.db") == before);
      return false;
    }
    Store& store = **opened;
    const auto first = append(store, "x");
    INFO((first ? "" : first.error().message()));
    REQUIRE(first);
    (void)journal(store);
    (void)ask<std::vector<InstanceState>>(store, &Store::load_instances);
    (void)ask<std::vector<Slot>>(store, &Store::load_last_slots);
    (void)ask<KvContent>(store, &Store::load_kv, KvSpace{{"task", "dump"}, "p"});
    CHECK(append(store, "x"));  // also after a damage was found by a read
  }
  const auto again = open_at(state);
  CHECK(append(*again, "y"));
  CHECK(again->health().state == HealthState::ok);
  return true;
}

/// Of each three rounds one in the WAL and two in the database.
void flip_and_start(std::size_t rounds, int aside_at_least, int told_at_least) {
  const Scratch scratch;
  const Left good = left_by_a_kill(scratch);
  const std::string state = scratch / "state", file = state + "/ronda.db";
  std::mt19937 random(20260921);
  int aside = 0, told = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::filesystem::remove_all(state);
    std::filesystem::create_directory(state);
    std::filesystem::permissions(state, std::filesystem::perms(0700));
    const bool in_wal = round % 3 == 2;
    write_bytes(file, in_wal ? good.database : flipped(good.database, round, 0, 4096, random));
    write_bytes(file + "-wal", in_wal ? flipped(good.wal, round, 32, 24 + 4096, random) : good.wal);
    INFO("round " << round);
    if (!starts_twice(state)) continue;
    aside += set_aside(state).empty() ? 0 : 1;
    told += names_in(state, "ronda.db.damaged-wal-").empty() ? 0 : 1;
  }
  CHECK(aside >= aside_at_least);
  CHECK(told >= told_at_least);
}

}  // namespace

TEST_CASE("a store with flipped bytes starts, whatever they were, and again after that", "[store]") {
  flip_and_start(24, 5, 3);
}

TEST_CASE("a store with bytes flipped at a thousand places starts, whatever they were, and again after that", "[store][.long]") {
  flip_and_start(1000, 200, 150);
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
  // A clock that makes the budget of the check at start run out at once, and stands still then: no regular look at the
  // file comes before the query does.
  const auto clock = std::make_shared<std::atomic<std::int64_t>>(0);
  const auto opening = std::make_shared<std::atomic<bool>>(true);
  options.mono_ns = [clock, opening] { return *opening ? *clock += 1'000'000'000 : clock->load(); };
  std::string bad = bytes_of(file);
  auto opened = Store::open(std::move(options));
  *opening = false;
  REQUIRE(opened);
  Store& store = **opened;
  REQUIRE(append(store, "before"));
  for (std::size_t at = 4096 * 40; at + 4096 <= bad.size(); at += 4096) bad.replace(at, 4096, 4096, '\xff');
  write_bytes(file, bad);
  // what the query asks for is not there any more: the fresh database answers it
  const auto answer = ask<KvContent>(store, &Store::load_kv, KvSpace{{"check", "20"}, "p"});
  REQUIRE(answer);
  CHECK(answer->entries.empty());
  CHECK(store.health().state == HealthState::degraded);
  CHECK(append(store, "after"));
  CHECK(count_of(journal(store), "store.damaged") == 1);
  REQUIRE_FALSE(set_aside(state).empty());
  CHECK(bytes_of(set_aside(state)) == bad);
}

TEST_CASE("a database that somebody writes anew while the store runs is set aside at once, and stays what he wrote", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  const std::string old = filled(state);
  const auto store = open_at(state);
  REQUIRE(append(*store, "before"));
  std::ofstream outsider(file, std::ios::binary | std::ios::trunc);
  REQUIRE(wait_for([&] { return append(*store, "meanwhile").has_value(); }));  // the file is empty now
  CHECK(store->health().state == HealthState::degraded);
  outsider << old;
  outsider.close();
  CHECK(append(*store, "after"));
  REQUIRE_FALSE(set_aside(state).empty());
  CHECK(bytes_of(set_aside(state)) == old);
  const auto events = journal(*store);
  CHECK(count_of(events, "store.touched") == 1);
  CHECK(count_of(events, "store.damaged") == 1);
  CHECK(count_of(events, "test") == 2);
}

TEST_CASE("an older copy that is written over the database of a running store is told, and nothing is acknowledged by it unseen",
          "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  const std::string old = filled(state);
  open_at(state)->close();  // a generation more
  const auto store = open_at(state);
  REQUIRE(append(*store, "before"));
  // at once, as one write is seen: the file is never empty
  const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(::pwrite(fd, old.data(), old.size(), 0) == static_cast<ssize_t>(old.size()));
  REQUIRE(::ftruncate(fd, static_cast<off_t>(old.size())) == 0);
  // not ::close(): it would drop the locks that SQLite has in this process, which an outsider cannot do
  REQUIRE(wait_for([&] { return append(*store, "after").has_value(); }));
  ::close(fd);
  const auto events = journal(*store);
  CHECK(count_of(events, "store.touched") == 1);
  CHECK(count_of(events, "store.other_copy") + count_of(events, "store.damaged") == 1);
  CHECK(std::ranges::any_of(events, [](const JournalEvent& event) { return event.subject == "after"; }));
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
    SECTION("the whole directory") {
      std::filesystem::remove_all(state);
    }
    SECTION("the directory moved away") {
      std::filesystem::rename(state, scratch / "elsewhere");
    }
    REQUIRE(append(*store, "after"));
    CHECK(store->health().state == HealthState::ok);
  }
  const auto store = open_at(state);
  const auto events = journal(*store);
  CHECK(count_of(events, "test") == 302);
  CHECK(count_of(events, "store.replaced") == 1);
}

TEST_CASE("files that are removed under an idle store are noticed by the regular look", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  Options options = options_at(state);
  options.mono_ns = [] { return monotonic().count() * 100; };  // the looks are 50 ms apart
  const auto store = Store::open(std::move(options));
  REQUIRE(store);
  REQUIRE(append(**store, "before"));
  std::filesystem::remove(file);
  std::filesystem::remove(file + "-wal");
  CHECK(wait_for([&] { return std::filesystem::exists(file) && std::filesystem::exists(file + "-wal"); }));
  const auto events = journal(**store);
  CHECK(count_of(events, "store.replaced") == 1);
  CHECK(count_of(events, "test") == 1);
}

TEST_CASE("what was saved from a removed database is used when the agent was killed before it had its name", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  filled(state);
  std::filesystem::rename(file, file + ".rescued");
  const auto store = open_at(state);
  CHECK(store->report().notices.empty());
  CHECK(count_of(journal(*store), "test") == 300);
}

TEST_CASE("a damaged WAL is told and kept, and what stands before the damage is there", "[store]") {
  const Scratch scratch, copy;
  const std::string file = copy / "state/ronda.db";
  std::string wal = killed_with_wal(scratch / "state", copy / "state");
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
