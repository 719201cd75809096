// SPDX-License-Identifier: Apache-2.0
// What a plugin reports and what becomes of it: text repaired, numbers judged, one result a call.
#include <catch.hpp>
#include <limits>

#include "plugin/grade.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

TEST_CASE("metrics that are no numbers are dropped and counted", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto& end = bench.run("strange-metrics");
  const auto metrics = plugin::decode_metrics(end.outcome.metrics);
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0].name == "fine__name");
  CHECK(end.outcome.dropped_metrics == 4);
}

TEST_CASE("integer metrics come with all of their digits", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto metrics = plugin::decode_metrics(bench.run("exact-metrics").outcome.metrics);
  REQUIRE(metrics.size() == 4);
  CHECK(metrics[0].integer == 9'007'199'254'740'993);
  CHECK(metrics[1].integer == std::numeric_limits<std::int64_t>::max());
  CHECK(metrics[2].integer == std::numeric_limits<std::int64_t>::min());
  CHECK_FALSE(metrics[3].is_integer);
  CHECK(metrics[3].value == 18'446'744'073'709'551'616.0);  // not wrapped
  CHECK(plugin::perfdata(metrics, {}) ==
        " | odd=9007199254740993c most=9223372036854775807 least=-9223372036854775808B beyond=18446744073709551616.000000000");
  CHECK(plugin::format_value(metrics[0]) == "9007199254740993c");
}

TEST_CASE("a flood of metrics is cut at what one call may have", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto& end = bench.run("metrics", 100'000);
  CHECK(end.outcome.end == wire::End::reported);
  CHECK(plugin::decode_metrics(end.outcome.metrics).size() == 1000);
  CHECK(end.outcome.dropped_metrics == 99'000);
}

TEST_CASE("a million labels are sixteen short ones", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto& end = bench.run("labels", 1'000'000);
  CHECK(end.outcome.end == wire::End::reported);
  const auto metrics = plugin::decode_metrics(end.outcome.metrics);
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0].labels.size() == 16);
  for (const auto& [key, value] : metrics[0].labels) CHECK(value.size() <= 256);
}

TEST_CASE("text is made UTF-8 and cut", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  CHECK(bench.run("not-utf8").outcome.summary == "caf\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd");
  const auto& end = bench.run("huge-text", 20 << 20);
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.summary.size() <= 4096);
}

TEST_CASE("what is thrown, silent, double or out of range is told as such", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  CHECK(bench.run("throw").outcome.summary == "thrown by run");
  CHECK(bench.run("throw").outcome.end == wire::End::failed);
  CHECK(bench.run("throw-int").outcome.summary == "an exception that is not a std::exception");
  const auto& twice = bench.run("double").outcome;
  CHECK(twice.summary == "the first");
  CHECK(twice.status == 0);
  const auto& bad = bench.run("bad-status").outcome;
  CHECK(bad.end == wire::End::bad_result);
  CHECK(bad.status == 3);
  CHECK(bad.summary == "reported the status 17, which does not exist");
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("a result from a thread of the plugin's own, after the call, is nobody's", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("emit-later");
  for (int i = 0; i < 20; ++i) {
    const auto& end = bench.run(instance);
    CHECK(end.fate == Fate::finished);
    CHECK(end.outcome.summary == "did emit-later");
    bench.turn_for(10ms);
  }
}

TEST_CASE("an instance that cannot be created says why, each time", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("create-throw");
  for (int i = 0; i < 2; ++i) {
    const auto& end = bench.run(instance);
    CHECK(end.fate == Fate::finished);
    CHECK(end.outcome.end == wire::End::create_failed);
    CHECK(end.outcome.summary == "create does not want to");
    CHECK(end.outcome.status == 3);
  }
  CHECK(bench.run("create-throw-int").outcome.summary == "an exception that is not a std::exception");
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("a status that its kind does not have is said, also when the plugin's glue says less", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto& glue = bench.run("status-by-glue", 7).outcome;
  CHECK(glue.summary == "reported the status 7, which does not exist");
  CHECK(glue.end == wire::End::bad_result);
  CHECK(bench.run(bench.chaos("status", 3, wire::Kind::notifier)).outcome.summary == "reported the status 3, which does not exist");
  CHECK(bench.run(bench.chaos("status", 2, wire::Kind::notifier)).outcome.end == wire::End::reported);
  CHECK(bench.run(bench.chaos("status", 3, wire::Kind::task)).outcome.status == 3);
}

TEST_CASE("units, ranges and labels cannot break what shows them", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto metrics = plugin::decode_metrics(bench.run("ugly-metrics").outcome.metrics);
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0].unit == "__B_");
  CHECK(metrics[0].warn == "80%");
  CHECK(metrics[0].crit.empty());
  const std::string line = plugin::perfdata(metrics, {});
  CHECK(line == " | 'm_a\\x0aCRITICAL - fake _ b_c\\x1b[31m'=1__B_;80%;");
}

TEST_CASE("every call has its whole stack", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const std::string& said = bench.run("stack").outcome.summary;
  REQUIRE_THAT(said, Catch::StartsWith("stack left "));
  CHECK(std::stoul(said.substr(11)) > 240'000);
}
