// SPDX-License-Identifier: Apache-2.0
#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

Result<Unit> backup(Store& store, const std::string& path) {
  return ask<Unit>(store, &Store::backup, path);
}
const InstanceId dump{"task", "dump"};

}  // namespace

TEST_CASE("a backup made while the store is written to is a whole state, and comes back", "[store]") {
  const Scratch scratch;
  const std::string file = scratch / "copy.db";
  {
    const auto store = open_at(scratch / "state");
    for (int i = 0; i < 2000; ++i) store->append_journal(event_of("before"), [](auto) {});
    REQUIRE(claim(*store, dump, noon));
    std::atomic<bool> made{false};  // looked at by this thread only: Catch2 knows one
    std::atomic<bool> over{false};
    std::atomic<int> during{0};
    store->backup(file, [&](const Result<Unit>& result) {
      made = result.has_value();
      over = true;
    });
    while (!over) {
      REQUIRE(append(*store, "during"));
      ++during;
    }
    CHECK(made);
    CHECK(during > 0);
    REQUIRE(append(*store, "after"));
    CHECK(*claim(*store, dump, noon + minute) == Claim::claimed);
    CHECK(names_in(scratch.path(), "copy") == std::vector<std::string>{"copy.db"});
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms(077)) == std::filesystem::perms::none);
  }
  const std::string before = bytes_of(scratch / "state/ronda.db");
  const auto old = restore(file, scratch / "state", noon);
  REQUIRE(old);
  CHECK(*old == "ronda.db.before-restore-20260921T141320Z");
  CHECK(bytes_of(scratch / "state/" + *old) == before);

  const auto store = open_at(scratch / "state");
  REQUIRE(store->report().notices.size() == 1);
  CHECK(store->report().notices[0].starts_with("the database is an older copy (generation "));
  const auto events = journal(*store);
  CHECK(count_of(events, "store.other_copy") == 1);
  CHECK(count_of(events, "test") >= 2000);
  for (const JournalEvent& event : events) CHECK(event.subject != "after");
  CHECK(*claim(*store, dump, noon) == Claim::already_done);
}

TEST_CASE("a backup overwrites nothing, and what cannot be finished leaves nothing behind", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  const std::string there = scratch.write("there", "mine");
  const auto refused = backup(*store, there);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::exists);
  CHECK(refused.error().message() == "'" + there + "' exists, and a backup overwrites nothing; give another name");
  CHECK(bytes_of(there) == "mine");
  CHECK(backup(*store, "relative").error().code() == Errc::invalid);
  CHECK(backup(*store, "").error().code() == Errc::invalid);
  CHECK(backup(*store, scratch / "no/such/folder").error().code() == Errc::not_found);

  const std::string theirs = scratch.write("third.partial", "another's");
  REQUIRE(backup(*store, scratch / "third"));
  CHECK(bytes_of(theirs) == "another's");
  std::filesystem::remove(theirs);
  std::filesystem::remove(scratch / "third");

  for (int i = 0; i < 3000; ++i) store->append_journal(event_of("x"), [](auto) {});
  std::atomic<int> answered{0};
  for (const char* name : {"one", "two"}) store->backup(scratch / name, [&](auto) { ++answered; });
  store->close();
  CHECK(answered == 2);
  for (const std::string& name : names_in(scratch.path(), "")) CHECK((name == "state" || name == "there"));
}

TEST_CASE("only a whole backup of ours is restored, and only where no agent runs", "[store]") {
  const Scratch scratch;
  const std::string file = scratch / "copy.db", state = scratch / "state";
  {
    const auto store = open_at(state);
    for (int i = 0; i < 200; ++i) REQUIRE(append(*store, "x"));
    REQUIRE(backup(*store, file));
    const auto running = restore(file, state, noon);
    REQUIRE_FALSE(running);
    CHECK(running.error().code() == Errc::exists);
  }
  const std::string good = bytes_of(file), before = bytes_of(state + "/ronda.db");
  const auto refusal = [&](const std::string& bytes) {
    write_bytes(file, bytes);
    const auto result = restore(file, state, noon);
    REQUIRE_FALSE(result);
    CHECK(result.error().message().starts_with("nothing was restored: "));
    CHECK(bytes_of(state + "/ronda.db") == before);
    return result.error().code();
  };
  CHECK(refusal("") == Errc::invalid);
  CHECK(refusal(std::string(8192, 'x')) == Errc::corrupt);
  CHECK(refusal(good.substr(0, good.size() / 2)) == Errc::corrupt);
  std::string flipped = good;
  for (std::size_t i = 4096 * 10; i < 4096 * 11; ++i) flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
  CHECK(refusal(flipped) == Errc::corrupt);
  std::string newer = good;
  newer[63] = 99;
  CHECK(refusal(newer) == Errc::corrupt);  // header and content disagree
  write_bytes(file, good);
  write_bytes(file + "-wal", "in use");
  CHECK(restore(file, state, noon).error().code() == Errc::invalid);
  std::filesystem::remove(file + "-wal");
  const auto fresh = restore(file, scratch / "elsewhere", noon);
  REQUIRE(fresh);
  CHECK(fresh->empty());
  CHECK(count_of(journal(*open_at(scratch / "elsewhere")), "test") == 200);
}
