// SPDX-License-Identifier: Apache-2.0
// Errors of reading, writing and syncing, and power loss: nothing is acknowledged that is not durable.
#include <set>

#include "agent/store/faulty_vfs.hpp"
#include "agent/store/support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

std::unique_ptr<Store> open_on(const FaultyVfs& vfs, const std::string& directory) {
  Options options = options_at(directory);
  options.vfs = vfs.name();
  auto store = Store::open(std::move(options));
  REQUIRE(store);
  return *std::move(store);
}

/// Appends until the planned failure has happened or `most` are done; the subjects that were acknowledged.
std::set<std::string> append_until_failure(Store& store, const FaultyVfs& vfs, int most) {
  std::set<std::string> kept;
  for (int i = 0; i < most; ++i) {
    JournalEvent event = event_of(std::to_string(i));
    event.data = "\"" + std::string(60'000, 'x') + "\"";  // the WAL is folded in after some sixty
    if (ask<Unit>(store, &Store::append_journal, event)) kept.insert(event.subject);
    if (vfs.failed()) break;
  }
  return kept;
}

bool has_all(Store& store, const std::set<std::string>& kept) {
  std::set<std::string> there;
  for (const JournalEvent& event : journal(store)) there.insert(event.subject);
  return std::includes(there.begin(), there.end(), kept.begin(), kept.end());
}

}  // namespace

namespace {

/// What is seen of the `at`-th sync after the start when it fails. How many there are before the store ends does not
/// matter: it goes on until that one came.
void fail_one_sync(int at) {
  const Scratch scratch;
  FaultyVfs vfs;
  INFO("sync " << at);
  std::set<std::string> kept;
  {
    const auto store = open_on(vfs, scratch / "state");
    vfs.fail_sync(at);
    kept = append_until_failure(*store, vfs, 400);
    REQUIRE(vfs.failed());
    // what is asked after the sync is answered after it: the store, which may be folding its log in, knows by then
    static_cast<void>(ask<std::vector<JournalEvent>>(*store, &Store::load_journal, std::int64_t{1}));
    REQUIRE(wait_for_health(*store, HealthState::ok));
    const auto events = journal(*store);
    CHECK(count_of(events, "store.failed") == 1);
    CHECK(count_of(events, "store.recovered") == 1);
    CHECK(has_all(*store, kept));
    CHECK(append(*store, "after"));
    kept.insert("after");
  }
  CHECK(has_all(*open_at(scratch / "state"), kept));
}

}  // namespace

TEST_CASE("a sync that fails once is final: nothing is acknowledged until the file was checked anew", "[store]") {
  fail_one_sync(GENERATE(1, 2, 20, 61, 62, 63, 64, 65, 66));
}

TEST_CASE("each sync up to the third checkpoint fails once and is final", "[store][.long]") {
  for (int at = 1; at <= 200; ++at) fail_one_sync(at);
}

TEST_CASE("a start whose sync fails promises nothing, and loses nothing either", "[store]") {
  const Scratch scratch;
  std::set<std::string> kept;
  {
    const auto store = open_at(scratch / "state");
    REQUIRE(append(*store, "before"));
  }
  FaultyVfs vfs;
  for (int at = 1; at <= 8; ++at) {
    INFO("sync " << at);
    vfs.fail_sync(at);
    const auto store = open_on(vfs, scratch / "state");
    REQUIRE(wait_for_health(*store, HealthState::ok));
    CHECK(has_all(*store, {"before"}));
    for (int i = 0; i < 10 && !vfs.failed(); ++i) (void)append(*store, "x");
    REQUIRE(vfs.failed());
  }
}

TEST_CASE("a read that fails is no damage: the store says what the disk did, and goes on with the same file", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state";
  {
    const auto store = open_at(state);
    for (int i = 0; i < 60; ++i) {
      JournalEvent event = event_of(std::to_string(i));
      event.data = "\"" + std::string(60'000, 'x') + "\"";  // more than the cache of pages holds
      REQUIRE(ask<Unit>(*store, &Store::append_journal, event));
    }
  }
  FaultyVfs vfs;
  const auto store = open_on(vfs, state);
  const int code = GENERATE(SQLITE_IOERR_READ, SQLITE_IOERR_CORRUPTFS);
  INFO("code " << code);
  for (const int at : {1, 2, 7, 50}) {
    INFO("read " << at);
    vfs.fail_reads(at, 1'000'000, code);
    const auto refused = ask<std::vector<JournalEvent>>(*store, &Store::load_journal, std::int64_t{1000});
    REQUIRE(vfs.failed());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::unavailable);
    CHECK(store->health().state == HealthState::failed);
    CHECK(store->health().reason.find("disk I/O error") != std::string::npos);
    CHECK(append(*store, "refused").error().code() == Errc::unavailable);
    vfs.fail_reads(0, 0, 0);
    const bool recovered = wait_for_health(*store, HealthState::ok);
    INFO(store->health().reason);
    REQUIRE(recovered);
    CHECK(journal(*store).size() >= 60);

    vfs.fail_reads(at, 1, code);  // once: the second look finds nothing
    const auto answer = ask<std::vector<JournalEvent>>(*store, &Store::load_journal, std::int64_t{1000});
    if (answer) CHECK(answer->size() >= 60);
    REQUIRE(wait_for_health(*store, HealthState::ok));
    vfs.fail_reads(0, 0, 0);
    CHECK(journal(*store).size() >= 60);
  }
  CHECK(names_in(state, "ronda.db.corrupt-").empty());
}

TEST_CASE("a store whose disk fails answers unavailable at once, says why, and recovers by itself", "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  const auto store = open_on(vfs, scratch / "state");
  REQUIRE(append(*store, "before"));
  vfs.fail_writes(1, 1'000'000, SQLITE_IOERR_WRITE);
  const auto refused = append(*store, "during");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::unavailable);
  CHECK(store->health().state == HealthState::failed);
  CHECK(store->health().reason.find("disk I/O error") != std::string::npos);
  CHECK(ask<Claim>(*store, &Store::claim_slot, InstanceId{"task", "t"}, noon).error().code() == Errc::unavailable);
  store->observe({{"check", "a"}, 2, "held", "", 1, 1, 1, 0}, {1, 1, 2, "held"});
  CHECK(ask<Unit>(*store, &Store::flush).error().code() == Errc::unavailable);
  vfs.fail_writes(0, 0, 0);
  REQUIRE(wait_for_health(*store, HealthState::ok));
  CHECK(append(*store, "after"));
  CHECK(must<std::vector<InstanceState>>(*store, &Store::load_instances).at(0).summary == "held");
  CHECK(has_all(*store, {"before", "after"}));
}

TEST_CASE("a slot whose claim was refused for its sync failed is claimed once more, and once, though it is in the file after all",
          "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  const InstanceId dump{"task", "dump"}, tidy{"task", "tidy"};
  {
    const auto store = open_on(vfs, scratch / "state");
    REQUIRE(*claim(*store, tidy, noon) == Claim::claimed);  // the WAL has its header: what fails is the sync of a commit
    vfs.fail_sync(1);
    CHECK(claim(*store, dump, noon).error().code() == Errc::unavailable);
    REQUIRE(wait_for_health(*store, HealthState::ok));
    const auto started = must<std::vector<Slot>>(*store, &Store::load_started_slots);
    REQUIRE(std::ranges::count(started, dump, &Slot::id) == 1);
    CHECK(*claim(*store, dump, noon) == Claim::claimed);
    CHECK(*claim(*store, dump, noon) == Claim::already_done);
    CHECK(*claim(*store, tidy, noon) == Claim::already_done);
  }
  const auto store = open_on(vfs, scratch / "state");
  CHECK(*claim(*store, dump, noon) == Claim::already_done);
}

TEST_CASE("a slot whose claim was refused, and asked for again while the disk is full, is claimed", "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  const InstanceId dump{"task", "dump"};
  const auto store = open_on(vfs, scratch / "state");
  REQUIRE(*claim(*store, dump, noon - minute) == Claim::claimed);
  vfs.fail_sync(1);
  REQUIRE(claim(*store, dump, noon).error().code() == Errc::unavailable);
  REQUIRE(wait_for_health(*store, HealthState::ok));
  // what is asked for beside it writes, and that is done once more with the room of the reserve
  vfs.fail_writes(1, 1, SQLITE_FULL);
  std::optional<Result<Claim>> claimed;
  std::optional<Result<Unit>> appended;
  store->claim_slot(dump, noon, [&](Result<Claim> result) { claimed = std::move(result); });
  store->append_journal(event_of("beside"), [&](Result<Unit> result) { appended = std::move(result); });
  REQUIRE(ask<Unit>(*store, &Store::flush));
  REQUIRE(appended);
  REQUIRE(vfs.failed());
  CHECK(**claimed == Claim::claimed);
  CHECK(*claim(*store, dump, noon) == Claim::already_done);
}

TEST_CASE("a slot whose claim was refused and is not in the file is claimed once", "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  const InstanceId dump{"task", "dump"};
  const auto store = open_on(vfs, scratch / "state");
  REQUIRE(*claim(*store, dump, noon - minute) == Claim::claimed);
  vfs.fail_writes(1, 1, SQLITE_IOERR_WRITE);
  REQUIRE(claim(*store, dump, noon).error().code() == Errc::unavailable);
  REQUIRE(wait_for_health(*store, HealthState::ok));
  REQUIRE(std::ranges::count(must<std::vector<Slot>>(*store, &Store::load_started_slots), noon, &Slot::scheduled) == 0);
  CHECK(*claim(*store, dump, noon) == Claim::claimed);
  CHECK(*claim(*store, dump, noon) == Claim::already_done);
}

TEST_CASE("a slot whose claim was refused, and that nobody began before the end, is owed to the next life", "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  const InstanceId dump{"task", "dump"};
  {
    const auto store = open_on(vfs, scratch / "state");
    REQUIRE(*claim(*store, dump, noon) == Claim::claimed);
    vfs.fail_sync(1);
    REQUIRE(claim(*store, dump, noon + minute).error().code() == Errc::unavailable);
    REQUIRE(wait_for_health(*store, HealthState::ok));
    REQUIRE(must<std::vector<Slot>>(*store, &Store::load_started_slots).size() == 2);
  }
  const auto store = open_on(vfs, scratch / "state");
  CHECK(must<std::vector<Slot>>(*store, &Store::load_started_slots).size() == 1);
  CHECK(*claim(*store, dump, noon) == Claim::already_done);
  CHECK(*claim(*store, dump, noon + minute) == Claim::claimed);
}

TEST_CASE("an error of any write, once, loses nothing that was acknowledged", "[store]") {
  const Scratch scratch;
  FaultyVfs vfs;
  const auto store = open_on(vfs, scratch / "state");
  std::set<std::string> kept;
  const int code = GENERATE(SQLITE_FULL, SQLITE_IOERR_WRITE);
  for (int at = 1; at < 60; at += 4) {
    INFO("write " << at);
    vfs.fail_writes(at, 1, code);
    for (int i = 0; !vfs.failed() && i < 100; ++i) {
      const std::string subject = std::to_string(at) + "/" + std::to_string(i);
      if (append(*store, subject)) kept.insert(subject);
    }
    REQUIRE(vfs.failed());
    REQUIRE(wait_for_health(*store, HealthState::ok));
    REQUIRE(has_all(*store, kept));
  }
}

TEST_CASE("a database that somebody writes into between its check and its use is not used unchecked", "[store]") {
  const Scratch scratch;
  const std::string state = scratch / "state", file = state + "/ronda.db";
  {
    const auto store = open_at(state);
    REQUIRE(append(*store, "before"));
  }
  FaultyVfs vfs;
  // the first sync of a start is that of the generation's commit: after the check, before the checkpoint
  vfs.lose_power(1, [&] { std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now()); });
  const auto store = open_on(vfs, state);
  REQUIRE(vfs.power_lost());
  REQUIRE(wait_for_health(*store, HealthState::ok));
  CHECK(count_of(journal(*store), "store.failed") == 1);
  CHECK(count_of(journal(*store), "store.recovered") == 1);
  CHECK(has_all(*store, {"before"}));
}

TEST_CASE("what was acknowledged before a power loss is there after it", "[store]") {
  const Scratch scratch;
  for (const int at : {1, 53, 55, 56, 57}) {
    INFO("sync " << at);
    const std::string state = scratch / ("state-" + std::to_string(at)), after = scratch / ("after-" + std::to_string(at));
    std::atomic<int> acknowledged{0};
    int promised = 0;
    FaultyVfs vfs;
    {
      // planned before the start, so that the base of every file is known
      vfs.lose_power(at + 12, [&] { promised = acknowledged; });
      const auto store = open_on(vfs, state);
      for (int i = 0; i < 500 && !vfs.power_lost(); ++i) {
        JournalEvent event = event_of(std::to_string(i));
        event.data = "\"" + std::string(60'000, 'x') + "\"";  // the WAL is folded in after some sixty
        REQUIRE(ask<Unit>(*store, &Store::append_journal, event));
        ++acknowledged;
      }
    }
    REQUIRE(vfs.power_lost());
    std::filesystem::create_directory(after);
    std::filesystem::permissions(after, std::filesystem::perms(0700));
    for (const auto& [name, bytes] : vfs.durable()) write_bytes(after + "/" + name, bytes);
    const auto store = open_at(after);
    CHECK(store->report().notices.empty());
    std::set<std::string> there;
    for (const JournalEvent& event : journal(*store)) there.insert(event.subject);
    for (int i = 0; i < promised; ++i) REQUIRE(there.contains(std::to_string(i)));
    if (at > 12) CHECK(promised > 0);
  }
}
