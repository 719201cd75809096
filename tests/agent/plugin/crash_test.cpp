// SPDX-License-Identifier: Apache-2.0
// A plugin that ends its process: the culprit is named, everybody else gets a result.
#include <algorithm>
#include <catch.hpp>

#include "base/clock.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

TEST_CASE("a well-behaved call comes back with what the plugin said", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto& end = bench.run("ok");
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.end == wire::End::reported);
  CHECK(end.outcome.status == 0);
  CHECK(end.outcome.summary == "did ok");
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("tasks and notifiers run as checks do", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto& task = bench.run(bench.chaos("ok", 0, wire::Kind::task));
  CHECK(task.fate == Fate::finished);
  CHECK(task.outcome.summary == "did ok");
  const auto& told = bench.run(bench.chaos("ok", 0, wire::Kind::notifier));
  CHECK(told.fate == Fate::finished);
  CHECK(told.outcome.summary == "a title to somebody");
}

TEST_CASE("whatever ends a runner is said of the call that did it", "[plugin]") {
  struct Row {
    const char* mode;
    const char* cause;
  };
  const auto row = GENERATE(values<Row>({{"segv", "killed by SIGSEGV in org.ronda.chaos+0x"},
                                         {"abort", "killed by SIGABRT"},
                                         {"fpe", "killed by SIGFPE in org.ronda.chaos+0x"},
                                         {"overflow", "killed by SIGSEGV in org.ronda.chaos+0x"},
                                         {"exit", "exited with status 0"},
                                         {"_exit", "exited with status 0"},
                                         {"exit_group", "exited with status 7"},
                                         {"terminate", "ended by an uncaught C++ exception"},
                                         {"thread-segv", "killed by SIGSEGV"},
                                         {"create-segv", "killed by SIGSEGV"},
                                         {"segv-cancel", "killed by SIGSEGV"}}));
  INFO(row.mode);
  boost::asio::io_context loop;
  Supervised bench(loop);
  // this one crashes when it is told that its time is over
  const bool at_its_end = std::string(row.mode) == "segv-cancel";
  const auto call = at_its_end ? bench.dispatch(bench.chaos(row.mode, 300'000), 500ms) : bench.dispatch(bench.chaos(row.mode));
  const auto& end = bench.end_of(call);
  CHECK(end.fate == Fate::crashed);
  CHECK_THAT(end.cause, Catch::StartsWith(row.cause));
  CHECK(bench.ends[call].size() == 1);
  // the next runner starts at once
  CHECK(bench.run("ok").fate == Fate::finished);
  CHECK(bench.status().deaths == 1);
}

TEST_CASE("after a crash the next runner serves within a quarter of a second", "[plugin][alone]") {
  constexpr std::size_t tries = 9;
  std::vector<std::chrono::nanoseconds> waits;
  for (std::size_t i = 0; i < tries; ++i) {
    boost::asio::io_context loop;
    Supervised bench(loop);
    const auto next = bench.chaos("ok");
    const auto crashed = bench.dispatch(bench.chaos("segv"));
    REQUIRE(bench.end_of(crashed).fate == Fate::crashed);
    const auto served = bench.dispatch(next);
    CHECK(bench.end_of(served).fate == Fate::finished);
    waits.push_back(bench.ended_at[served] - bench.ended_at[crashed]);
  }
  std::ranges::sort(waits);
  INFO("median " << waits[tries / 2].count() / 1'000'000 << " ms, at most " << waits.back().count() / 1'000'000 << " ms");
  CHECK(waits[tries / 2] <= 250ms);
}

TEST_CASE("a runner killed by SIGKILL from inside hit a limit or was killed", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto& end = bench.run("kill-self");
  CHECK((end.fate == Fate::limit || end.fate == Fate::crashed));
  CHECK(end.cause == "killed by SIGKILL");
  CHECK(bench.run("ok").fate == Fate::finished);
}

TEST_CASE("of sixteen calls in flight one crashes: one is unknown and fifteen are done once more", "[plugin]") {
  const auto* mode = GENERATE("segv", "abort", "overflow", "exit", "_exit", "kill-self", "exit_group", "terminate", "thread-segv");
  INFO(mode);
  boost::asio::io_context loop;
  Supervised bench(loop);
  std::vector<std::uint32_t> instances;
  for (int i = 0; i < 15; ++i) instances.push_back(bench.chaos("slow", 400));
  const auto siblings = bench.dispatch_together(instances);
  REQUIRE(bench.until([&] {
    return !bench.status().runners.empty() && bench.status().runners[0].in_flight == 15 &&
           bench.status().runners[0].life == plugin::Life::serving;
  }));
  bench.turn_for(100ms);
  const auto culprit = bench.dispatch(bench.chaos(mode));
  CHECK(bench.end_of(culprit).fate != Fate::finished);
  for (const auto id : siblings) {
    const auto& end = bench.end_of(id, 60s);
    CHECK(end.fate == Fate::finished);
    CHECK(end.outcome.summary == "did slow");
    CHECK(bench.ends[id].size() == 1);
  }
  CHECK(bench.ends[culprit].size() == 1);
}

TEST_CASE("of sixteen calls in flight one stops the runner: all of them end well, none is done twice", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  std::vector<std::uint32_t> instances;
  for (int i = 0; i < 15; ++i) instances.push_back(bench.chaos("slow", 400));
  auto calls = bench.dispatch_together(instances);
  REQUIRE(bench.until([&] { return !bench.status().runners.empty() && bench.status().runners[0].life == plugin::Life::serving; }));
  const int runner = bench.runner_pid();
  bench.turn_for(100ms);
  calls.push_back(bench.dispatch(bench.chaos("stop-self")));
  for (const auto id : calls) {
    CHECK(bench.end_of(id, 10s).fate == Fate::finished);
    CHECK(bench.ends[id].size() == 1);
  }
  CHECK(bench.status().deaths == 0);
  CHECK(bench.runner_pid() == runner);
}

TEST_CASE("a task in flight when somebody else crashes has an unknown outcome and is not repeated", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto task = bench.dispatch(bench.chaos("slow", 5000, wire::Kind::task));
  REQUIRE(bench.until([&] { return bench.runner_pid() > 0 && bench.status().runners[0].life == plugin::Life::serving; }));
  bench.turn_for(200ms);
  CHECK(bench.run("segv").fate == Fate::crashed);
  const auto& end = bench.end_of(task);
  CHECK(end.fate == Fate::lost);
  CHECK_THAT(end.cause, Catch::Contains("SIGSEGV"));
}

TEST_CASE("a runner that is not needed leaves at once, and nobody takes that for a failure", "[plugin][alone]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  CHECK(bench.run("ok").fate == Fate::finished);
  const auto start = monotonic();
  bench.supervisor().retire();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }));
  CHECK(monotonic() - start < 1s);
  CHECK(bench.status().deaths == 0);
}
