// SPDX-License-Identifier: Apache-2.0
// What a plugin asks of the agent, and what it says, through the real runner.
#include <algorithm>
#include <catch.hpp>
#include <map>

#include "plugin/grade.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;
using plugin::OptionNode;

namespace {

std::string summary_of(Supervised& bench, const std::string& mode, std::int64_t n = 0) {
  const auto& end = bench.run(mode, n);
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.end == wire::End::reported);
  return end.outcome.summary;
}

}  // namespace

TEST_CASE("state that a call writes is there for the next", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("kv");
  CHECK(bench.run(instance).outcome.summary == "count 1");
  CHECK(bench.run(instance).outcome.summary == "count 2");
  CHECK(bench.state.at("count") == "2");
}

TEST_CASE("all state of an instance at once, and an answer that is too large for one message", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  for (int i = 0; i < 15; ++i) bench.state["key" + std::to_string(i)] = std::string(60 << 10, 'v');
  CHECK(summary_of(bench, "kv-all") == "15 keys, 921600 bytes");
  for (int i = 0; i < 5; ++i) bench.state["more" + std::to_string(i)] = std::string(60 << 10, 'v');
  CHECK(summary_of(bench, "kv-all") == "all: over a limit or quota");
}

TEST_CASE("an agent that does not answer costs the call that asked", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.leave_unanswered = [](const wire::Request& request) { return request.ask == wire::Ask::inbox_take; };
  const auto asking = bench.dispatch(bench.chaos("inbox"));
  CHECK(summary_of(bench, "kv") == "count 1");
  CHECK(bench.end_of(asking).outcome.summary == "inbox: the deadline passed or the call was cancelled");
}

TEST_CASE("inbox, calendar, facts, exec and clock reach a plugin", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.inbox = {{"start", "one"}, {"success", "two"}};
  CHECK(summary_of(bench, "inbox") == "start=one;success=two;");
  CHECK(summary_of(bench, "calendar") == "next 86400000000000");
  CHECK_THAT(summary_of(bench, "facts"), Catch::StartsWith("testhost instance-") && Catch::EndsWith(" check"));
  CHECK(summary_of(bench, "exec") == "exit 0 from a child\n");
  CHECK(summary_of(bench, "clock", 20) == "slept long");
}

TEST_CASE("a program that a plugin starts has nothing of the runner's open", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto& end = bench.run("exec-descriptors");
  REQUIRE(end.outcome.status == 0);
  INFO(end.outcome.summary);
  CHECK_THAT(end.outcome.summary, Catch::Contains("/dev/null") && Catch::Contains("pipe:"));
  CHECK_THAT(end.outcome.summary, !Catch::Contains("socket:") && !Catch::Contains(".so") && !Catch::Contains("memfd:"));
}

TEST_CASE("a program starts with signals as they are by default, whatever its plugin made of them", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const std::string text = summary_of(bench, "exec-signals");
  CHECK_THAT(text, Catch::StartsWith("SigBlk:\t0000000000000000\n"));
  const auto ignored = text.find("SigIgn:\t");
  REQUIRE(ignored != std::string::npos);
  // 32 and 33 are the C library's own; its posix_spawn leaves them ignored to all that follow
  CHECK((std::stoull(text.substr(ignored + 8), nullptr, 16) & 0x7fffffffU) == 0U);
}

TEST_CASE("a program has its streams although its plugin closed its own", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  CHECK(summary_of(bench, "exec-closed-streams") == "in,out\nerr\n");
  CHECK(summary_of(bench, "exec-closed-streams") == "in,out\nerr\n");
}

TEST_CASE("a program that does not exist is told, and leaves nothing", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  for (int i = 0; i < 3; ++i)
    CHECK(summary_of(bench, "exec-missing") == "exec: cannot start /nonexistent/program: No such file or directory");
  CHECK(descendants_of(bench.runner_pid()).size() <= 1U);
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("sleeping and children of a plugin end with its call", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  CHECK(bench.run("clock", 60'000, 300ms).outcome.summary == "woken short");
  const auto& end = bench.run("exec-long", 0, 2s);
  CHECK((end.outcome.summary == "ended at its deadline" || end.fate == Fate::timeout));  // the machine may be too busy to say it in time
  CHECK(bench.until([&] { return descendants_of(bench.runner_pid()).size() <= 1U; }, 10s));
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("a service that was not granted says so", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest poor;
  poor.grants = {};
  Supervised bench(loop, poor);
  CHECK(summary_of(bench, "exec") == "exec: not granted: the manifest's `needs` must name it");
  CHECK(summary_of(bench, "inbox") == "inbox: not granted: the manifest's `needs` must name it");
  CHECK(summary_of(bench, "kv") == "put: not granted: the manifest's `needs` must name it");
}

TEST_CASE("a secret reaches the plugin and neither log nor result", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.add(
      wire::Kind::check, "chaos.check",
      {{"mode", OptionNode(OptionNode::Data(std::string("ok")))}, {"word", OptionNode(OptionNode::Data(plugin::Secret{"open sesame"}))}});
  CHECK(bench.run(instance).outcome.summary == "the word is ***");
  REQUIRE(bench.until([&] { return bench.has_log("the word is"); }));
  CHECK_FALSE(bench.has_log("sesame"));
}

TEST_CASE("no part of a secret is left where text is cut, in labels, or in what is printed piece by piece", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.add(wire::Kind::check, "chaos.check",
                                  {{"mode", OptionNode(OptionNode::Data(std::string("tell")))},
                                   {"word", OptionNode(OptionNode::Data(plugin::Secret{"hunter2hunter2"}))}});
  const auto& outcome = bench.run(instance).outcome;
  REQUIRE(bench.until([&] { return bench.has_log("printed *** twice"); }, 5s));
  CHECK(outcome.summary == std::string(4090, 'x').append("***"));
  CHECK(plugin::decode_metrics(outcome.metrics).at(0).labels.at(0).second == "***");
  REQUIRE(bench.events.size() == 1);
  CHECK(bench.events[0].text.ends_with("x***"));
  REQUIRE(bench.progress.size() == 1);
  CHECK(bench.progress[0].what.ends_with("x***"));
  CHECK(bench.has_log("xxx***"));
  CHECK_FALSE(bench.has_log("hunter"));
}

TEST_CASE("log, events and progress", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  summary_of(bench, "log");
  CHECK(bench.has_log("a line of the log"));
  summary_of(bench, "event");
  REQUIRE(bench.events.size() == 1);
  CHECK(bench.events[0].text == "something worth a line");
  summary_of(bench, "progress");
  REQUIRE_FALSE(bench.progress.empty());
  CHECK(bench.progress.size() < 60);
  CHECK(bench.progress.back().share == 1.0);
}

TEST_CASE("a flood of log lines is cut", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  summary_of(bench, "log-flood", 20'000);
  CHECK(bench.logs.size() < 1300);
  CHECK(bench.run("ok").fate == Fate::finished);
}

TEST_CASE("the last line before a crash is not lost", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  summary_of(bench, "print");
  CHECK(bench.run("terminate").fate == Fate::crashed);
  CHECK(bench.has_log("to stdout \\x1b[31m"));
  REQUIRE(bench.until([&] { return bench.has_log("to stderr"); }));
}

TEST_CASE("state that destroy writes is refused and said in the log, reading it works", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("destroy-kv");
  const auto& end = bench.run(instance);
  REQUIRE(end.fate == Fate::finished);
  REQUIRE(end.outcome.kv.size() == 1);
  bench.state["before"] = end.outcome.kv[0].value;
  bench.supervisor().forget(instance);
  REQUIRE(bench.until([&] { return bench.has_log("destroy reads"); }));
  CHECK(bench.has_log("destroy reads this, its writes are refused"));
  CHECK(bench.has_log("RONDA-P-038: it writes state in destroy: refused, nothing of it is kept"));
  CHECK(std::ranges::count_if(bench.logs, [](const std::string& line) { return line.find("RONDA-P-038") != std::string::npos; }) == 1);
  CHECK(bench.state == std::map<std::string, std::string>{{"before", "this"}});
  CHECK(bench.status().deaths == 0);
}
