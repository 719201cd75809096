// SPDX-License-Identifier: Apache-2.0
// A plugin that reaches past its borders to the socket: the conversation ends, the call is unknown, others go
// on.
#include <fcntl.h>
#include <unistd.h>

#include <catch.hpp>
#include <cerrno>
#include <cmath>
#include <memory>

#include "base/clock.hpp"
#include "plugin/report_text.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

/// The mode of chaos that sends this message.
template <class M>
std::string forged(const M& message) {
  std::string body;
  wire::Writer w(body);
  wire::encode(w, message);
  std::string frame(4, '\0');
  for (std::size_t i = 0; i < 4; ++i) frame[i] = static_cast<char>(body.size() >> (8 * i) & 0xff);
  std::string hex;
  for (const char c : frame + body) {
    constexpr const char* digits = "0123456789abcdef";
    hex += digits[static_cast<unsigned char>(c) >> 4];
    hex += digits[static_cast<unsigned char>(c) & 15];
  }
  return "send-" + hex;
}

}  // namespace

TEST_CASE("bytes that are no message end the runner and are said of the call", "[plugin]") {
  struct Row {
    const char* mode;
    std::int64_t n;
  };
  const auto row = GENERATE(values<Row>({{"garbage", 5},
                                         {"garbage", 4000},
                                         {"garbage", 3 << 20},
                                         {"garbage-then-answer", 5},
                                         {"garbage-then-answer", 3 << 20},
                                         {"huge-frame", 0},
                                         {"empty-frame", 0}}));
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

TEST_CASE("half a frame is waited for, but not for ever", "[plugin][alone]") {
  // cut behind every byte, all at once, while somebody else's calls go on
  const std::string whole = forged(wire::Request{});
  const std::size_t bytes = (whole.size() - std::string_view("send-").size()) / 2;
  REQUIRE(bytes > 8);
  boost::asio::io_context loop;
  Supervised other(loop);
  const auto well = other.chaos("ok");
  REQUIRE(other.run(well).fate == Fate::finished);
  std::vector<std::unique_ptr<Supervised>> benches;
  std::vector<std::uint64_t> calls;
  for (std::size_t n = 1; n < bytes; ++n) {
    benches.push_back(std::make_unique<Supervised>(loop));
    REQUIRE(benches.back()->run("ok", 0, 20s).fate == Fate::finished);  // its runner serves: what follows is not its start
    // nothing follows: the call does not come back either
    const auto instance = benches.back()->chaos(whole.substr(0, std::string_view("send-").size() + 2 * n), 600'000);
    calls.push_back(benches.back()->dispatch(instance, 3s));
  }
  const auto all_ended = [&] {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (!benches[i]->ends.contains(calls[i])) return false;
    }
    return true;
  };
  std::vector<std::chrono::nanoseconds> took;
  while (!all_ended() && took.size() < 1000) {
    const auto asked = monotonic();
    CHECK(other.run(well).fate == Fate::finished);
    took.push_back(monotonic() - asked);
    other.turn_for(20ms);
  }
  CHECK(median_of(took) < 250ms);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    INFO("cut behind " << i + 1 << " of " << bytes << " bytes");
    REQUIRE(benches[i]->ends[calls[i]].size() == 1);
    const plugin::CallEnd& end = benches[i]->ends[calls[i]].front();
    CHECK(end.fate == Fate::timeout);
    CHECK(benches[i]->run("ok", 0, 20s).outcome.summary == "did ok");
  }
}

TEST_CASE("the rest of a frame is waited for five seconds, however long the call may take", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  REQUIRE(bench.run("ok").fate == Fate::finished);
  bench.turn_for(11s);  // nothing that watches over its start looks at it any more
  const auto start = monotonic();
  const auto call = bench.dispatch(bench.chaos(forged(wire::Request{}).substr(0, std::string_view("send-").size() + 6), 600'000), 120s);
  REQUIRE(bench.until([&] { return bench.ends.contains(call); }, 60s));
  CHECK(monotonic() - start >= 5s);
  CHECK(bench.ends[call].front().fate == Fate::protocol);
  CHECK(bench.has_log("stopped in the middle of a frame"));
  CHECK(bench.run("ok", 0, 20s).outcome.summary == "did ok");
}

TEST_CASE("half a frame that the answer follows is garbage, or is waited for until the deadline", "[plugin][alone]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto start = monotonic();
  const auto call = bench.dispatch(bench.chaos("partial-frame"), 3s);
  const Fate fate = bench.end_of(call).fate;
  CHECK((fate == Fate::timeout || fate == Fate::protocol));
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

TEST_CASE("a runner speaks for its own instances and calls only, whatever it says", "[plugin]") {
  boost::asio::io_context loop;
  Supervised other(loop), bench(loop);
  const auto victim = other.chaos("slow", 1500);
  const auto call = other.dispatch(victim);
  other.turn_for(200ms);
  std::vector<std::uint32_t> asked_for;
  bench.leave_unanswered = [&](const wire::Request& request) { return asked_for.push_back(request.instance), false; };
  other.leave_unanswered = bench.leave_unanswered;
  bench.run("kv");
  const std::size_t honest = asked_for.size();
  REQUIRE(honest > 0);
  wire::Request steal, take, write;
  steal.sequence = take.sequence = write.sequence = 1'000'000;
  steal.instance = take.instance = write.instance = victim;
  steal.ask = wire::Ask::kv_each;
  take.ask = wire::Ask::inbox_take;
  write.ask = wire::Ask::kv_commit;
  write.kv = {{"key", "forged", 0, false}};
  for (const wire::Request& request : {steal, take, write}) CHECK(bench.run(forged(request), 50).fate == Fate::finished);
  CHECK(asked_for.size() == honest);
  // a result, an event and progress of a call that is somebody else's; a log line in somebody else's name
  wire::Outcome outcome;
  outcome.call = call + 1000;
  outcome.summary = "forged";
  bench.run(forged(outcome), 50);
  CHECK(bench.status().late_results == 1);
  bench.run(forged(wire::Event{call + 1000, 3, "forged", "", {}}), 50);
  bench.run(forged(wire::Progress{call + 1000, 0.5, "forged"}), 50);
  bench.run(forged(wire::Log{victim, 3, "forged"}), 50);
  CHECK(bench.events.empty());
  CHECK(bench.progress.empty());
  CHECK(bench.logged_by.at("forged") == 0);
  CHECK(other.end_of(call).outcome.summary == "did slow");
  CHECK(other.ends[call].size() == 1);
}

TEST_CASE("the page that a runner shares with the agent cannot be cut short", "[plugin]") {
  auto page = plugin::SharedBlackbox::make();
  REQUIRE(page);
  CHECK(::ftruncate(page->fd(), 0) == -1);
  CHECK(errno == EPERM);
  CHECK(::fcntl(page->fd(), F_ADD_SEALS, F_SEAL_WRITE) == -1);
  CHECK((*page)->phase.load() == 0);
  // and once a runner serves, its plugin finds no descriptor of it
  boost::asio::io_context loop;
  Supervised bench(loop);
  const std::string open = bench.run("own-descriptors").outcome.summary;
  CHECK_THAT(open, Catch::Contains("3 socket:"));
  CHECK_THAT(open, !Catch::Contains("ronda-blackbox"));
}

TEST_CASE("the agent judges grants itself, for every instance and call that is asked for", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest poor;
  poor.grants = {"exec"};
  Supervised bench(loop, poor);
  std::vector<wire::Ask> asked;
  bench.leave_unanswered = [&](const wire::Request& request) { return asked.push_back(request.ask), false; };
  const auto instance = bench.chaos("ok");
  REQUIRE(bench.run(instance).fate == Fate::finished);
  for (const auto ask : {wire::Ask::kv_get, wire::Ask::kv_each, wire::Ask::kv_commit, wire::Ask::inbox_take}) {
    wire::Request request;
    request.sequence = 1'000'000;
    request.instance = instance;
    request.ask = ask;
    request.text = "key";
    CHECK(bench.run(forged(request), 50).fate == Fate::finished);
  }
  CHECK(asked.empty());
  wire::Request calendar;
  calendar.sequence = 1'000'000;
  calendar.instance = instance;
  calendar.ask = wire::Ask::calendar_next;
  bench.run(forged(calendar), 50);
  CHECK(asked == std::vector{wire::Ask::calendar_next});
}

TEST_CASE("events of the inbox are for the call that asks while it runs", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  std::size_t asked = 0;
  bench.leave_unanswered = [&](const wire::Request&) { return ++asked, false; };
  const auto other = bench.chaos("slow", 400);
  const auto call = bench.dispatch(other);
  const auto instance = bench.chaos("ok");
  bench.run(instance);
  for (const std::uint64_t named : {std::uint64_t{0}, call, std::uint64_t{999}}) {
    wire::Request take;
    take.sequence = 1'000'000;
    take.instance = instance;
    take.ask = wire::Ask::inbox_take;
    take.call = named;
    bench.run(forged(take), 20);
  }
  CHECK(asked == 0);
  bench.end_of(call);
}

TEST_CASE("what a runner sends past its own bounds is mended or ends it", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance_mode = [&](const std::string& sent, std::int64_t n) { return bench.chaos("re" + sent, n); };
  // the next call's number is known: they are counted
  const std::uint64_t first = bench.dispatch(bench.chaos("ok"));
  bench.end_of(first);
  CHECK(bench.run(instance_mode(forged(wire::Event{first + 1, 1, "na me", "caf\xe9", {}}), 100)).fate == Fate::finished);
  CHECK(bench.events.size() == 100);
  CHECK(bench.events[0].name == "na_me");
  CHECK(bench.events[0].text == "caf\xef\xbf\xbd");
  bench.run(instance_mode(forged(wire::Progress{first + 2, 5, "more than all"}), 10));
  CHECK(bench.progress.empty());
  const auto& flood = bench.end_of(bench.dispatch(instance_mode(forged(wire::Event{first + 3, 1, "n", "t", {}}), 20'000)));
  CHECK(flood.fate == Fate::protocol);
  CHECK(flood.cause == "it sent more than 100 events for one call");
  CHECK(bench.events.size() == 200);
}

TEST_CASE("whether its plugin loads is said once by a runner, and in a text that is one", "[plugin]") {
  CHECK(wire::repaired_reason("caf\xe9") == "caf\xef\xbf\xbd");
  CHECK(wire::repaired_reason(std::string(100'000, 'x')).size() == wire::summary_limit);
  boost::asio::io_context loop;
  Supervised bench(loop);
  REQUIRE(bench.run("ok").fate == Fate::finished);
  // each would count as one more failure to load
  const auto& end = bench.end_of(bench.dispatch(bench.chaos("re" + forged(wire::Loaded{false, "\xff", 0}), 10'000)));
  CHECK(end.fate == Fate::protocol);
  CHECK(end.cause == "it said twice whether its plugin loads");
  CHECK(bench.status().refused.empty());
  CHECK(bench.run("ok", 0, 10s).outcome.summary == "did ok");
}

TEST_CASE("an outcome is mended by the agent as well: text, numbers, status", "[plugin]") {
  wire::Outcome outcome;
  outcome.status = 9;
  outcome.detail = "caf\xe9";
  wire::Writer w(outcome.metrics);
  wire::encode_metric(w, {"fine", 1, false, false, "B", "10:20", "", {{"k", "v"}}});
  const std::string fine = outcome.metrics;
  wire::encode_metric(w, {"b d", 2, false, false, "\xff", "\n", "", {{"k", "\xff"}}});
  wire::encode_metric(w, {"nan", std::nan(""), false, false, "", "", "", {}});
  wire::repair(outcome, wire::Kind::check);
  CHECK(outcome.summary == "reported the status 9, which does not exist");
  CHECK(outcome.status == 3);
  CHECK(outcome.detail == "caf\xef\xbf\xbd");
  CHECK(outcome.dropped_metrics == 1);
  std::vector<wire::Metric> metrics;
  REQUIRE(wire::each_metric(outcome.metrics, [&](wire::Metric&& m) { metrics.push_back(std::move(m)); }));
  REQUIRE(metrics.size() == 2);
  CHECK(metrics[1].name == "b_d");
  CHECK(metrics[1].unit == "_");
  CHECK(metrics[1].warn.empty());
  CHECK(metrics[1].labels[0].second == "\xef\xbf\xbd");
  wire::Outcome good;
  good.status = 1;
  good.metrics = fine;
  wire::repair(good, wire::Kind::check);
  CHECK(good.metrics == fine);
  CHECK(good.status == 1);
}
