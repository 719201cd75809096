// SPDX-License-Identifier: Apache-2.0
#include "rule/evaluate.hpp"

#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;
using measure::Shape;

namespace {

/// Check `api`: every 30 s from monday on, the last result at +5 m.
struct World {
  World() {
    CheckFacts api;
    api.name = "api";
    api.patience_ns = 50 * second;
    facts.checks = {api, api, api};
    facts.checks[1].name = "db";
    facts.checks[2].name = "calendar";
    facts.checks[2].patience_ns = 0;
    facts.tasks = {"dump"};
    facts.sort();
    view.set_interval("api", 30 * second);
    add("error_rate", "ratio", {0, 0, 0, 0, 0, 0, 0, 0, 0, 0.02, 0.06});
    add("total", "s", {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.7});
    add("hits", "", {0, 30, 60, 90, 120, 150, 10, 40, 70, 100, 130}, {}, Shape::counter);
    add("used", "ratio", std::vector<double>(11, 0.5), {{"mount", "/"}});
    add("used", "ratio", std::vector<double>(11, 0.95), {{"mount", "/var"}});
    add("bytes", "B", std::vector<double>(11, 3e9));
    add("plain", "", std::vector<double>(11, 7));
    add("duration", "s", std::vector<double>(11, 0.25));
    statuses("api", {0, 0, 0, 2, 0, 2, 2, 3, 1, 2, 2});
  }
  void add(const std::string& metric, const std::string& unit, const std::vector<double>& values, measure::Labels labels = {},
           Shape shape = Shape::gauge) {
    GivenSeries series{"api", metric, {std::move(labels), unit, shape}, points(monday, 30 * second, values), {}};
    if (metric == "total") series.baseline = 0.2;
    if (metric == "hits") series.baseline = 0.4;
    view.add(std::move(series));
  }
  void statuses(const std::string& check, const std::vector<double>& values) {
    view.add_statuses(check, points(monday, 30 * second, values));
  }
  Finding ask(const std::string& text, std::int64_t at = 5 * minute, std::uint32_t least = 1) {
    return test::ask(text, view, monday + at, facts, least);
  }
  std::string truth(const std::string& text, std::int64_t at = 5 * minute) { return std::string(truth_name(ask(text, at).truth)); }

  Given view;
  Facts facts;
};

}  // namespace

TEST_CASE("a metric is compared in base units, and the reason has value and limit", "[rule]") {
  World world;
  const Finding yes = world.ask("api.error_rate > 5%");
  CHECK(yes.truth == Truth::yes);
  CHECK(yes.reason == "api.error_rate is 6%, above 5%");
  CHECK(yes.value == Approx(0.06));
  CHECK(yes.newest_result_ns == monday + 5 * minute);
  CHECK(yes.next_ns == monday + 5 * minute + 50 * second + 1);
  CHECK(world.ask("api.error_rate < 5%").reason == "api.error_rate is 6%, not below 5%");
  CHECK(world.truth("api.bytes > 2GiB") == "yes");
  CHECK(world.truth("api.total >= 700ms") == "yes");
  CHECK(world.truth("api.total > 700ms") == "no");
  CHECK(world.truth("api.plain == 7") == "yes");
  CHECK(world.truth("api.plain != 7") == "no");
}

TEST_CASE("without a label the worst series is compared, by the direction of the comparison", "[rule]") {
  World world;
  CHECK(world.ask("api.used > 90%").reason == "api.used [mount=\"/var\"] is 95%, above 90%");
  CHECK(world.ask("api.used < 60%").reason == "api.used [mount=\"/\"] is 50%, below 60%");
  CHECK(world.ask("api.used > 99%").reason == "api.used [mount=\"/var\"] is 95%, not above 99%");
  CHECK(world.truth("api.used[mount=\"/\"] > 90%") == "no");
  CHECK(world.truth("api.used[mount='/var'] > 90%") == "yes");
  CHECK(world.ask("api.used[mount=\"/home\"] > 90%").reason == "the last result of `api` has no `used`");
}

TEST_CASE("functions over time are computed over their window", "[rule]") {
  World world;
  CHECK(world.ask("avg(api.total, 1m) > 500ms").reason == "avg(api.total, 1m) is 0.55s, above 500ms");
  CHECK(world.truth("max(api.error_rate, 5m) > 5%") == "yes");
  CHECK(world.truth("min(api.error_rate, 1m) > 5%") == "no");
  CHECK(world.truth("sum(api.plain, 1m) == 14") == "yes");
  CHECK(world.truth("p95(api.total, 5m) > 600ms") == "yes");
  CHECK(world.truth("p50(api.total, 5m) < 200ms") == "yes");
  CHECK(world.truth("p95(api.duration, 5m) < 300ms") == "yes");
  CHECK(world.truth("rate(api.hits, 1m) > 0.9/s") == "yes");
  CHECK(world.truth("rate(api.hits, 1m) > 61/m") == "no");
  CHECK(world.truth("baseline(api.hits) > 0.3/s") == "yes");
  CHECK(world.truth("ratio(rate(api.hits, 1m), baseline(api.hits)) > 200%") == "yes");  // what a counter is usually is a rate
  CHECK(world.truth("rate(api.hits, 1m) < baseline(api.hits)") == "no");
  CHECK(world.truth("count(api.error_rate, 2m) == 4") == "yes");
  CHECK(world.truth("count(api.error_rate > 1%, 5m) == 2") == "yes");
  CHECK(world.truth("count(api.status == critical, 5m) == 5") == "yes");
  CHECK(world.truth("count(api.status, 5m) == 10") == "yes");
  CHECK(world.ask("ratio(avg(api.total, 1m), avg(api.total, 5m)) > 2").reason ==
        "ratio(avg(api.total, 1m), avg(api.total, 5m)) is 289.47%, above 2");
  CHECK(world.truth("ratio(count(api.status == critical, 5m), count(api.status, 5m)) >= 50%") == "yes");
  CHECK(world.truth("trend(api.total, 5m) >= 0") == "yes");
  CHECK(world.ask("api.total > baseline(api.total)").reason == "api.total is 0.7s, above baseline(api.total), which is 0.2s");
}

TEST_CASE("what cannot be known is unknown and says why", "[rule]") {
  World world;
  const auto unknown = [&](const std::string& text, std::int64_t at = 5 * minute, std::uint32_t least = 1) {
    const Finding found = world.ask(text, at, least);
    CHECK(found.truth == Truth::unknown);
    return found.reason;
  };
  CHECK(unknown("api.none > 5") == "the last result of `api` has no `none`");
  CHECK(unknown("avg(api.none, 5m) > 5") == "no samples of `api.none` in 5m");
  CHECK(unknown("db.rows > 5") == "no result of `db` yet");
  CHECK(unknown("db.status == critical") == "no result of `db` yet");
  CHECK(unknown("api.plain > 80%") == "`api.plain` has no unit, which cannot be compared with \"80%\"; write for example 5");
  CHECK(unknown("api.total > 5") == "`api.total` is in \"s\", which cannot be compared with \"5\"; write for example 500ms");
  CHECK(unknown("baseline(api.plain) > 5") == "too little history for the baseline of `api.plain`");
  CHECK(unknown("trend(api.total, 1h) > 5") == "too few samples of `api.total` in 1h: 11");
  CHECK(unknown("avg(api.total, 2m) > 1s", 5 * minute, 5) == "too few samples of `api.total` in 2m: 4");
  CHECK(unknown("ratio(api.plain, count(api.none, 5m)) > 1") == "`count(api.none, 5m)` is 0: nothing can be divided by it");
  CHECK(unknown("age(task.dump) > 26h") == "task `dump` has not succeeded yet");
}

TEST_CASE("a check with no result for interval, timeout and ten seconds is unknown, never ok", "[rule]") {
  World world;
  CHECK(world.truth("api.status != ok", 5 * minute + 50 * second) == "yes");
  CHECK(world.truth("api.error_rate < 1%", 5 * minute + 50 * second) == "no");
  const std::int64_t late = 5 * minute + 50 * second + 1;
  for (const char* text : {"api.status == critical", "api.status != ok", "api.status == ok", "api.error_rate < 1%",
                           "avg(api.total, 5m) > 0", "count(api.status == critical, 1h) > 1", "api.duration > 0"}) {
    INFO(text);
    const Finding found = world.ask(text, late);
    CHECK(found.truth == Truth::unknown);
    CHECK(found.reason == "no result of `api` for 50s");
    CHECK_FALSE(found.pending);
  }
  CHECK(world.truth("api.status == unknown", late) == "yes");
  CHECK(world.truth("api.age > 45s", late) == "yes");
  CHECK(world.ask("db.status == critical").pending);
}

TEST_CASE("a status that is unknown is itself and never ok; whether it hides more is not known", "[rule]") {
  World world;
  const std::int64_t at = 3 * minute + 30 * second;  // the eighth result
  const auto [text, truth] = GENERATE(table<std::string, std::string>({{"== ok", "no"},
                                                                       {"!= ok", "yes"},
                                                                       {"== unknown", "yes"},
                                                                       {"!= unknown", "no"},
                                                                       {"== critical", "unknown"},
                                                                       {"!= critical", "unknown"},
                                                                       {"== warning", "unknown"},
                                                                       {">= warning", "yes"},
                                                                       {">= critical", "unknown"},
                                                                       {"< critical", "unknown"},
                                                                       {"<= critical", "yes"},
                                                                       {"> critical", "no"},
                                                                       {"== pending", "no"}}));
  INFO(text);
  CHECK(world.truth("api.status " + text, at) == truth);
}

TEST_CASE("statuses are ordered as `ronda status` ranks them", "[rule]") {
  World world;
  CHECK(world.truth("api.status > unknown") == "yes");
  CHECK(world.truth("api.status >= warning", 4 * minute) == "yes");
  CHECK(world.truth("api.status >= unknown", 4 * minute) == "no");
}

TEST_CASE("and, or and not are Kleene's", "[rule]") {
  World world;
  const std::string yes = "api.plain == 7", no = "api.plain == 8", unknown = "db.rows > 5";
  CHECK(world.truth(yes + " and " + unknown) == "unknown");
  CHECK(world.truth(no + " and " + unknown) == "no");
  CHECK(world.truth(unknown + " and " + no) == "no");
  CHECK(world.truth(yes + " or " + unknown) == "yes");
  CHECK(world.truth(unknown + " or " + yes) == "yes");
  CHECK(world.truth(no + " or " + unknown) == "unknown");
  CHECK(world.truth("not " + unknown) == "unknown");
  CHECK(world.truth("not " + yes) == "no");
  CHECK(world.truth("not (" + no + " or " + no + ")") == "yes");
  CHECK(world.ask(yes + " and api.bytes > 1GB").reason == "api.plain is 7, equal to 7; api.bytes is 2.794GiB, above 1GB");
}

TEST_CASE("an age passes its limit by time alone, and tells when", "[rule]") {
  World world;
  world.view.add_task("dump", monday);
  const Finding before = world.ask("age(task.dump) > 26h", hour);
  CHECK(before.truth == Truth::no);
  CHECK(before.reason == "age(task.dump) is 1h, not above 26h");
  CHECK(before.next_ns == monday + 26 * hour + 1);
  CHECK(world.truth("age(task.dump) > 26h", 26 * hour) == "no");
  CHECK(world.truth("age(task.dump) > 26h", 26 * hour + 1) == "yes");
  CHECK(world.ask("api.age > 5m", 6 * minute).next_ns == monday + 10 * minute + 1);
}

TEST_CASE("a label that did not come with the last result is not compared", "[rule]") {
  World world;
  world.add("procs", "", std::vector<double>(5, 100), {{"name", "gone"}});
  world.add("procs", "", std::vector<double>(11, 3), {{"name", "here"}});
  CHECK(world.truth("api.procs > 50") == "no");
  CHECK(world.truth("api.procs[name=\"gone\"] > 50") == "unknown");
}

TEST_CASE("a metric with more series than are looked at is unknown", "[rule]") {
  World world;
  for (std::size_t i = 0; i <= most_series; ++i) world.add("many", "", {}, {{"n", std::to_string(i)}});
  CHECK(world.ask("api.many > 1").reason == "`api.many` has 1001 series, more than 1000");
}

TEST_CASE("explain has a step for each part, and no reason is longer than its bound", "[rule]") {
  World world;
  std::vector<Step> steps;
  test::ask("api.plain == 7 and not (api.status == ok or db.rows > 5)", world.view, monday + 5 * minute, world.facts, 1, &steps);
  std::vector<std::string> lines;
  for (const Step& step : steps) lines.push_back(std::string(truth_name(step.truth)) + ": " + step.text);
  CHECK(lines == std::vector<std::string>{"yes: api.plain is 7, equal to 7", "no: api.status is critical", "unknown: no result of `db` yet",
                                          "unknown: no result of `db` yet", "unknown: no result of `db` yet",
                                          "unknown: no result of `db` yet"});
  world.add("wide", "", std::vector<double>(11, 1), {{"path", std::string(5000, 'x') + "\x1b[31m"}});
  const Finding wide = world.ask("api.wide > 0");
  CHECK(wide.reason.size() <= most_reason);
  CHECK(wide.reason.find('\x1b') == std::string::npos);
}
