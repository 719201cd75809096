// SPDX-License-Identifier: Apache-2.0
// A wall clock that is set. The real one is never touched here: the scheduler is given a clock of the test's, and the
// kernel's notification is called by hand. That the kernel gives it is not tested.
#include <catch.hpp>

#include "base/clock.hpp"
#include "schedule/clock_watch.hpp"
#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;

TEST_CASE("a slot that the clock was set past runs at once, not at the next look", "[schedule]") {
  Scheduled bench;
  // 2026-03-01 11:30 UTC
  bench.wall = std::chrono::seconds(1'772'364'600);
  bench.begin({{"noon", "ok", 0, schedule::Kind::task, 0s, 20s, "*-*-* 12:00:00"}});
  bench.turn_for(200ms);
  const schedule::Entry& entry = bench.entry("noon", schedule::Kind::task);
  CHECK(entry.runs == 0);
  bench.wall = *bench.wall + 30min + 1s;
  bench.turn_for(1s);
  CHECK(entry.runs == 0);  // nobody has looked yet
  bench.scheduler().on_clock_set();
  CHECK(bench.until([&] { return entry.runs == 1; }, 10s));
  CHECK(bench.has_log("the wall clock stepped by"));
  bench.scheduler().on_clock_set();
  bench.turn_for(200ms);
  CHECK(entry.runs == 1);
}

TEST_CASE("an agent that boots in 1970 runs its checks and no slot, and plans when the clock is set", "[schedule]") {
  Scheduled bench;
  bench.wall = 30s;
  bench.begin({{"minutely", "ok", 0, schedule::Kind::task, 0s, 20s, "*:*"}, {"steady", "ok", 0, schedule::Kind::check, 100ms}});
  const auto& slots = bench.entry("minutely", schedule::Kind::task);
  const auto& steady = bench.entry("steady");
  CHECK(bench.until([&] { return steady.runs >= 3; }));
  bench.wall = 2min + 1s;  // two slots of 1970 went by
  bench.scheduler().on_clock_set();
  bench.turn_for(500ms);
  CHECK(slots.runs == 0);
  CHECK(bench.slots("minutely").empty());
  const auto runs = steady.runs;
  bench.wall = std::chrono::seconds(1'772'364'659);  // 2026-03-01 11:30:59 UTC, as NTP says
  bench.scheduler().on_clock_set();
  bench.turn_for(500ms);
  CHECK(slots.runs == 0);
  bench.wall = *bench.wall + 2s;
  bench.scheduler().on_clock_set();
  CHECK(bench.until([&] { return slots.runs == 1; }, 10s));
  CHECK(bench.until([&] { return bench.slots("minutely").size() == 1; }));
  CHECK(bench.slots("minutely").front().scheduled == 1'772'364'660'000'000'000);
  CHECK(steady.runs > runs);
}

TEST_CASE("the kernel is asked to tell of a clock that is set, and tells nothing when it is not", "[schedule]") {
  boost::asio::io_context loop;
  int told = 0;
  {
    const schedule::ClockWatch watch(loop, [&] { ++told; });
    CHECK(watch.is_armed());
    loop.run_for(200ms);
  }
  loop.restart();
  loop.poll();
  CHECK(told == 0);
}
