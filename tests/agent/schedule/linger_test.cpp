// SPDX-License-Identifier: Apache-2.0
// Runs that were told timed out while their code goes on: nothing takes their place before that has ended.
#include <algorithm>
#include <catch.hpp>

#include "ronda/abi.h"
#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;
using schedule::Kind;

namespace {

Configured late_task(const std::string& name, const std::string& mode, std::int64_t ms) {
  Configured out{name, mode, ms, Kind::task, 0s, 300ms};
  out.rare.locks = {"shared"};
  return out;
}

Configured other_task() {
  Configured out{"other", "ok", 0, Kind::task};
  out.rare.locks = {"shared"};
  return out;
}

}  // namespace

TEST_CASE("a task that timed out keeps its locks and its turn until its code has ended", "[schedule]") {
  Scheduled bench;
  bench.begin({late_task("late", "slow", 2000), other_task()});
  const schedule::Entry& late = bench.run("late", Kind::task);  // told at its deadline and half a second
  CHECK(late.trip.fate == Fate::timeout);
  CHECK(late.call == 0);
  REQUIRE(bench.scheduler().lingers(late));
  const schedule::Entry& other = bench.entry("other", Kind::task);
  bool other_ended = false, again_ended = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "other", 0, [&](const schedule::Entry&) { other_ended = true; }));
  REQUIRE(bench.scheduler().run_now(Kind::task, "late", 0, [&](const schedule::Entry&) { again_ended = true; }));
  CHECK_FALSE(bench.scheduler().run_now(Kind::task, "late", RONDA_CALL_DRY_RUN, nullptr));
  bench.turn_for(300ms);
  CHECK(other.runs == 0);
  CHECK(other.skip == schedule::Skip::waits_for_lock);
  CHECK(late.call == 0);
  REQUIRE(bench.scheduler().lingers(late));
  REQUIRE(bench.until([&] { return !bench.scheduler().lingers(late); }, 5s));
  REQUIRE(bench.until([&] { return other_ended && again_ended; }, 10s));  // who asked meanwhile was not forgotten
  CHECK(other.runs == 1);
  CHECK(late.runs == 2);
}

TEST_CASE("a slot that comes while the code of a dry run goes on past its deadline is served after that", "[schedule]") {
  Scheduled bench;
  Configured late = late_task("late", "slow", 2500);
  late.at = "*-*-* 12:00:00";
  const auto noon = std::chrono::seconds(1'772'366'400);
  bench.wall = noon - 1s;
  bench.begin({late});
  bool told = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "late", RONDA_CALL_DRY_RUN, [&](const schedule::Entry&) { told = true; }));
  REQUIRE(bench.until([&] { return told; }));
  const schedule::Entry& entry = bench.entry("late", Kind::task);
  REQUIRE(bench.scheduler().lingers(entry));
  bench.wall = noon;
  bench.scheduler().on_clock_set();
  CHECK(entry.skips == 0);
  REQUIRE(bench.until([&] { return entry.runs == 1; }, 20s));
  CHECK(entry.skips == 0);
  REQUIRE(bench.until([&] { return bench.slots("late").size() == 1 && bench.slots("late")[0].state == store::SlotState::done; }));
}

TEST_CASE("what a dry run commits after its deadline is not kept either", "[schedule]") {
  Scheduled bench;
  bench.begin({late_task("late", "kv-batch-late", 3)});
  bool told = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "late", RONDA_CALL_DRY_RUN, [&](const schedule::Entry&) { told = true; }));
  REQUIRE(bench.until([&] { return told; }));
  const schedule::Entry& entry = bench.entry("late", Kind::task);
  REQUIRE(bench.scheduler().lingers(entry));
  REQUIRE(bench.until([&] { return !bench.scheduler().lingers(entry); }, 10s));
  CHECK(bench.kv("late", "task").entries.empty());
  REQUIRE(bench.run("late", Kind::task).runs == 1);  // of a run that is one it is kept, after its deadline too
  REQUIRE(bench.until([&] { return bench.kv("late", "task").entries.size() == 3; }, 10s));
}

TEST_CASE("a task that hangs beside a long check is not run beside itself, and its locks come back", "[schedule]") {
  Scheduled bench;
  Configured hangs = late_task("hangs", "hang", 0);
  hangs.every = 1s;
  bench.begin({hangs, other_task(), {"long", "until-cancel", 0, Kind::check, 0s, 60s}});
  REQUIRE(bench.scheduler().run_now(Kind::check, "long", 0, nullptr));
  const schedule::Entry& entry = bench.entry("hangs", Kind::task);
  REQUIRE(bench.until([&] { return entry.runs == 1; }));
  REQUIRE(bench.scheduler().lingers(entry));
  const auto runner = bench.scheduler().plugins()[0].runners[0].pid;
  const auto is_there = [&] {
    const auto hosted = bench.scheduler().plugins();
    return std::ranges::any_of(hosted[0].runners, [&](const auto& r) { return r.pid == runner; });
  };
  bool doubled = false, told = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "other", 0, [&](const schedule::Entry&) { told = true; }));
  REQUIRE(bench.until(
      [&] {
        doubled = doubled || (is_there() && (entry.call != 0 || told));
        return !is_there();
      },
      20s));
  CHECK_FALSE(doubled);
  CHECK(entry.skip == schedule::Skip::still_running);
  REQUIRE(bench.until([&] { return told && entry.runs >= 2; }, 10s));
}

TEST_CASE("a task that leaves the configuration while its code goes on keeps its locks too", "[schedule]") {
  Scheduled bench;
  bench.begin({late_task("late", "slow", 1800), other_task()});
  REQUIRE(bench.scheduler().lingers(bench.run("late", Kind::task)));
  bench.apply({other_task(), {"new", "ok"}});  // takes no place that is still needed
  bool told = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "other", 0, [&](const schedule::Entry&) { told = true; }));
  bench.turn_for(300ms);
  CHECK_FALSE(told);
  REQUIRE(bench.until([&] { return told; }, 5s));
  CHECK(bench.run("new").runs == 1);
}

TEST_CASE("a task that leaves and comes back is not run beside what goes on of it", "[schedule]") {
  Scheduled bench;
  const Configured late{"late", "slow", 1800, Kind::task, 0s, 300ms}, lasting{"lasting", "slow", 1500, Kind::task}, other{"other"};
  bench.begin({late, lasting, other});
  const auto leave_and_come_back = [&](const Configured& configured) {
    bench.apply({other});
    CHECK(bench.apply({configured, other}).added == 1);
    return std::ref(bench.entry(configured.name, Kind::task));
  };
  int told = 0;
  const auto tell = [&](const schedule::Entry&) { ++told; };
  SECTION("while its code goes on") {
    REQUIRE(bench.scheduler().lingers(bench.run("late", Kind::task)));
    const schedule::Entry& entry = leave_and_come_back(late);
    REQUIRE(bench.scheduler().lingers(entry));
    REQUIRE(bench.scheduler().run_now(Kind::task, "late", 0, tell));
    bench.turn_for(300ms);
    CHECK(entry.call == 0);
    REQUIRE(bench.until([&] { return told == 1; }, 10s));
    CHECK(entry.runs == 2);
  }
  SECTION("while it runs: that run is its result") {
    const bool changed = GENERATE(false, true);
    REQUIRE(bench.scheduler().run_now(Kind::task, "lasting", 0, tell));
    bench.turn_for(300ms);
    REQUIRE(bench.scheduler().in_flight() == 1);
    Configured again = lasting;
    if (changed) again.mode = "ok";
    const schedule::Entry& entry = leave_and_come_back(again);
    REQUIRE(bench.scheduler().run_now(Kind::task, "lasting", 0, tell));
    CHECK(bench.scheduler().in_flight() == 1);
    bench.turn_for(300ms);
    CHECK(bench.scheduler().in_flight() == 1);
    REQUIRE(bench.until([&] { return told == 2; }, 10s));
    CHECK(entry.runs == 1);
    CHECK(bench.run("lasting", Kind::task).runs == 2);  // by what it is now
    CHECK(entry.trip.fate == Fate::finished);
    CHECK((entry.trip.duration_ns < 1'000'000'000) == changed);
  }
  // and it leaves for good
  bench.apply({other});
  CHECK(bench.scheduler().find(Kind::task, "late") == nullptr);
  CHECK(bench.run("other").runs == 1);
}

TEST_CASE("a check that timed out goes on with its next turn", "[schedule]") {
  Scheduled bench;
  bench.begin({{"late", "slow", 1500, Kind::check, 0s, 300ms}});
  const schedule::Entry& late = bench.run("late");
  CHECK(late.trip.fate == Fate::timeout);
  CHECK_FALSE(bench.scheduler().lingers(late));
  CHECK_FALSE(bench.scheduler().look(late).running);
}
