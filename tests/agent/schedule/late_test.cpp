// SPDX-License-Identifier: Apache-2.0
// A store that could not be read at the start and is well some time later.
#include <algorithm>
#include <catch.hpp>

#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;
using schedule::Kind;

TEST_CASE("what is remembered late is caught up with, and nothing runs twice", "[schedule]") {
  Scheduled bench;
  const std::vector<Configured> set{{"fresh"}, {"known"}, {"reported", "inbox"}, {"half-done", "ok", 0, Kind::task}, {"held", "segv"}};
  bench.begin(set);
  bench.run("known");
  bench.post("reported", "success");
  for (int i = 0; i < 5; ++i) bench.run("held");
  REQUIRE(bench.scheduler().quarantine(bench.entry("held")) != nullptr);
  bench.ask<store::Claim>([&](auto done) { bench.store().claim_slot({"task", "half-done"}, 1'700'000'000'000'000'000, std::move(done)); });
  REQUIRE(bench.until(
      [&] { return std::ranges::any_of(bench.remembered().states, [](const auto& state) { return state.id.name == "known"; }); }));
  bench.kill();

  bench.begin(set, schedule::Remembered{});
  bench.run("fresh");
  CHECK_FALSE(bench.entry("known").has_result);
  bench.scheduler().recall_late(bench.remembered());
  CHECK(bench.entry("known").has_result);
  CHECK(bench.entry("known").status == plugin::CheckStatus::ok);
  CHECK(bench.entry("half-done", Kind::task).trip.fate == plugin::Fate::lost);
  REQUIRE(bench.until([&] { return bench.entry("reported").runs == 1; }));
  CHECK(bench.entry("reported").summary == "success=text;");
  CHECK(bench.run("held").summary.starts_with("unavailable: in quarantine"));
  CHECK(bench.entry("known").runs == 0);
  CHECK(bench.entry("fresh").runs == 1);
  const auto slots = bench.slots("half-done");
  REQUIRE(slots.size() == 1);
  CHECK(slots[0].outcome == "outcome unknown");
}

TEST_CASE("a slot that comes in safe mode stands in the store as one that was not run, with the reason", "[schedule]") {
  Scheduled bench;
  const auto noon = std::chrono::seconds(1'772'366'400);  // 2026-03-01 12:00 UTC
  bench.wall = noon - 1s;
  bench.safe_mode = true;
  bench.begin({{"noon", "ok", 0, Kind::task, 0s, 20s, "*-*-* 12:00:00"}});
  bench.wall = noon;
  bench.scheduler().on_clock_set();
  REQUIRE(bench.until([&] { return bench.entry("noon", Kind::task).skip == schedule::Skip::safe_mode; }));
  const auto slots = bench.slots("noon");
  REQUIRE(slots.size() == 1);
  CHECK(slots[0].scheduled == std::chrono::nanoseconds(noon).count());
  CHECK(slots[0].state == store::SlotState::skipped);
  CHECK(slots[0].outcome == "safe mode: no tasks");
  // and what comes after it is run, itself not any more
  bench.scheduler().leave_safe_mode();
  bench.wall = noon + 24h;
  bench.scheduler().on_clock_set();
  REQUIRE(bench.until([&] { return bench.entry("noon", Kind::task).runs == 1; }));
  REQUIRE(bench.until([&] { return bench.slots("noon").size() == 2; }));
}

TEST_CASE("a slot that was run before is not run again when that is heard late, and one missed since is caught up once", "[schedule]") {
  Scheduled bench;
  const std::vector<Configured> set{{"noon", "ok", 0, Kind::task, 0s, 20s, "*-*-* 12:00:00"}};
  const auto noon = std::chrono::seconds(1'772'366'400);  // 2026-03-01 12:00 UTC
  bench.wall = noon - 1s;
  bench.begin(set);
  bench.wall = noon;
  bench.scheduler().on_clock_set();
  REQUIRE(bench.until([&] { return bench.entry("noon", Kind::task).runs == 1; }));
  REQUIRE(bench.until([&] { return bench.slots("noon").size() == 1 && bench.slots("noon")[0].state == store::SlotState::done; }));
  bench.kill();

  schedule::Remembered late = bench.remembered();
  for (store::Slot& slot : late.last_slots) slot.changed = slot.scheduled;  // by the clock of the test
  SECTION("the same day: nothing is owed") {
    bench.wall = noon + 2h;
    bench.begin(set, schedule::Remembered{});
    bench.scheduler().recall_late(late);
    bench.turn_for(300ms);
    CHECK(bench.entry("noon", Kind::task).runs == 0);
    const auto view = bench.scheduler().look(bench.entry("noon", Kind::task));
    REQUIRE(view.slot);
    CHECK(view.slot->time_since_epoch() == noon + 24h);
  }
  SECTION("three days later: one of three is owed") {
    bench.wall = noon + 72h + 1h;
    bench.begin(set, schedule::Remembered{});
    bench.scheduler().recall_late(late);
    REQUIRE(bench.until([&] { return bench.entry("noon", Kind::task).runs == 1; }, 60s));  // a catch-up waits up to 30 s
    CHECK(bench.entry("noon", Kind::task).trip.reason == 3);                               // RONDA_REASON_CATCH_UP
    bench.turn_for(200ms);
    CHECK(bench.entry("noon", Kind::task).runs == 1);
  }
}
