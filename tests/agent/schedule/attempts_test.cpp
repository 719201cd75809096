// SPDX-License-Identifier: Apache-2.0
// The keys `retry` and `overlap`.
#include <algorithm>
#include <catch.hpp>

#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::CheckStatus;
using schedule::Kind;

namespace {

Configured check(const std::string& mode, std::int64_t n, std::uint32_t times, std::chrono::nanoseconds wait = 100ms) {
  Configured out{"tried", mode, n};
  out.rare.retry = {times, wait};
  return out;
}

Configured slow_task(config::Overlap overlap) {
  Configured out{"slow", "clock", 2500, Kind::task};
  out.at = "*-*-* *:*:*";
  out.rare.overlap = overlap;
  return out;
}

}  // namespace

TEST_CASE("a check that is well at the second attempt never was anything else", "[schedule]") {
  Scheduled bench;
  bench.begin({check("ok-from", 2, 3)});
  const schedule::Entry& entry = bench.run("tried");  // who asks is told what counts
  CHECK(entry.status == CheckStatus::ok);
  CHECK(entry.summary == "run 2");
  CHECK(entry.runs == 2);
  CHECK(entry.failures == 0);
  CHECK(bench.scheduler().attempts(entry) == nullptr);
}

TEST_CASE("a check that fails in every attempt counts then, and is not tried again while it stays so", "[schedule]") {
  Scheduled bench;
  bench.begin({check("ok-from", 7, 2)});
  CHECK(bench.run("tried").summary == "run 3");
  CHECK(bench.entry("tried").status == CheckStatus::critical);
  CHECK(bench.entry("tried").failures == 1);
  CHECK(bench.run("tried").summary == "run 4");
  CHECK(bench.entry("tried").failures == 2);
  CHECK(bench.kv("tried").entries.size() == 1);  // what the attempts wrote is kept
}

TEST_CASE("an attempt waits as long as it should, and is seen meanwhile", "[schedule]") {
  Scheduled bench;
  bench.begin({check("ok-from", 2, 1, 700ms)});
  REQUIRE(bench.scheduler().run_now(Kind::check, "tried", 0, nullptr));
  const schedule::Entry& entry = bench.entry("tried");
  REQUIRE(bench.until([&] { return bench.scheduler().attempts(entry) != nullptr; }));
  CHECK_FALSE(entry.has_result);
  CHECK(bench.scheduler().attempts(entry)->last.summary == "run 1");
  bench.turn_for(300ms);
  CHECK(entry.runs == 1);
  REQUIRE(bench.until([&] { return entry.has_result; }));
  CHECK(entry.summary == "run 2");

  SECTION("and counts as it is when the configuration changes or the agent stops") {
    bench.apply({check("ok-from", 9, 1, 1h)});
    REQUIRE(bench.scheduler().run_now(Kind::check, "tried", 0, nullptr));
    REQUIRE(bench.until([&] { return bench.scheduler().attempts(entry) != nullptr; }));
    CHECK(entry.status == CheckStatus::ok);
    if (GENERATE(true, false))
      bench.apply({check("ok-from", 8, 1, 1h)});
    else
      bench.scheduler().stop([] {});
    CHECK(entry.status == CheckStatus::critical);
    CHECK(entry.summary == "run 3");
  }
}

TEST_CASE("a slot stays one slot over all attempts", "[schedule]") {
  Scheduled bench;
  const auto noon = std::chrono::seconds(1'772'366'400);
  bench.wall = noon - 1s;
  Configured task = check("ok-from", 3, 5, 50ms);
  task.kind = Kind::task;
  task.at = "*-*-* 12:00:00";
  bench.begin({task});
  bench.wall = noon;
  bench.scheduler().on_clock_set();
  REQUIRE(bench.until([&] { return bench.entry("tried", Kind::task).has_result; }));
  CHECK(bench.entry("tried", Kind::task).runs == 3);
  CHECK(bench.entry("tried", Kind::task).status == CheckStatus::ok);
  const auto slots = bench.slots("tried");
  REQUIRE(slots.size() == 1);
  CHECK(slots[0].state == store::SlotState::done);
  CHECK(slots[0].outcome == "changed");
}

TEST_CASE("a slot that comes while the run before still goes on is skipped, or waits for its end", "[schedule]") {
  Scheduled bench;
  const auto overlap = GENERATE(config::Overlap::skip, config::Overlap::queue);
  bench.begin({slow_task(overlap)});
  REQUIRE(bench.until([&] { return bench.entry("slow", Kind::task).runs == 1; }));
  REQUIRE(bench.until([&] { return bench.entry("slow", Kind::task).runs == 2; }));
  auto slots = bench.slots("slow");
  std::ranges::reverse(slots);
  const auto skipped = [](const store::Slot& slot) { return slot.state == store::SlotState::skipped; };
  const auto first_done = std::ranges::find_if(slots, [](const auto& slot) { return slot.state == store::SlotState::done; });
  const auto second_done = std::find_if(first_done + 1, slots.end(), [](const auto& slot) { return slot.state == store::SlotState::done; });
  REQUIRE(second_done != slots.end());
  const auto between = std::count_if(first_done, second_done, skipped);
  // a run takes 2.5 s: two or three slots come meanwhile, of which the last one waits
  CHECK(between >= (overlap == config::Overlap::queue ? 1 : 2));
  CHECK(between <= (overlap == config::Overlap::queue ? 2 : 3));
  const auto lateness = std::chrono::nanoseconds(second_done->changed - second_done->scheduled);
  if (overlap == config::Overlap::queue) CHECK(lateness > 2500ms + 100ms);  // it waited
}
