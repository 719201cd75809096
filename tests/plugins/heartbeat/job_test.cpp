// SPDX-License-Identifier: Apache-2.0
#include "job.hpp"

#include "catch.hpp"

#include <ronda/testing_catch.hpp>

#include "../manifest_defaults.hpp"

using namespace std::chrono_literals;
using heartbeat::Job;
using ronda::status;
using ronda::testing::Ended;
using ronda::testing::HasMetric;

namespace {

/// A job with the manifest's defaults on a fake host whose calendar has a slot at every full hour.
struct JobTest {
  ronda::testing::host host;
  std::optional<ronda::testing::subject> subject;

  explicit JobTest(const char* expect = "*:00") {
    set_defaults(host, RONDA_SOURCE_DIR "/plugins/heartbeat/plugin.toml", "heartbeat.job");
    host.set("expect", expect).set("max_run", 20min);
    host.on_calendar([](std::string_view, ronda::wall_time at, bool next) -> std::optional<ronda::wall_time> {
      const auto full = std::chrono::floor<std::chrono::hours>(at);
      return ronda::wall_time(next ? full + 1h : full);
    });
  }
  ronda::testing::report run() {
    if (!subject) subject.emplace(ronda::testing::make<Job>(host));
    INFO(subject->error());
    REQUIRE(*subject);
    auto report = subject->run();
    CHECK(host.broken().empty());
    return report;
  }
};

}  // namespace

TEST_CASE("events are taken, judged and removed; it asks to be run when it would be late", "[heartbeat]") {
  JobTest job;
  auto report = job.run();
  CHECK_THAT(report, Ended(status::ok, "waiting for the first run"));
  CHECK(report.again_at == ronda::wall_time(job.host.wall()) + 60min + 26min);
  job.host.advance(61min);
  job.host.send("start");
  report = job.run();
  CHECK_THAT(report, Ended(status::ok, "running for 0s"));
  CHECK_THAT(report, HasMetric("running", 1));
  CHECK(report.again_at == job.host.wall() + 21min);
  CHECK(job.host.inbox_left() == 0);
  job.host.advance(3min);
  job.host.send("success", "rows: 5\n");
  report = job.run();
  CHECK_THAT(report, Ended(status::ok, "last success 0s ago, took 3m"));
  CHECK_THAT(report, HasMetric("took", 180));
  CHECK(report.detail == "output of the last run:\nrows: 5\n");
}

TEST_CASE("a span between runs that is no shorter than what is expected is refused", "[heartbeat]") {
  const auto refusal = [](const char* expect, std::chrono::nanoseconds not_more_often) {
    JobTest job(expect);
    job.host.set("not_more_often", not_more_often);
    return ronda::testing::make<Job>(job.host).error();
  };
  CHECK_THAT(refusal("6h", 6h), Catch::StartsWith("not_more_often = \"6h\" must be shorter than expect = \"6h\""));
  CHECK(refusal("6h", 5h).empty());
  CHECK(refusal("*:00", 6h).empty());  // of a calendar nobody can say it in general
}

TEST_CASE("late is told once on the timeline and stays critical until a run answers", "[heartbeat]") {
  JobTest job;
  const auto due = job.run().again_at;
  job.host.set_wall(due);
  auto report = job.run();
  CHECK_THAT(report, Ended(status::critical, "late: the run due at 2025-01-01T01:00:00Z has not reported"));
  REQUIRE(report.events.size() == 1);
  CHECK(report.events[0].name == "late");
  CHECK_THAT(report, HasMetric("missed", 1));
  job.host.advance(1min);
  report = job.run();
  CHECK(report.is(status::critical));
  CHECK(report.events.empty());
  job.host.send("success");
  CHECK_THAT(job.run(), Ended(status::ok));
}

TEST_CASE("when the agent started is asked of the host", "[heartbeat]") {
  JobTest job;
  job.run();
  job.host.advance(59min);
  job.run();
  job.host.advance(3min);
  job.host.set_fact("agent.started_ns", std::to_string(job.host.wall().time_since_epoch().count()));
  job.subject.reset();
  job.host.set_wall(job.run().again_at);
  const auto report = job.run();
  CHECK_THAT(report, Ended(status::unknown, "may have been missed: nobody looked at the time"));
  CHECK(report.events.empty());
}

TEST_CASE("the state outlives the instance", "[heartbeat]") {
  JobTest job;
  job.run();
  job.host.advance(61min);
  job.host.send("start").send("log", "step one\n").send("fail", "\x1B[31mdisk full\n", 9);
  CHECK_THAT(job.run(), Ended(status::critical, "failed with exit code 9 at 2025-01-01T01:01:00Z:  [31mdisk full"));
  job.subject.reset();
  const auto report = job.run();
  CHECK_THAT(report, Ended(status::critical, "failed with exit code 9"));
  CHECK(report.detail == "output of the last run:\nstep one\n\x1B[31mdisk full\n");
}

TEST_CASE("when conf.d expects something else, it is expected from then on", "[heartbeat]") {
  JobTest job("6h");
  job.run();
  job.host.advance(5h);
  job.host.set("expect", "*:00");
  job.subject.reset();
  CHECK_THAT(job.run(), Ended(status::ok, "waiting for the first run"));
}

TEST_CASE("an output without end is kept to its end", "[heartbeat]") {
  JobTest job;
  job.host.send("start");
  for (int i = 0; i < 100; ++i) job.host.send("log", std::string(1000, static_cast<char>('a' + i % 26)) + "\n");
  job.host.send("success", "the end\n").send("some word of the future", "x");
  const auto report = job.run();
  CHECK(report.is(status::ok));
  CHECK(report.detail.size() < heartbeat::tail_limit + 100);
  CHECK(report.detail.substr(report.detail.size() - 8) == "the end\n");
}
