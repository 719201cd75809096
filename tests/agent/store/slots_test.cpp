// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>

#include "agent/store/support.hpp"
#include "catch.hpp"
#include "store/database.hpp"
#include "store/schema.hpp"
#include "store/tables.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

const InstanceId dump{"task", "dump"}, tidy{"task", "tidy"};

std::vector<std::int64_t> scheduled(const std::vector<Slot>& slots) {
  std::vector<std::int64_t> all;
  for (const Slot& slot : slots) all.push_back(slot.scheduled);
  return all;
}

/// The tables alone, in memory, for what depends on the clock.
Database tables() {
  auto db = Database::open(":memory:", "");
  REQUIRE(db);
  REQUIRE(migrate(*db));
  return *std::move(db);
}

}  // namespace

TEST_CASE("a slot is claimed once, also by the next agent", "[store]") {
  const Scratch scratch;
  {
    const auto store = open_at(scratch / "state");
    CHECK(*claim(*store, dump, noon) == Claim::claimed);
    CHECK(*claim(*store, dump, noon) == Claim::already_done);
    CHECK(*claim(*store, tidy, noon) == Claim::claimed);
    REQUIRE(ask<Unit>(*store, &Store::finish_slot, dump, noon, std::string("ok")));
    CHECK(*claim(*store, dump, noon) == Claim::already_done);
  }
  const auto store = open_at(scratch / "state");
  CHECK(*claim(*store, dump, noon) == Claim::already_done);
  CHECK(*claim(*store, dump, noon + minute) == Claim::claimed);
}

TEST_CASE("a hundred claims of one slot at the same time give one run", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  std::atomic<int> claimed{0}, answered{0};
  for (int i = 0; i < 100; ++i) {
    store->claim_slot(dump, noon, [&](Result<Claim> result) {
      claimed += result && *result == Claim::claimed ? 1 : 0;
      ++answered;
    });
  }
  REQUIRE(wait_for([&] { return answered == 100; }));
  CHECK(claimed == 1);
}

TEST_CASE("the runs that nobody owns any more are those that were started and not finished", "[store]") {
  const Scratch scratch;
  {
    const auto store = open_at(scratch / "state");
    for (const std::int64_t at : {noon, noon + minute, noon + 2 * minute}) REQUIRE(claim(*store, dump, at));
    REQUIRE(ask<Unit>(*store, &Store::finish_slot, dump, noon, std::string("ok")));
    CHECK(*ask<Claim>(*store, &Store::close_slot, Slot{tidy, noon, SlotState::skipped, 0, "still running"}) == Claim::claimed);
  }
  const auto store = open_at(scratch / "state");
  const auto started = must<std::vector<Slot>>(*store, &Store::load_started_slots);
  CHECK(scheduled(started) == std::vector{noon + minute, noon + 2 * minute});
  for (const Slot& slot : started) REQUIRE(ask<Unit>(*store, &Store::finish_slot, slot.id, slot.scheduled, std::string("unknown")));
  CHECK(must<std::vector<Slot>>(*store, &Store::load_started_slots).empty());
  const auto slots = must<std::vector<Slot>>(*store, &Store::load_slots, dump, std::int64_t{2});
  REQUIRE(slots.size() == 2);
  CHECK(slots[0].scheduled == noon + 2 * minute);
  CHECK(slots[0].state == SlotState::done);
  CHECK(slots[0].outcome == "unknown");
}

TEST_CASE("a slot is finished once, and one that ran without a claim is never claimed later", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  REQUIRE(claim(*store, dump, noon));
  REQUIRE(ask<Unit>(*store, &Store::finish_slot, dump, noon, std::string("ok")));
  const auto again = ask<Unit>(*store, &Store::finish_slot, dump, noon, std::string("failed"));
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == Errc::not_found);
  CHECK(again.error().message() == "the slot of task 'dump' at " + std::to_string(noon) + " is finished already");
  CHECK(must<std::vector<Slot>>(*store, &Store::load_slots, dump, std::int64_t{9}).at(0).outcome == "ok");

  REQUIRE(ask<Unit>(*store, &Store::finish_slot, tidy, noon, std::string("ok")));
  CHECK(*claim(*store, tidy, noon) == Claim::already_done);
}

TEST_CASE("the newest slot of every instance, and what was missed", "[store]") {
  const Scratch scratch;
  const auto store = open_at(scratch / "state");
  for (int i = 0; i < 5; ++i) REQUIRE(claim(*store, dump, noon + i * minute));
  REQUIRE(claim(*store, {"check", ""}, noon));
  REQUIRE(claim(*store, {"task", "it's \"odd\" \n"}, noon + minute));
  const auto last = must<std::vector<Slot>>(*store, &Store::load_last_slots);
  REQUIRE(last.size() == 3);
  CHECK(last[0].id == InstanceId{"check", ""});
  CHECK(last[1].id == dump);
  CHECK(last[1].scheduled == noon + 4 * minute);
  CHECK(last[2].id.name == "it's \"odd\" \n");

  REQUIRE(ask<Unit>(*store, &Store::record_missed, MissedRange{dump, noon, noon + 9 * minute, 10, "the agent was not running", 0}));
  REQUIRE(ask<Unit>(*store, &Store::record_missed, MissedRange{dump, noon + day, noon + day, 1, "the clock stepped", 7}));
  const auto missed = must<std::vector<MissedRange>>(*store, &Store::load_missed, dump, std::int64_t{10});
  REQUIRE(missed.size() == 2);
  CHECK(missed[0].reason == "the clock stepped");
  CHECK(missed[0].recorded == 7);
  CHECK(missed[1].count == 10);
  CHECK(missed[1].recorded == noon);
}

TEST_CASE("retention forgets old slots, never the newest of an instance nor one that is not finished", "[store]") {
  Database db = tables();
  const InstanceId yearly{"task", "yearly"};
  for (int i = 0; i < 100; ++i) REQUIRE(*claim_slot(db, dump, noon + i * day, noon + i * day) == Claim::claimed);
  for (int i = 1; i < 100; ++i) REQUIRE(finish_slot(db, dump, noon + i * day, "ok", noon));
  REQUIRE(claim_slot(db, yearly, noon, noon));
  REQUIRE(finish_slot(db, yearly, noon, "ok", noon));
  const std::int64_t now = noon + 100 * day;
  std::int64_t gone = 0, last = -1;
  while (gone != last) {
    last = gone;
    REQUIRE(forget_slots(db, now, 7, &gone));
    CHECK(gone - last <= 7);
  }
  CHECK(gone == 64);  // days 1 to 64; day 0 is not finished
  const auto slots = load_slots(db, dump, 1000);
  REQUIRE(slots);
  CHECK(slots->size() == 36);
  CHECK(slots->back().scheduled == noon);
  CHECK(load_slots(db, yearly, 10)->size() == 1);
}

TEST_CASE("a slot that retention forgot is not claimed anew, whatever the clock says later", "[store]") {
  Database db = tables();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(claim_slot(db, dump, noon + i * day, noon));
    REQUIRE(finish_slot(db, dump, noon + i * day, "ok", noon));
  }
  std::int64_t gone = 0;
  REQUIRE(forget_slots(db, noon + 3650 * day, 100, &gone));  // the clock was ten years ahead
  REQUIRE(gone == 2);
  CHECK(*claim_slot(db, dump, noon, noon + 3 * day) == Claim::already_done);
  CHECK(*claim_slot(db, dump, noon + day, noon + 3 * day) == Claim::already_done);
  CHECK(*claim_slot(db, dump, noon + 3 * day, noon + 3 * day) == Claim::claimed);
  CHECK(*claim_slot(db, tidy, noon, noon + 3 * day) == Claim::claimed);
}

TEST_CASE("the queries that grow with the number of slots go through an index", "[store]") {
  Database db = tables();
  const auto plan_of = [&](const char* sql) {
    std::string plan;
    REQUIRE(db.each(sql, [&](const Row& row) { plan += std::string(row.text(3)) + "; "; }));
    return plan;
  };
  CHECK(plan_of("EXPLAIN QUERY PLAN SELECT kind,name,scheduled,state,changed,outcome FROM slot WHERE state=0") ==
        "SEARCH slot USING INDEX slot_started (state=?); ");
  CHECK(plan_of("EXPLAIN QUERY PLAN SELECT kind,name FROM slot WHERE (kind,name)>('a','b') ORDER BY kind,name LIMIT 1")
            .starts_with("SEARCH slot USING PRIMARY KEY"));
  CHECK(plan_of("EXPLAIN QUERY PLAN SELECT kind,name,scheduled FROM slot AS old WHERE scheduled<1 AND state<>0 AND EXISTS "
                "(SELECT 1 FROM slot WHERE kind=old.kind AND name=old.name AND scheduled>old.scheduled) ORDER BY scheduled LIMIT 9")
            .starts_with("SEARCH old USING INDEX slot_age (scheduled<?); CORRELATED SCALAR SUBQUERY 1; SEARCH slot USING PRIMARY KEY"));
  CHECK(plan_of("EXPLAIN QUERY PLAN DELETE FROM kv WHERE space=1 AND expires>0 AND expires<=5")
            .starts_with("SEARCH kv USING COVERING INDEX kv_expires_of (space=? AND expires>? AND expires<?)"));
}

TEST_CASE("since when a calendar is known stays while it is the same", "[store]") {
  const Scratch scratch;
  auto store = open_at(scratch.path());
  const InstanceId nightly{"task", "nightly"}, weekly{"task", "weekly"};
  const auto known = [&] { return must<std::vector<KnownCalendar>>(*store, &Store::load_calendars); };
  const auto note = [&](std::vector<KnownCalendar> present) { must<Unit>(*store, &Store::note_calendars, std::move(present)); };
  note({{nightly, "daily", 10}, {weekly, "weekly", 10}});
  note({{nightly, "daily", 20}, {weekly, "monthly", 20}});
  REQUIRE(known().size() == 2);
  CHECK(known()[0].since == 10);
  CHECK(known()[1].text == "monthly");
  CHECK(known()[1].since == 20);
  must<Unit>(*store, &Store::mark_configured, Ids{weekly});
  REQUIRE(known().size() == 1);
  CHECK(known()[0].id == weekly);
}

TEST_CASE("a database from before calendars were known owes what it owed", "[store]") {
  const Scratch scratch;
  const std::string directory = scratch / "state";
  const InstanceId old{"task", "old"};
  {
    auto store = open_at(directory);
    must<Claim>(*store, &Store::claim_slot, old, noon);
    store->close();
  }
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((directory + "/ronda.db").c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, back_to_schema(2).c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  auto store = open_at(directory);
  const auto known = [&] { return must<std::vector<KnownCalendar>>(*store, &Store::load_calendars); };
  REQUIRE(known().size() == 1);
  CHECK(known()[0].id == old);
  CHECK(known()[0].text.empty());
  must<Unit>(*store, &Store::note_calendars, std::vector<KnownCalendar>{{old, "daily", 20}});
  CHECK(known()[0].text == "daily");
  CHECK(known()[0].since == 0);
}

TEST_CASE("slots whose names are no text, as damage makes them, are passed over and do not hold up the others", "[store]") {
  Database db = tables();
  REQUIRE(claim_slot(db, dump, noon, noon));
  REQUIRE(
      db.script("INSERT INTO slot VALUES(x'7461', x'78', 5, 1, 5, ''), (x'7a', 'dump', 5, 200, 5, ''), "
                "('check', x'79', 5, -3, 5, '')"));
  const auto last = load_last_slots(db);
  REQUIRE(last);
  REQUIRE(last->size() == 1);
  CHECK(last->front().id == dump);
  // what is to go and cannot be named is no progress
  REQUIRE(db.script("INSERT INTO left_instance VALUES(x'7461', x'78', 5)"));
  std::int64_t gone = 0;
  REQUIRE(drop_left(db, noon, 10, &gone));
  CHECK(gone == 0);
}
