// SPDX-License-Identifier: Apache-2.0
// A plugin that does not come back: its call ends in time, its siblings and everybody else's calls do too.
#include <signal.h>

#include <algorithm>
#include <catch.hpp>
#include <filesystem>

#include "base/clock.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

/// Until all of these have ended; the longest that one of them took.
std::chrono::nanoseconds longest_of(Supervised& bench, const std::vector<std::uint64_t>& calls, std::chrono::nanoseconds since) {
  std::chrono::nanoseconds longest{0};
  for (const auto id : calls) {
    bench.end_of(id);
    longest = std::max(longest, bench.ended_at[id] - since);
  }
  return longest;
}

}  // namespace

TEST_CASE("a call that looks at its cancel descriptor ends at its deadline", "[plugin][alone]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto start = monotonic();
  const auto& end = bench.run("until-cancel", 0, 500ms);
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.timed_out);
  CHECK(monotonic() - start < 3s);
  CHECK(bench.status().deaths == 0);
  CHECK(bench.status().late_results == 0);
}

TEST_CASE("a call that never comes back is told timed out and its runner is replaced", "[plugin][alone]") {
  const auto* mode = GENERATE("hang", "busy", "deadlock", "hang-no-term", "create-hang");
  INFO(mode);
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto sibling = bench.dispatch(bench.chaos("slow", 4500));
  const auto start = monotonic();
  const auto call = bench.dispatch(bench.chaos(mode), 1s);
  const auto& end = bench.end_of(call);
  CHECK(end.fate == Fate::timeout);
  CHECK(end.cause == "not back by its deadline");
  CHECK(monotonic() - start < 1s + 2s);
  const int first = bench.runner_pid();
  // after its grace, new work goes to a second runner while the sibling finishes in the first
  REQUIRE(bench.until([&] { return bench.status().runners.front().life == plugin::Life::wedged; }));
  CHECK(bench.run("ok").fate == Fate::finished);
  CHECK(bench.runner_pid() != first);
  if (std::string(mode) != "create-hang") {
    CHECK(bench.end_of(sibling).fate == Fate::finished);
    CHECK(bench.end_of(sibling).outcome.summary == "did slow");
  }
  REQUIRE(bench.until([&] { return !is_alive(first); }));
  CHECK(bench.ends[call].size() == 1);
  CHECK(bench.ends[sibling].size() == 1);
}

TEST_CASE("a late result is dropped and counted", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto call = bench.dispatch(bench.chaos("slow", 2200), 1s);
  CHECK(bench.end_of(call).fate == Fate::timeout);
  REQUIRE(bench.until([&] { return bench.status().late_results == 1; }));
  CHECK(bench.ends[call].size() == 1);
  CHECK(bench.run("ok").fate == Fate::finished);
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("an exclusive call that timed out is over when its code is, and that is told after its end", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.exclusive = true;
  const auto call = bench.dispatch(bench.chaos("slow", 1500, wire::Kind::task), 300ms);
  CHECK(bench.end_of(call).fate == Fate::timeout);
  CHECK(bench.ends[call].front().goes_on);
  CHECK(bench.over.empty());
  REQUIRE(bench.until([&] { return !bench.over.empty(); }, 5s));
  CHECK(bench.over == std::vector{call});
  CHECK(monotonic() - bench.ended_at[call] > 500ms);
  // one that comes back in time is over with its end
  const auto timely = bench.dispatch(bench.chaos("until-cancel", 0, wire::Kind::task), 300ms);
  CHECK(bench.end_of(timely).fate == Fate::finished);
  bench.turn_for(50ms);
  CHECK_FALSE(bench.ends[timely].front().goes_on);
  CHECK(bench.over.size() == 1);
}

TEST_CASE("an exclusive call that hangs has its runner ended beside checks, but not beside a task", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto check = bench.dispatch(bench.chaos("until-cancel"), 60s);
  bench.exclusive = true;
  const auto task = bench.dispatch(bench.chaos("slow", 8200, wire::Kind::task));
  const auto hangs = bench.dispatch(bench.chaos("hang", 0, wire::Kind::task), 300ms);
  CHECK(bench.end_of(hangs).fate == Fate::timeout);
  const int first = bench.runner_pid();
  // its limit of 5 s after 2 s of grace has passed when the task comes back
  CHECK(bench.end_of(task).outcome.summary == "did slow");
  CHECK(bench.over.empty());
  REQUIRE(bench.until([&] { return !bench.over.empty(); }, 5s));
  CHECK(bench.over == std::vector{hangs});
  CHECK_FALSE(is_alive(first));
  CHECK_FALSE(bench.ends.contains(check));  // it runs once more, in another runner
  REQUIRE(bench.until([&] { return bench.runner_pid() > 0 && bench.status().runners[0].life == plugin::Life::serving; }));
  bench.supervisor().cancel(check);
  CHECK(bench.end_of(check).fate == Fate::finished);
}

TEST_CASE("a call is cancelled too that has a thread and waits for its instance's turn", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("until-cancel");
  const auto first = bench.dispatch(instance, 60s);
  bench.turn_for(300ms);
  const auto second = bench.dispatch(instance, 60s);
  bench.turn_for(300ms);
  bench.supervisor().cancel(second);
  bench.turn_for(300ms);
  bench.supervisor().cancel(first);
  CHECK(bench.end_of(first, 10s).fate == Fate::finished);
  CHECK(bench.end_of(second, 10s).fate == Fate::finished);
}

TEST_CASE("what timed out before its runner had a thread for it does not begin later", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest one;
  one.concurrency = 1;
  Supervised bench(loop, one);
  REQUIRE(bench.run("ok").fate == Fate::finished);
  bench.exclusive = true;
  const auto holds = bench.chaos("slow", 1500, wire::Kind::task), waits = bench.chaos("log", 0, wire::Kind::task);
  const auto calls = bench.dispatch_together({holds, waits}, 300ms, true);
  CHECK(bench.end_of(calls[0]).cause == "not back by its deadline");
  CHECK(bench.end_of(calls[1]).cause == "its runner did not take it up in time");
  REQUIRE(bench.until([&] { return bench.over.size() == 2; }, 5s));
  CHECK(bench.over.front() == calls[1]);
  bench.turn_for(200ms);
  CHECK_FALSE(bench.has_log("a line of the log"));
}

TEST_CASE("a plugin's cancel that hangs holds up its own call only", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto culprit = bench.dispatch(bench.chaos("hang-cancel", 300'000), 500ms);
  const auto sibling = bench.dispatch(bench.chaos("slow", 2000), 10s);
  CHECK(bench.end_of(culprit).fate == Fate::timeout);
  const auto& end = bench.end_of(sibling);
  CHECK(end.fate == Fate::finished);
  CHECK_FALSE(end.outcome.timed_out);
}

TEST_CASE("calls of other plugins are on time while one hangs, spins and crashes", "[plugin][alone]") {
  boost::asio::io_context loop;
  Supervised bad(loop), good(loop);
  std::vector<std::uint32_t> villains;
  for (const char* mode : {"busy", "hang", "busy"}) villains.push_back(bad.chaos(mode));
  const auto well = good.chaos("ok");
  const auto rounds = [&](int count, bool crashes) {
    std::vector<std::chrono::nanoseconds> took;
    for (int round = 0; round < count; ++round) {
      const auto start = monotonic();
      took.push_back(longest_of(good, {good.dispatch(well, 10s)}, start));
      if (crashes && round % 10 == 5) bad.dispatch(bad.chaos("segv"));
      good.turn_for(100ms);
    }
    return took;
  };
  const auto alone = median_of(rounds(10, false));
  bad.dispatch_together(villains, 2s);
  const auto beside = rounds(40, true);
  CHECK(median_of(beside) < alone + 250ms);
  CHECK(*std::ranges::max_element(beside) < 2s);
  CHECK(good.status().deaths == 0);
  CHECK(good.ends.size() == 50);
}

TEST_CASE("instances that timed out lately hold at most half of the threads", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest few;
  few.concurrency = 4;
  Supervised bench(loop, few);
  std::vector<std::uint32_t> dead;
  for (int i = 0; i < 4; ++i) dead.push_back(bench.chaos("until-cancel"));
  longest_of(bench, bench.dispatch_together(dead, 300ms), monotonic());
  bench.dispatch_together(dead, 5s);
  const auto start = monotonic();
  std::vector<std::uint64_t> calls;
  for (int i = 0; i < 8; ++i) calls.push_back(bench.dispatch(bench.chaos("ok"), 5s));
  CHECK(longest_of(bench, calls, start) < 3s);
}

TEST_CASE("so do instances that failed after a long wait of their own", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest few;
  few.concurrency = 4;
  Supervised bench(loop, few);
  std::vector<std::uint32_t> dead;
  for (int i = 0; i < 4; ++i) dead.push_back(bench.chaos("slow-critical", 3000));
  longest_of(bench, bench.dispatch_together(dead, 20s), monotonic());
  bench.dispatch_together(dead, 20s);
  const auto start = monotonic();
  std::vector<std::uint64_t> calls;
  for (int i = 0; i < 8; ++i) calls.push_back(bench.dispatch(bench.chaos("ok"), 5s));
  CHECK(longest_of(bench, calls, start) < 2s);
}

TEST_CASE("one instance is never run twice at once", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("slow", 1200);
  const auto first = bench.dispatch(instance, 500ms);
  CHECK(bench.end_of(first).fate == Fate::timeout);
  const auto start = monotonic();
  CHECK(bench.run(instance).fate == Fate::finished);
  CHECK(monotonic() - start > 1200ms);
}

TEST_CASE("a call can be cancelled while it runs and while it waits", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest one;
  one.concurrency = 1;
  Supervised bench(loop, one);
  const auto running = bench.dispatch(bench.chaos("until-cancel"), 60s);
  const auto waiting = bench.dispatch(bench.chaos("ok"), 60s);
  REQUIRE(bench.until([&] { return bench.runner_pid() > 0 && bench.status().runners[0].life == plugin::Life::serving; }));
  bench.turn_for(100ms);
  bench.supervisor().cancel(waiting);
  CHECK(bench.end_of(waiting).cause == "cancelled before it began");
  bench.supervisor().cancel(running);
  const auto& end = bench.end_of(running);
  CHECK(end.fate == Fate::finished);
  CHECK_FALSE(end.outcome.timed_out);
}

TEST_CASE("a stopped runner does not hold up its calls", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto call = bench.dispatch(bench.chaos("stop-self"), 2s);
  const auto& end = bench.end_of(call);
  CHECK(end.fate == Fate::finished);  // its keeper continues it
  CHECK(bench.run("ok").fate == Fate::finished);
}

TEST_CASE("a runner that somebody stops from outside holds up its calls no longer than one that hangs", "[plugin][alone]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  REQUIRE(bench.run("ok").fate == Fate::finished);
  const int keeper = bench.runner_pid(), worker = bench.worker_pid();
  REQUIRE(worker != keeper);
  // the worker may have answered before its keeper goes on and lets go of the socket; stopped there it would hold it open
  const std::string held = "/proc/" + std::to_string(keeper) + "/fd";
  REQUIRE(bench.until([&] {
    std::error_code hidden;
    return std::filesystem::is_empty(held, hidden) || hidden;
  }));
  SECTION("its worker: the keeper continues it") {
    const auto call = bench.dispatch(bench.chaos("slow", 500));
    bench.turn_for(100ms);
    ::kill(worker, SIGSTOP);
    CHECK(bench.end_of(call, 5s).fate == Fate::finished);
    CHECK(bench.worker_pid() == worker);
  }
  SECTION("its keeper: calls go on, and one that crashes is told so although nobody reaped it") {
    ::kill(keeper, SIGSTOP);
    CHECK(bench.run("ok").fate == Fate::finished);
    const auto start = monotonic();
    const auto& end = bench.run("segv");
    if (!has_pid_namespaces()) {  // then it may be the keeper alone who knows of it: the call ends as one that hangs at the latest
      CHECK((end.fate == Fate::crashed || end.fate == Fate::timeout));
      CHECK(monotonic() - start < 30s);
      return;
    }
    CHECK(end.fate == Fate::crashed);
    CHECK_THAT(end.cause, Catch::StartsWith("killed by SIGSEGV in org.ronda.chaos+0x"));
    CHECK(monotonic() - start < 5s);
  }
  SECTION("both: as a hang") {
    ::kill(keeper, SIGSTOP);
    ::kill(worker, SIGSTOP);
    const auto start = monotonic();
    CHECK(bench.run("ok", 0, 1s).fate == Fate::timeout);
    CHECK(monotonic() - start < 2s);
    CHECK(bench.until([&] { return !is_alive(keeper) && !is_alive(worker); }, 15s));
  }
  CHECK(bench.run("ok", 0, 20s).fate == Fate::finished);
}
