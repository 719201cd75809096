// SPDX-License-Identifier: Apache-2.0
// A plugin that reaches past its borders to the socket: the conversation ends, the call is unknown, others go
// on.
#include <catch.hpp>

#include "base/clock.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

TEST_CASE("bytes that are no message end the runner and are said of the call", "[plugin]") {
  struct Row {
    const char* mode;
    std::int64_t n;
  };
  const auto row = GENERATE(values<Row>({{"garbage", 5}, {"garbage", 4000}, {"garbage", 3 << 20}, {"huge-frame", 0}, {"empty-frame", 0}}));
  INFO(row.mode << " " << row.n);
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto sibling = bench.dispatch(bench.chaos("slow", 1000));
  REQUIRE(bench.until([&] { return bench.runner_pid() > 0 && bench.status().runners[0].life == plugin::Life::serving; }));
  bench.turn_for(100ms);
  const auto call = bench.dispatch(bench.chaos(row.mode, row.n));
  const auto& end = bench.end_of(call);
  CHECK(end.fate == Fate::protocol);
  CHECK(end.cause == "it sent bytes that are no message");
  CHECK(bench.end_of(sibling).outcome.summary == "did slow");
  CHECK(bench.run("ok").fate == Fate::finished);
  CHECK(bench.ends[call].size() == 1);
}

TEST_CASE("half a frame is waited for, but not for ever", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto start = monotonic();
  const auto call = bench.dispatch(bench.chaos("partial-frame"), 3s);
  bench.end_of(call);
  CHECK(monotonic() - start < 10s);
  CHECK(bench.run("ok", 0, 10s).outcome.summary == "did ok");
}

TEST_CASE("a plugin that closes every descriptor loses its runner", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto sibling = bench.dispatch(bench.chaos("slow", 1000));
  REQUIRE(bench.until([&] { return bench.runner_pid() > 0 && bench.status().runners[0].life == plugin::Life::serving; }));
  bench.turn_for(100ms);
  const auto call = bench.dispatch(bench.chaos("close-all"));
  const auto& end = bench.end_of(call);
  CHECK((end.fate == Fate::crashed || end.fate == Fate::protocol));
  CHECK(bench.end_of(sibling).outcome.summary == "did slow");
  CHECK(bench.run("ok").fate == Fate::finished);
  CHECK(bench.ends[sibling].size() == 1);
}
