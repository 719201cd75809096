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
  CHECK(entry.runs == 2);
  CHECK(bench.slots("waits").size() == 1);
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
