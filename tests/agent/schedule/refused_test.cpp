// SPDX-License-Identifier: Apache-2.0
// Slots that the store cannot promise when they come.
#include <catch.hpp>

#include "agent/store/faulty_vfs.hpp"
#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;
using schedule::Kind;

TEST_CASE("a slot that the store could not promise is owed, and runs once when the store is back", "[schedule]") {
  store::test::FaultyVfs vfs;
  Scheduled bench(vfs.name());
  const auto noon = std::chrono::seconds(1'772'366'400);
  bench.wall = noon - 1s;
  bench.begin({{"nightly", "ok", 0, Kind::task, 0s, 20s, "*-*-* 12:00:00"}});
  bench.turn_for(50ms);
  vfs.fail_writes(1, 1'000'000, SQLITE_IOERR_WRITE);
  bench.wall = noon;
  bench.scheduler().on_clock_set();
  const schedule::Entry& entry = bench.entry("nightly", Kind::task);
  REQUIRE(bench.until([&] { return entry.skip == schedule::Skip::slot_refused; }));
  CHECK(bench.has_log("task nightly: slot not run yet:"));
  REQUIRE(bench.until([&] { return entry.skips >= 2; }));  // tried again, and refused again
  CHECK(entry.runs == 0);
  const std::size_t lines = bench.logs.size();
  bench.turn_for(600ms);
  CHECK(bench.logs.size() == lines);  // said once
  vfs.fail_writes(0, 0, SQLITE_OK);
  REQUIRE(bench.until([&] { return entry.runs == 1; }));
  CHECK(entry.skip == schedule::Skip::none);
  bench.turn_for(700ms);
  CHECK(entry.runs == 1);
  REQUIRE(bench.slots("nightly").size() == 1);
  CHECK(bench.slots("nightly")[0].state == store::SlotState::done);
  CHECK(bench.slots("nightly")[0].scheduled == std::chrono::nanoseconds(noon).count());
}
