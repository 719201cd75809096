// SPDX-License-Identifier: Apache-2.0
// Runs that are asked for apart from the schedule, what waits for a lock, and what is blocked.
#include <algorithm>
#include <catch.hpp>

#include "ronda/abi.h"
#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::CheckStatus;
using schedule::Kind;

namespace {

Configured locked_task(const std::string& name, std::int64_t ms) {
  Configured out{name, "clock", ms, Kind::task};
  out.rare.locks = {"shared"};
  return out;
}

}  // namespace

TEST_CASE("a dry run serves no slot, and is refused while its task waits for a lock or runs", "[schedule]") {
  Scheduled bench;
  Configured waits = locked_task("waits", 1);
  waits.at = "*-*-* 12:00:00";
  const auto noon = std::chrono::seconds(1'772'366'400);
  bench.wall = noon - 1s;
  bench.begin({locked_task("holds", 1500), waits});
  REQUIRE(bench.scheduler().run_now(Kind::task, "holds", 0, nullptr));
  REQUIRE(bench.until([&] { return bench.entry("holds", Kind::task).call != 0; }));
  const auto beside_itself = bench.scheduler().run_now(Kind::task, "holds", RONDA_CALL_DRY_RUN, nullptr);
  REQUIRE_FALSE(beside_itself);
  CHECK(beside_itself.error().code() == Errc::exists);
  bench.wall = noon;
  bench.scheduler().on_clock_set();
  const schedule::Entry& entry = bench.entry("waits", Kind::task);
  CHECK(entry.skip == schedule::Skip::waits_for_lock);
  const auto in_its_turn = bench.scheduler().run_now(Kind::task, "waits", RONDA_CALL_DRY_RUN, nullptr);
  REQUIRE_FALSE(in_its_turn);
  CHECK(in_its_turn.error().code() == Errc::exists);
  // without flags the run that waits serves whoever asks
  bool told = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "waits", 0, [&](const schedule::Entry&) { told = true; }));
  REQUIRE(bench.until([&] { return told; }));
  bench.turn_for(200ms);
  CHECK(entry.runs == 1);
  CHECK(entry.skip == schedule::Skip::none);
  REQUIRE(bench.slots("waits").size() == 1);
  CHECK(bench.slots("waits")[0].state == store::SlotState::done);

  told = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "waits", RONDA_CALL_DRY_RUN, [&](const schedule::Entry&) { told = true; }));
  REQUIRE(bench.until([&] { return told; }));
  bench.turn_for(200ms);
  CHECK(entry.runs == 1);
  CHECK(bench.slots("waits").size() == 1);
}

TEST_CASE("a dry run answers who asked and leaves all else as the last run left it", "[schedule]") {
  Scheduled bench;
  std::size_t results = 0;
  bench.on_result = [&](const schedule::Entry&) { ++results; };
  Configured never{"never", "ok-from", 100, Kind::task};
  never.rare.retry = {3, 50ms};
  bench.begin({{"heals", "ok-from", 2, Kind::task}, never, {"commits", "kv-batch", 3, Kind::task}});
  const schedule::Entry& heals = bench.run("heals", Kind::task);
  REQUIRE(heals.status == CheckStatus::critical);
  const schedule::Trip before = heals.trip;
  const auto row = [&](const std::string& name) {
    const auto states = bench.remembered().states;
    const auto found = std::ranges::find_if(states, [&](const auto& state) { return state.id.name == name; });
    return found == states.end() ? std::nullopt : std::optional(*found);
  };
  REQUIRE(bench.until([&] { return row("heals").has_value(); }));

  const auto dry = [&](const std::string& name) {
    std::optional<std::pair<CheckStatus, std::string>> told;
    REQUIRE(bench.scheduler().run_now(Kind::task, name, RONDA_CALL_DRY_RUN, [&](const schedule::Entry& entry) {
      CHECK(entry.trip.fate == plugin::Fate::finished);
      told.emplace(entry.status, entry.summary);
    }));
    CHECK(bench.scheduler().apart(bench.entry(name, Kind::task)) != nullptr);
    REQUIRE(bench.until([&] { return told.has_value(); }));
    CHECK(bench.scheduler().apart(bench.entry(name, Kind::task)) == nullptr);
    return *told;
  };
  CHECK(dry("heals") == std::pair(CheckStatus::ok, std::string("run 2")));
  CHECK(dry("heals") == std::pair(CheckStatus::ok, std::string("run 2")));  // it wrote nothing either
  CHECK(dry("never").first == CheckStatus::critical);
  CHECK(dry("commits") == std::pair(CheckStatus::ok, std::string("committed 1")));
  bench.turn_for(1200ms);  // past a retry and the writing down of what is to be written
  CHECK(results == 1);
  CHECK(heals.status == CheckStatus::critical);
  CHECK(heals.summary == "run 1");
  CHECK(heals.failures == 1);
  CHECK(heals.last_ok_wall == 0);
  CHECK(heals.runs == 1);
  CHECK(heals.trip.started_wall == before.started_wall);
  CHECK(heals.trip.ended_wall == before.ended_wall);
  REQUIRE(row("heals"));
  CHECK(row("heals")->status == static_cast<int>(CheckStatus::critical));
  CHECK(row("heals")->last_run == before.ended_wall);
  for (const char* const name : {"never", "commits"}) {
    INFO(name);
    const schedule::Entry& entry = bench.entry(name, Kind::task);
    CHECK_FALSE(entry.has_result);
    CHECK(entry.trip.started_wall == 0);
    CHECK(entry.runs == 0);
    CHECK(bench.scheduler().attempts(entry) == nullptr);
    CHECK_FALSE(row(name));
    CHECK(bench.kv(name, "task").entries.empty());
  }
  CHECK(bench.run("heals", Kind::task).summary == "run 2");
}

TEST_CASE("a slot or a turn that comes while a dry run goes on is served when that has ended", "[schedule]") {
  Scheduled bench;
  Configured nightly{"nightly", "clock", 600, Kind::task}, often{"often", "clock", 1500, Kind::task};
  nightly.at = "*-*-* 12:00:00";
  often.every = 1s;
  const auto noon = std::chrono::seconds(1'772'366'400);
  bench.wall = noon - 1s;
  bench.begin({nightly, often});
  const schedule::Entry& slow = bench.entry("often", Kind::task);
  int ended = 0;
  for (const char* const name : {"nightly", "often"}) {
    REQUIRE(bench.scheduler().run_now(Kind::task, name, RONDA_CALL_DRY_RUN, [&](const schedule::Entry&) { ++ended; }));
    REQUIRE(bench.scheduler().apart(bench.entry(name, Kind::task)) != nullptr);
  }
  bench.wall = noon;
  bench.scheduler().on_clock_set();
  REQUIRE(bench.until([&] { return ended == 2; }));
  CHECK(slow.skips == 0);
  CHECK(slow.runs == 0);
  REQUIRE(bench.until([&] { return bench.entry("nightly", Kind::task).runs == 1 && slow.runs >= 1; }));
  CHECK(bench.entry("nightly", Kind::task).skip == schedule::Skip::none);
  REQUIRE(bench.slots("nightly").size() == 1);
  CHECK(bench.slots("nightly")[0].state == store::SlotState::done);
}

TEST_CASE("what left during its dry run and came back runs as ever", "[schedule]") {
  Scheduled bench;
  const Configured task{"task", "clock", 500, Kind::task};
  bench.begin({task});
  bool ended = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "task", RONDA_CALL_DRY_RUN, [&](const schedule::Entry&) { ended = true; }));
  bench.apply({});
  bench.apply({task});
  REQUIRE(bench.until([&] { return ended; }));
  CHECK(bench.entry("task", Kind::task).skip == schedule::Skip::none);
  CHECK(bench.run("task", Kind::task).skip == schedule::Skip::none);
}

TEST_CASE("the answer of a dry run of what is blocked is its own", "[schedule]") {
  Scheduled bench;
  Configured child{"child", "clock", 100, Kind::task};
  child.every = 1s;
  child.after = {"parent"};
  const Configured parent{"parent", "ok-from", 2};
  bench.begin({parent});
  REQUIRE(bench.run("parent").status == CheckStatus::critical);
  bench.apply({parent, child});
  REQUIRE(bench.until([&] { return !bench.entry("child", Kind::task).blocked_by.empty(); }));
  bool ended = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "child", RONDA_CALL_DRY_RUN, [&](const schedule::Entry& entry) {
    ended = true;
    CHECK(entry.blocked_by.empty());
    CHECK(entry.status == CheckStatus::ok);
    CHECK(entry.since_wall == entry.trip.ended_wall);
  }));
  REQUIRE(bench.until([&] { return ended; }));
  CHECK_FALSE(bench.entry("child", Kind::task).blocked_by.empty());
}

TEST_CASE("who asks for a run while a dry run goes on gets one of his own, or is told that there is none", "[schedule]") {
  Scheduled bench;
  const Configured stays{"stays", "clock", 500, Kind::task}, leaves{"leaves", "clock", 500, Kind::task};
  bench.begin({stays, leaves});
  std::vector<std::string> told;
  for (const std::string name : {"stays", "leaves"}) {
    const auto note = [&](const std::string& kind) {
      return [&told, kind](const schedule::Entry& entry) {
        const bool ran = entry.skip == schedule::Skip::none;
        told.push_back(entry.spec.name + " " + kind + (ran ? ", real runs: " + std::to_string(entry.runs) : ", not run"));
      };
    };
    REQUIRE(bench.scheduler().run_now(Kind::task, name, RONDA_CALL_DRY_RUN, note("dry")));
    REQUIRE(bench.scheduler().run_now(Kind::task, name, 0, note("real")));
  }
  bench.apply({stays});
  REQUIRE(bench.until([&] { return told.size() == 4; }));
  std::ranges::sort(told);
  CHECK(told == std::vector<std::string>{"leaves dry, real runs: 0", "leaves real, not run", "stays dry, real runs: 0",
                                         "stays real, real runs: 1"});
}

TEST_CASE("the result of a run that ends while the agent stops is remembered", "[schedule]") {
  Scheduled bench;
  bench.begin({{"slow", "clock", 700}});
  REQUIRE(bench.scheduler().run_now(Kind::check, "slow", 0, nullptr));
  REQUIRE(bench.until([&] { return bench.entry("slow").call != 0; }));
  bool drained = false;
  bench.scheduler().stop([&] { drained = true; });
  REQUIRE(bench.until([&] { return drained; }));
  const auto states = bench.remembered().states;
  const auto slow = std::ranges::find_if(states, [](const auto& state) { return state.id.name == "slow"; });
  REQUIRE(slow != states.end());
  CHECK(slow->status == static_cast<int>(CheckStatus::ok));
}

TEST_CASE("what was blocked is so no longer once the check it comes after is well", "[schedule]") {
  Scheduled bench;
  const Configured parent{"parent", "ok-from", 2};
  bench.begin({parent});
  REQUIRE(bench.run("parent").status == CheckStatus::critical);
  Configured child{"child", "ok", 0, Kind::check, 1h};
  child.after = {"parent"};
  bench.apply({parent, child});
  REQUIRE(bench.until([&] { return !bench.entry("child").blocked_by.empty(); }));
  REQUIRE(bench.run("parent").status == CheckStatus::ok);
  CHECK(bench.entry("child").blocked_by.empty());
  CHECK(bench.entry("child").runs == 0);
}

TEST_CASE("whoever waits for the run of what leaves the configuration is told that it will not be", "[schedule]") {
  Scheduled bench;
  const auto set = [&](int runs_ms) { return locked_task("holds", runs_ms); };
  bench.begin({set(1500), locked_task("waits", 1)});
  REQUIRE(bench.scheduler().run_now(Kind::task, "holds", 0, nullptr));
  REQUIRE(bench.until([&] { return bench.entry("holds", Kind::task).call != 0; }));
  std::vector<schedule::Skip> told;
  REQUIRE(bench.scheduler().run_now(Kind::task, "waits", 0, [&](const schedule::Entry& entry) { told.push_back(entry.skip); }));
  bench.turn_for(100ms);
  CHECK(told.empty());
  bench.apply({set(1500)});
  bench.turn_for(100ms);
  CHECK(told == std::vector{schedule::Skip::left});
}
