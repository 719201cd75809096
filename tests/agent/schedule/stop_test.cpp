// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <catch.hpp>

#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;

TEST_CASE("a slot that is promised while the agent stops is not run, and is owed again", "[schedule]") {
  Scheduled bench;
  bench.begin_after_second({{"each-second", "ok", 0, schedule::Kind::task, 0s, 20s, "*-*-* *:*:*"}});
  bench.hold_all_answers();
  REQUIRE(bench.until([&] { return !bench.held.empty(); }));  // the claim's answer is on its way
  REQUIRE(bench.entry("each-second", schedule::Kind::task).runs == 0);
  bool drained = false;
  bench.scheduler().stop([&] { drained = true; });
  bench.hold_answers = false;
  for (const auto& answer : std::exchange(bench.held, {})) answer();
  REQUIRE(bench.until([&] { return drained; }));
  bench.turn_for(200ms);
  const schedule::Entry& entry = bench.entry("each-second", schedule::Kind::task);
  CHECK(entry.call == 0);
  CHECK(entry.runs == 0);
  CHECK(entry.skip == schedule::Skip::stopping);
  CHECK(bench.scheduler().in_flight() == 0);
  CHECK(bench.slots("each-second").empty());
  const auto journal = bench.ask<std::vector<store::JournalEvent>>([&](auto done) { bench.store().load_journal(10, std::move(done)); });
  CHECK(std::ranges::any_of(journal, [](const auto& event) { return event.kind == "slot.left" && event.subject == "task/each-second"; }));
}

TEST_CASE("who waits for a run that waits for a lock is told when the agent stops", "[schedule]") {
  Scheduled bench;
  Configured holds{"holds", "clock", 600, schedule::Kind::task}, waits{"waits", "ok", 0, schedule::Kind::task};
  holds.rare.locks = waits.rare.locks = {"shared"};
  bench.begin({holds, waits});
  bool held = false, refused = false;
  REQUIRE(bench.scheduler().run_now(schedule::Kind::task, "holds", 0, [&](const schedule::Entry& entry) { held = entry.runs == 1; }));
  REQUIRE(bench.until([&] { return bench.entry("holds", schedule::Kind::task).call != 0; }));
  REQUIRE(bench.scheduler().run_now(schedule::Kind::task, "waits", 0,
                                    [&](const schedule::Entry& entry) { refused = entry.skip == schedule::Skip::stopping; }));
  REQUIRE(bench.until([&] { return bench.entry("waits", schedule::Kind::task).skip == schedule::Skip::waits_for_lock; }));
  bool drained = false;
  bench.scheduler().stop([&] { drained = true; });
  CHECK(refused);
  CHECK_FALSE(held);  // that one goes on, and is told its end
  REQUIRE(bench.until([&] { return drained; }));
  CHECK(held);
  CHECK(bench.entry("waits", schedule::Kind::task).runs == 0);
}
