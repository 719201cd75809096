// SPDX-License-Identifier: Apache-2.0
// The ladder by tables: values every 30 s go in, what it tells comes out.
#include "rule/ladder.hpp"

#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;

namespace {

using Lines = std::vector<std::string>;

/// error_rate of check `api` every 30 s, in per cent; below 0: no result then.
Given history(const std::vector<double>& values) {
  Given view;
  view.set_interval("api", 30 * second);
  GivenSeries series{"api", "error_rate", {{}, "ratio", measure::Shape::gauge}, {}, 0.01};
  std::vector<measure::Point> statuses;
  for (const measure::Point& point : points(monday, 30 * second, values)) {
    if (point.value < 0) continue;
    series.points.push_back({point.at_ns, point.value / 100});
    statuses.push_back({point.at_ns, 0});
  }
  view.add(std::move(series));
  view.add_statuses("api", std::move(statuses));
  return view;
}

Replay climb(const std::string& alert, const std::vector<double>& values, std::int64_t until = 0) {
  const Rules rules(check("api") + "[alert.errors]\n" + alert);
  const std::int64_t end = until != 0 ? until : 30 * second * static_cast<std::int64_t>(values.size() - 1);
  return replay(rules["errors"], rules.set.facts, history(values), monday, monday + end);
}

Lines trace(const std::string& alert, const std::vector<double>& values, std::int64_t until = 0) {
  return told(climb(alert, values, until).changes, monday);
}

std::vector<double> repeat(std::initializer_list<std::pair<double, int>> runs) {
  std::vector<double> out;
  for (const auto& [value, times] : runs) out.insert(out.end(), static_cast<std::size_t>(times), value);
  return out;
}

const std::string two_levels = "p1 = \"api.error_rate > 5%\"\np2 = \"api.error_rate > 1%\"\n";

}  // namespace

TEST_CASE("one measurement, one ladder: the highest level that holds wins, a change of level is the same alert", "[rule]") {
  const Replay out = climb(two_levels, {0, 2, 2, 6, 6, 2, 0});
  CHECK(told(out.changes, monday) == Lines{"30s fired p2", "1m30s level_changed p1", "2m30s level_changed p2", "3m resolved"});
  const Change& raised = out.changes.at(1);
  CHECK(raised.alert == "errors");
  CHECK(raised.check == "api");
  CHECK(raised.from == Level::p2);
  CHECK(raised.reason == "api.error_rate is 6%, above 5%");
  CHECK(raised.value == Approx(0.06));
  CHECK(raised.since_ns == monday + 90 * second);
}

TEST_CASE("a level counts after its own `for`, to the instant", "[rule]") {
  const std::string alert = two_levels + "for = { p1 = \"45s\", p2 = \"2m\" }\n";
  // the look at 45 s is asked for by the state: there is no result then
  CHECK(trace(alert, {6, 6, 6, 6, 6}) == Lines{"45s fired p1"});
  CHECK(trace(alert, {6, 0, 6, 0, 6, 0}).empty());
  CHECK(trace(alert, {2, 2, 2, 2, 2, 2}) == Lines{"2m fired p2"});
  CHECK(trace(alert, {2, 2, 2, 2, 2, 6, 6, 6}) == Lines{"2m fired p2", "3m15s level_changed p1"});
}

TEST_CASE("one `clear` ends the alert, and until it holds the last level stays", "[rule]") {
  const std::string alert = two_levels + "clear = \"api.error_rate < 0.5%\"\n";
  CHECK(trace(alert, {6, 0.7, 0.7, 0.7}) == Lines{"0s fired p1"});
  CHECK(trace(alert, {6, 2, 0.7, 0.4}) == Lines{"0s fired p1", "30s level_changed p2", "1m30s resolved"});
  CHECK(climb(alert, {6, 2, 0.7, 0.4}).changes.back().reason == "api.error_rate is 0.4%, below 0.5%");
}

TEST_CASE("a level with its own `clear` is left only when that holds", "[rule]") {
  const std::string alert = two_levels + "clear = { p1 = \"api.error_rate < 3%\" }\n";
  CHECK(trace(alert, {6, 4, 4, 2, 0}) == Lines{"0s fired p1", "1m30s level_changed p2", "2m resolved"});
  CHECK(trace(alert, {6, 4, 4, 0}) == Lines{"0s fired p1", "1m30s resolved"});
}

TEST_CASE("keep_firing_for: what ends a level must hold so long without a break", "[rule]") {
  const std::string alert = two_levels + "keep_firing_for = \"1m\"\n";
  CHECK(trace(alert, {6, 0, 0, 0, 0}) == Lines{"0s fired p1", "1m30s resolved"});
  CHECK(trace(alert, {6, 0, 6, 0, 6, 0, 0, 0}) == Lines{"0s fired p1", "3m30s resolved"});
  CHECK(trace(alert, {6, 2, 2, 2, 0, 0, 0}) == Lines{"0s fired p1", "1m30s level_changed p2", "3m resolved"});
  CHECK(trace(alert + "clear = \"api.error_rate < 0.5%\"\n", {6, 0, 0.7, 0, 0, 0}) == Lines{"0s fired p1", "2m30s resolved"});
}

TEST_CASE("3 of 5 counts results, not looks", "[rule]") {
  const std::string alert = "p1 = \"api.error_rate > 5%\"\nfor = \"3 of 5\"\n";
  CHECK(trace(alert, {6, 0, 6, 0, 6, 0, 0, 0}) == Lines{"2m fired p1", "2m30s resolved"});
  CHECK(trace(alert, {6, 0, 0, 6, 0, 0, 6, 0, 0}).empty());
  CHECK(trace(alert, {6, 6, 0, 0, 0}).empty());
  // what is looked at between the results counts nothing
  CHECK(trace(alert, {6, -1, -1, 6, -1, -1}) == Lines{"50s no_data", "1m30s data_back", "2m20s no_data"});
}

TEST_CASE("no_data: what nothing is known of neither fires nor resolves, is told once, and its return too", "[rule]") {
  const auto values = repeat({{6, 2}, {-1, 5}, {6, 1}, {0, 1}});
  CHECK(trace("p1 = \"api.error_rate > 5%\"\n", values) == Lines{"0s fired p1", "1m20s no_data p1", "3m30s data_back p1", "4m resolved"});
  CHECK(trace("p1 = \"api.error_rate > 5%\"\nno_data = \"ok\"\n", values) == Lines{"0s fired p1", "1m20s resolved", "3m30s fired p1"});
  CHECK(trace("p1 = \"api.error_rate > 5%\"\nno_data = \"p2\"\n", values) == Lines{"0s fired p1", "4m resolved"});
}

TEST_CASE("no_data of a level without a condition fires there, after its own `for`", "[rule]") {
  const auto values = repeat({{0, 2}, {-1, 8}, {0, 2}});
  const std::string alert = "p1 = \"api.error_rate > 5%\"\nno_data = \"p3\"\n";
  const Replay out = climb(alert, values);
  CHECK(told(out.changes, monday) == Lines{"1m20s fired p3", "5m resolved"});
  CHECK(out.changes.at(0).reason == "no result of `api` for 50s");
  CHECK(trace(alert + "for = { p3 = \"2m\" }\n", values) == Lines{"3m20s fired p3", "5m resolved"});
  CHECK(trace(alert + "for = { p3 = \"3 of 5\" }\n", values) == Lines{"1m20s fired p3", "5m resolved"});
}

TEST_CASE("unknown neither counts for `for` nor breaks it", "[rule]") {
  // known from 0 s to 1 m 20 s (patience) and from 3 m on: 80 s and the rest of two minutes
  CHECK(trace("p1 = \"api.error_rate > 5%\"\nfor = \"2m\"\n", repeat({{6, 2}, {-1, 4}, {6, 4}})) ==
        Lines{"1m20s no_data", "3m data_back", "3m40s fired p1"});
}

TEST_CASE("before the first result nothing is told for as long as one may take", "[rule]") {
  CHECK(trace("p1 = \"api.error_rate > 5%\"\n", repeat({{-1, 1}, {6, 2}})) == Lines{"30s fired p1"});
  CHECK(trace("p1 = \"api.error_rate > 5%\"\n", {-1, -1, -1, -1}) == Lines{"1m no_data"});
}

TEST_CASE("a window that has too few samples yet is waited for as long as it is, and told then", "[rule]") {
  // none at all in the first two minutes, then every 30 s: half of the window is covered at 4 m 30 s
  CHECK(trace("p1 = \"avg(api.error_rate, 5m) > 5%\"\n", repeat({{6, 20}})) == Lines{"2m fired p1"});
  CHECK(trace("p1 = \"trend(api.error_rate, 5m) > 5%\"\nmin_samples = 30\n", repeat({{6, 15}})) == Lines{"6m no_data"});
}

TEST_CASE("explain shows every condition with its parts", "[rule]") {
  const Rules rules(check("api") + "[alert.errors]\n" + two_levels + "clear = \"api.error_rate < 0.5%\"\n");
  const Given view = history({2});
  const auto all = explain(rules["errors"], {}, rules.set.facts, view, monday);
  REQUIRE(all.size() == 3);
  CHECK(all[0].level == Level::p1);
  CHECK(all[0].finding.truth == Truth::no);
  CHECK(all[1].steps.at(0).text == "api.error_rate is 2%, above 1%");
  CHECK(all[2].is_clear);
  CHECK(all[2].condition->text == "api.error_rate < 0.5%");
}

TEST_CASE("an alert is blocked by the farthest parent that is critical, and judged anew by a result after that", "[rule]") {
  const Rules rules(check("network") + check("gateway", "after = [\"network\"]\n") + check("api", "after = [\"gateway\"]\n") +
                    "[alert.down]\np1 = \"api.status == critical\"\n");
  CHECK(rules["down"].parents == std::vector<std::string>{"gateway", "network"});
  Given view;
  const auto every = [](const std::vector<double>& values, std::int64_t shift) { return points(monday + shift, 30 * second, values); };
  view.add_statuses("network", every({0, 0, 2, 2, 2, 0, 0, 0}, 0));
  view.add_statuses("gateway", every({0, 2, 2, 2, 2, 0, 0, 0}, 1 * second));
  view.add_statuses("api", every({0, 2, 2, 2, 2, 2, 2, 0}, 2 * second));
  const Replay out = replay(rules["down"], rules.set.facts, view, monday, monday + 4 * minute);
  CHECK(told(out.changes, monday) == Lines{"31s blocked by gateway", "1m blocked by network", "2m30s blocked by gateway",
                                           "2m31s unblocked by gateway", "2m32s fired p1", "3m32s resolved"});
}

TEST_CASE("an alert that fires and is then blocked is told as blocked, not as resolved", "[rule]") {
  const Rules rules(check("network") + check("api", "after = [\"network\"]\n") + "[alert.down]\np1 = \"api.status == critical\"\n");
  Given view;
  view.add_statuses("api", points(monday, 30 * second, {2, 2, 2, 0, 0}));
  view.add_statuses("network", points(monday + 10 * second, 30 * second, {0, 2, 2, 0, 0}));
  const Replay out = replay(rules["down"], rules.set.facts, view, monday, monday + 160 * second);
  CHECK(told(out.changes, monday).at(1) == "40s blocked by network");
  CHECK(out.changes.at(1).from == Level::p1);
  CHECK(out.changes.at(1).to == Level::none);
  CHECK(told(out.changes, monday).at(2) == "1m40s unblocked by network");
  // the result of 1 m 30 s is older than that; the next one is good
  CHECK(out.changes.size() == 3);
}

TEST_CASE("a check that the alert names itself does not block it", "[rule]") {
  const Rules rules(check("network") + check("api", "after = [\"network\"]\n") +
                    "[alert.down]\np1 = \"network.status == critical or api.status == critical\"\n");
  CHECK(rules["down"].parents.empty());
}

TEST_CASE("severity of a check is an alert on critical, with its `for`", "[rule]") {
  const Rules rules(check("api", "severity = \"p2\"\nfor = \"1m\"\n"));
  Given view;
  view.add_statuses("api", points(monday, 30 * second, {0, 2, 2, 2, 1}));
  const Replay out = replay(rules["api"], rules.set.facts, view, monday, monday + 150 * second);
  CHECK(told(out.changes, monday) == Lines{"1m30s fired p2", "2m resolved"});
  CHECK(out.changes.at(0).reason == "api.status is critical");
}

TEST_CASE("the baseline is frozen from when the first condition holds until none does and the alert has ended", "[rule]") {
  const std::string alert = "p2 = \"api.error_rate > 1%\"\nfor = \"1m\"\n";
  CHECK(climb(alert, {0, 2, 2, 2}).state.frozen_at_ns == monday + 30 * second);
  CHECK(climb(alert, {0, 2, 0}).state.frozen_at_ns == 0);
  CHECK(climb(alert, {0, 2, 2, 2, 0}).state.frozen_at_ns == 0);
}

TEST_CASE("a clock that jumps is no time that something held", "[rule]") {
  const Rules rules(check("api") + "[alert.errors]\np1 = \"api.error_rate > 5%\"\nfor = \"5m\"\n");
  Reading holds;
  holds.levels.resize(1);
  holds.levels[0].when.truth = Truth::yes;
  holds.newest_result_ns = monday;
  AlertState state;
  const auto look = [&](std::int64_t now) {
    holds.next_ns = now + 50 * second + 1;  // its patience
    Outcome out = advance(rules["errors"], state, holds, now);
    state = out.state;
    return out.changes.size();
  };
  CHECK(look(monday) == 0);
  CHECK(look(monday + 10 * 365 * day) == 0);
  CHECK(state.rungs[0].held_ns == 50 * second + 1);  // the patience of the check, not ten years
  CHECK(look(monday) == 0);
  CHECK(state.rungs[0].held_ns == 50 * second + 1);
  for (int i = 1; i <= 8; ++i) CHECK(look(monday + i * 30 * second) == 0);
  CHECK(look(monday + 9 * 30 * second) == 1);
}
