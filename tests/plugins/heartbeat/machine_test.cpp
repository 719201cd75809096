// SPDX-License-Identifier: Apache-2.0
#include "machine.hpp"

#include "catch.hpp"
#include "timeline.hpp"

using namespace heartbeat;
using ronda::status;

namespace {

struct Step {
  double minutes;
  const char* event;  // "" just looks
  status expected;
  const char* part;  // of the summary
};

void live(Life& life, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const std::string_view event = step.event;
    if (event == "start") life.happens(step.minutes, Signal::start);
    if (event == "success") life.happens(step.minutes, Signal::success);
    if (event == "fail") life.happens(step.minutes, Signal::fail, 3, "it\nbroke\n");
    if (event == "beat") life.happens(step.minutes, Signal::heartbeat);
    const Judgement judgement = life.look(step.minutes);
    INFO("minute " << step.minutes << " " << event << ": " << judgement.summary);
    CHECK(judgement.status == step.expected);
    CHECK(judgement.summary.find(step.part) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a job that reports only its end is late when the end does not come", "[heartbeat]") {
  Rules rules = calendar_rules(hour);
  rules.max_run = 20 * minute;
  Life life(rules);
  live(life,
       {{1, "", status::ok, "waiting for the first run"},
        {85.9, "", status::ok, "waiting"},
        {86, "", status::critical, "late: the run due at 2026-01-01T01:00:00Z has not reported, 26m ago"},
        {100, "success", status::ok, "last success 0s ago"},
        {145, "", status::ok, "last success 45m ago"},
        {146, "", status::critical, "late: the run due at 2026-01-01T02:00:00Z"}});
  CHECK(life.state.missed == 2);
}

TEST_CASE("a job that says when it starts is late when it does not start", "[heartbeat]") {
  Rules rules = calendar_rules(hour);
  rules.max_run = 20 * minute;
  Life life(rules);
  live(life,
       {{61, "start", status::ok, "running for 0s"},
        {65, "success", status::ok, "took 4m"},
        {125.9, "", status::ok, "last success"},
        {126, "", status::critical, "late: the run due at 2026-01-01T02:00:00Z has not started, 6m ago"},
        {130, "start", status::warning, "started 10m after it was due"},
        {135, "success", status::warning, "started 10m after it was due"},
        {180, "start", status::ok, "running"}});
  CHECK(life.state.missed == 1);
}

TEST_CASE("a run is too long at the very minute, and after its end until the next one", "[heartbeat]") {
  Rules rules = calendar_rules(hour);
  rules.max_run = 20 * minute;
  Life life(rules);
  live(life, {{60, "start", status::ok, "running"},
              {80.9, "", status::ok, "running for 20m54s"},
              {81, "", status::critical, "running for 21m, longer than 20m"},
              {90, "success", status::warning, "took 30m, longer than 20m"},
              {120, "start", status::warning, "took 30m"},
              {125, "success", status::ok, "took 5m"}});
}

TEST_CASE("a heartbeat begins the time of a run anew, and silence after one is told", "[heartbeat]") {
  Rules rules = calendar_rules(6 * hour);
  rules.max_run = 20 * minute;
  rules.max_silence = 5 * minute;
  Life life(rules);
  live(life, {{360, "start", status::ok, "running"},
              {370, "", status::ok, "running for 10m"},
              {375, "beat", status::ok, "running for 15m"},
              {380.9, "", status::ok, "running"},
              {381, "", status::critical, "silent for 6m, running since 2026-01-01T06:00:00Z"},
              {382, "beat", status::ok, "running"},
              {386, "beat", status::ok, "running"},
              {391, "success", status::ok, "took 31m"}});
}

TEST_CASE("a failure stays until a success, with its code and what it said last", "[heartbeat]") {
  Life life(calendar_rules(hour));
  live(life, {{60, "start", status::ok, "running"},
              {61, "fail", status::critical, "failed with exit code 3 at 2026-01-01T01:01:00Z: broke"},
              {120, "start", status::critical, "failed with exit code 3"},
              {121, "success", status::ok, "last success"}});
  CHECK(life.state.failures == 1);
  CHECK(life.state.runs == 2);
}

TEST_CASE("an exit code other than 0 is a failure whatever the word", "[heartbeat]") {
  Life life(calendar_rules(hour));
  life.happens(60, Signal::success, 7);
  CHECK(life.look(60).status == status::critical);
}

TEST_CASE("runs that are too close warn until the span is over", "[heartbeat]") {
  Rules rules = calendar_rules(6 * hour);
  rules.not_more_often = hour;
  Life life(rules);
  live(life, {{360, "start", status::ok, "running"},
              {365, "success", status::ok, "last success"},
              {370, "start", status::warning, "run again after 10m, not more often than every 1h"},
              {375, "success", status::warning, "run again after 10m"},
              {429.9, "", status::warning, "run again"},
              {430, "", status::ok, "last success"}});
}

TEST_CASE("a start while a run is open is told until the next start", "[heartbeat]") {
  Life life(calendar_rules(hour));
  live(life, {{60, "start", status::ok, "running"},
              {120, "start", status::warning, "started while the run of 2026-01-01T01:00:00Z had not ended"},
              {121, "success", status::warning, "started while"},
              {180, "start", status::ok, "running"}});
}

TEST_CASE("with a duration the next run is due from the last one on", "[heartbeat]") {
  Life life(duration_rules(6 * hour));
  live(life,
       {{1, "", status::ok, "waiting for the first run"},
        {30, "success", status::ok, "last success 0s ago"},
        {395.9, "", status::ok, "last success 6h5m ago"},
        {396, "", status::critical, "late: the run due at 2026-01-01T06:30:00Z has not reported, 6m ago"},
        {755.9, "", status::critical, "T06:30:00Z"},
        {756, "", status::critical, "T12:30:00Z"},
        {800, "success", status::ok, "last success"},
        {1165, "", status::ok, "last success"}});
  CHECK(life.state.missed == 2);
}

TEST_CASE("with a duration starts are compared with starts, not with ends", "[heartbeat]") {
  Life life(duration_rules(hour));
  live(life, {{30, "start", status::ok, "running"},
              {70, "success", status::ok, "took 40m"},
              {95.9, "", status::ok, "last success"},
              {96, "", status::critical, "late: the run due at 2026-01-01T01:30:00Z has not started"}});
}

TEST_CASE("a run that starts a little early answers the coming slot", "[heartbeat]") {
  Life life(calendar_rules(hour));
  live(life, {{59.5, "start", status::ok, "running"},
              {61, "success", status::ok, "last success"},
              {66, "", status::ok, "last success"},
              {126, "", status::critical, "late: the run due at 2026-01-01T02:00:00Z"}});
}

TEST_CASE("a run before its time does not count for the coming slot", "[heartbeat]") {
  Life life(calendar_rules(hour));
  live(life, {{30, "start", status::ok, "running"},
              {31, "success", status::ok, "last success"},
              {66, "", status::critical, "late: the run due at 2026-01-01T01:00:00Z"}});
}

TEST_CASE("a run that was due while nobody looked is unknown, not late", "[heartbeat]") {
  Life life(calendar_rules(hour));
  life.happens(60, Signal::success);
  const Judgement judgement = judge(life.state, at_minute(170), life.rules);
  CHECK(judgement.status == status::unknown);
  CHECK(judgement.summary ==
        "the run due at 2026-01-01T02:00:00Z may have been missed: nobody looked at the time");
  CHECK(life.state.missed == 0);
  live(life, {{180, "success", status::ok, "last success"}});
}

TEST_CASE("a run whose report may have been lost while the agent was down is unknown, another one is late", "[heartbeat]") {
  // looked at in minute 110; due at 120, given up at 126
  auto [stop, start, expected] = GENERATE(table<double, double, status>({{118, 122, status::unknown},    // over the slot
                                                                         {121, 121.5, status::unknown},  // after it, before the deadline
                                                                         {125.5, 126.2, status::unknown},  // over the deadline
                                                                         {111, 112, status::critical},   // long before
                                                                         {127, 128, status::critical}}));  // after it was late
  Life life(calendar_rules(hour));
  life.happens(60, Signal::success);
  life.look(stop);
  note_agent_start(life.state, at_minute(start));
  life.look(start);
  note_agent_start(life.state, at_minute(start));  // told with each call
  CHECK(life.look(130).status == expected);
  CHECK(life.state.missed == (expected == status::critical ? 1U : 0U));
  live(life, {{180, "success", status::ok, "last success"}, {246, "", status::critical, "late: the run due at 2026-01-01T04:00:00Z"}});
}

TEST_CASE("an exit code of a shell names the signal", "[heartbeat]") {
  auto [code, expected] = GENERATE(table<int, std::string>({{137, "failed with exit code 137 (128 + SIGKILL) at "},
                                                            {143, "failed with exit code 143 (128 + SIGTERM) at "},
                                                            {128, "failed with exit code 128 at "},
                                                            {255, "failed with exit code 255 at "},
                                                            {1, "failed with exit code 1 at "}}));
  Life life(calendar_rules(hour));
  life.happens(60, Signal::success, code);
  CHECK(life.look(61).summary.find(expected) == 0);
}

TEST_CASE("a lost start does not make the next run late", "[heartbeat]") {
  Rules rules = calendar_rules(hour);
  rules.max_run = 20 * minute;
  Life life(rules);
  live(life, {{60, "start", status::ok, "running"},
              {65, "success", status::ok, "took 5m"},
              {122, "success", status::ok, "last success"},
              {185, "", status::ok, "last success"},
              {206, "", status::critical, "late: the run due at 2026-01-01T03:00:00Z has not reported"}});
}

TEST_CASE("a job that only says that it lives is late when it falls silent", "[heartbeat]") {
  Life life(duration_rules(10 * minute));
  live(life, {{5, "beat", status::ok, "alive 0s ago"},
              {15, "beat", status::ok, "alive 0s ago"},
              {30.9, "", status::ok, "alive 15m54s ago"},
              {31, "", status::critical, "late"}});
}

TEST_CASE("a clock that is set back by much is believed", "[heartbeat]") {
  Life life(duration_rules(hour));
  life.happens(5000, Signal::success);
  const Judgement judgement = judge(life.state, at_minute(100), life.rules);
  CHECK(judgement.status == status::ok);
  CHECK(judgement.due == at_minute(166));
}

TEST_CASE("a calendar without further slots expects nothing", "[heartbeat]") {
  Rules rules = calendar_rules(hour);
  rules.next = [](Nanos) { return std::optional<Nanos>(); };
  Life life(rules);
  const Judgement judgement = life.look(10000);
  CHECK(judgement.status == status::ok);
  CHECK(judgement.due == 0);
}
