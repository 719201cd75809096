// SPDX-License-Identifier: Apache-2.0
// A slot that the store is about to promise when who asked for it leaves the configuration: nothing of it is left.
#include <algorithm>
#include <catch.hpp>

#include "scheduled.hpp"

using namespace ronda;
using namespace ronda::test;
using schedule::Kind;

namespace {

Configured locked(const std::string& name, const std::string& mode = "ok", std::int64_t n = 0) {
  Configured out{name, mode, n, Kind::task};
  out.rare.locks = {"shared"};
  return out;
}

/// With a slot each second, and the store's answer to its first claim held back.
void begin_with_claim(Scheduled& bench, const std::string& name) {
  Configured each_second = locked(name);
  each_second.at = "*-*-* *:*:*";
  bench.begin_after_second({each_second});
  bench.hold_all_answers();
  REQUIRE(bench.until([&] { return !bench.held.empty(); }));
  REQUIRE(bench.entry(name, Kind::task).runs == 0);
}

void answer(Scheduled& bench) {
  bench.hold_answers = false;
  for (const auto& work : std::exchange(bench.held, {})) work();
}

}  // namespace

TEST_CASE("a slot promised to an entry that left and came back is not run by the one that came, and is no run of unknown outcome",
          "[schedule]") {
  Scheduled bench;
  begin_with_claim(bench, "twice");
  bench.apply({});
  Configured later = locked("twice");
  later.at = "2099-01-01 00:00";
  bench.apply({later});
  answer(bench);
  bench.turn_for(300ms);
  const schedule::Entry& entry = bench.entry("twice", Kind::task);
  CHECK(entry.call == 0);
  CHECK(entry.runs == 0);
  CHECK(bench.slots("twice").empty());
  CHECK(bench.has_log("task twice: a slot was not run: it left the configuration"));
  CHECK(bench.run("twice", Kind::task).runs == 1);  // its lock is free
}

TEST_CASE("locks of an entry that leaves while its slot is asked for are free at once, and the late answer frees nobody else's",
          "[schedule]") {
  Scheduled bench;
  begin_with_claim(bench, "leaves");
  const Configured next = locked("next", "slow", 700), last = locked("last");
  bench.apply({next, last});  // one of them stands in its place
  bool next_ended = false, last_ended = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "next", 0, [&](const schedule::Entry&) { next_ended = true; }));
  REQUIRE(bench.until([&] { return bench.entry("next", Kind::task).call != 0; }, 5s));
  REQUIRE(bench.scheduler().run_now(Kind::task, "last", 0, [&](const schedule::Entry&) { last_ended = true; }));
  REQUIRE(bench.until([&] { return bench.entry("last", Kind::task).skip == schedule::Skip::waits_for_lock; }));
  answer(bench);
  if (!next_ended) CHECK(bench.entry("last", Kind::task).call == 0);
  REQUIRE(bench.until([&] { return next_ended; }));
  REQUIRE(bench.until([&] { return last_ended; }));
  CHECK(bench.slots("leaves").empty());
}

TEST_CASE("who waits for the lock of an entry that leaves while its slot is asked for runs", "[schedule]") {
  Scheduled bench;
  Configured each_second = locked("leaves");
  each_second.at = "*-*-* *:*:*";
  bench.begin_after_second({each_second, locked("waits")});
  bench.hold_all_answers();
  REQUIRE(bench.until([&] { return !bench.held.empty(); }));
  bool ended = false;
  REQUIRE(bench.scheduler().run_now(Kind::task, "waits", 0, [&](const schedule::Entry&) { ended = true; }));
  REQUIRE(bench.until([&] { return bench.entry("waits", Kind::task).skip == schedule::Skip::waits_for_lock; }));
  bench.apply({locked("waits")});
  CHECK(bench.until([&] { return ended; }, 10s));
  answer(bench);
}
