// SPDX-License-Identifier: Apache-2.0
// Rules over history.
#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;

namespace {

Given day_of_errors() {
  Given view;
  view.set_interval("api", 30 * second);
  GivenSeries series{"api", "error_rate", {{}, "ratio", measure::Shape::gauge}, {}, {}};
  for (int i = 0; i < 2880; ++i) {
    const bool bad = (i >= 100 && i < 120) || (i >= 1000 && i < 1010);
    series.points.push_back({monday + i * 30 * second, bad ? (i < 110 ? 0.02 : 0.08) : 0.0});
  }
  view.add_statuses("api", points(monday, 30 * second, std::vector<double>(2880, 0)));
  view.add(std::move(series));
  return view;
}

}  // namespace

TEST_CASE("a backtest tells how often each level would have been reached, and for how long", "[rule]") {
  const Rules rules(check("api") + "[alert.errors]\np1 = \"api.error_rate > 5%\"\np2 = \"api.error_rate > 1%\"\n");
  const Backtest out = backtest(rules["errors"], rules.set.facts, day_of_errors(), monday, monday + day - 30 * second);
  CHECK(out.fired == 2);
  CHECK(out.reached[0] == 2);
  CHECK(out.reached[1] == 1);
  CHECK(out.time_ns[0] == 600 * second);
  CHECK(out.time_ns[1] == 300 * second);
  CHECK_FALSE(out.replay.is_cut);
}

TEST_CASE("history knows nothing of what came after an instant", "[rule]") {
  const Given view = day_of_errors();
  Past past(view);
  past.move_to(monday + hour);
  CHECK(past.check("api")->last_result_ns == monday + hour);
  CHECK(past.points(0, monday, monday + day).size() == 120);
  CHECK(past.statuses("api", monday, monday + day).size() == 120);
  past.move_to(monday - 1);
  CHECK_FALSE(past.check("api"));
}

TEST_CASE("a task is as old at each instant as its ends of before say, in a backtest too", "[rule]") {
  const Rules rules("[task.dump]\nuse = \"a.b\"\nat = \"*-*-* 03:00\"\n[alert.old]\np2 = \"age(task.dump) > 26h\"\n");
  Given view;
  // it succeeds at 3:00 of three days, fails at that of the fourth, and again on the fifth
  view.add_statuses("task.dump", points(monday + 3 * hour, day, {0, 0, 0, 2, 0}));
  const Backtest out = backtest(rules["old"], rules.set.facts, view, monday + 4 * hour, monday + 5 * day);
  CHECK(told(out.replay.changes, monday) == std::vector<std::string>{"3d5h fired p2", "4d3h resolved"});
  Past past(view);
  past.move_to(monday + 2 * hour);
  CHECK_FALSE(past.task_last_success_ns("dump"));
  past.move_to(monday + 80 * hour);
  CHECK(past.task_last_success_ns("dump") == monday + 51 * hour);
  // what the agent remembers beyond what is kept
  view.add_task("dump", monday - day);
  Past longer(view);
  longer.move_to(monday + 2 * hour);
  CHECK(longer.task_last_success_ns("dump") == monday - day);
}

TEST_CASE("a task that never succeeded is as old as it is known", "[rule]") {
  const Rules rules("[task.dump]\nuse = \"a.b\"\nat = \"*-*-* 03:00\"\n[alert.old]\np2 = \"age(task.dump) > 26h\"\n");
  Given view;
  view.add_unsuccessful_task("dump", monday);
  view.add_statuses("task.dump", points(monday + 3 * hour, day, {2, 2}));
  const Backtest out = backtest(rules["old"], rules.set.facts, view, monday - hour, monday + 2 * day);
  CHECK(told(out.replay.changes, monday) == std::vector<std::string>{"-58m59s999ms no_data", "0s data_back", "1d2h fired p2"});
}

TEST_CASE("what is usual is made of the hours of weeks before, and stands still from when the condition holds", "[rule]") {
  const Rules rules(check("shop") + "[alert.few]\np2 = \"ratio(shop.orders, baseline(shop.orders)) < 50%\"\n");
  constexpr std::int64_t week = 7 * day;
  Given view;
  schedule::ZoneDatabase zones;
  view.use_zone(*zones.find("UTC"));
  view.set_interval("shop", 30 * second);
  GivenSeries orders{"shop", "orders", {{}, "", measure::Shape::gauge}, {}, {}};
  // 100 an hour in the weeks before, from noon on 40; of the week in which it is looked at, hours were few already
  for (std::int64_t at = monday - 3 * week; at < monday; at += hour) orders.hours.push_back({at, 100});
  for (int i = 0; i < 2880; ++i) orders.points.push_back({monday + i * 30 * second, i < 1440 ? 90.0 : 40.0});
  view.add_statuses("shop", points(monday, 30 * second, std::vector<double>(2880, 0)));
  view.add(std::move(orders));
  const Backtest out = backtest(rules["few"], rules.set.facts, view, monday, monday + day - 30 * second);
  CHECK(told(out.replay.changes, monday) == std::vector<std::string>{"12h fired p2"});
  // hours of one week say nothing of what is usual
  Given young;
  young.use_zone(*zones.find("UTC"));
  GivenSeries few{"shop", "orders", {{}, "", measure::Shape::gauge}, {{monday, 1}}, {}};
  few.hours = points(monday - week, hour, std::vector<double>(168, 100));
  young.add(std::move(few));
  CHECK_FALSE(young.baseline(0, monday, 0));
  CHECK(view.baseline(0, monday, 0) == 100);
}

TEST_CASE("windows of more than a day are answered from five-minute stretches of the same history", "[rule]") {
  Given view;
  view.set_interval("api", minute);
  GivenSeries series{"api", "total", {{}, "s", measure::Shape::gauge}, {}, {}};
  for (int i = 0; i < 3 * 1440; ++i) series.points.push_back({monday + i * minute, i % 2 == 0 ? 0.1 : 0.3});
  const std::int64_t last = series.points.back().at_ns;
  view.add(std::move(series));
  view.add_statuses("api", points(monday, minute, std::vector<double>(3 * 1440, 0)));
  Facts facts;
  facts.checks.emplace_back();
  facts.checks.back().name = "api";
  const Finding found = ask("avg(api.total, 2d) > 190ms and avg(api.total, 2d) < 210ms", view, last, facts);
  CHECK(found.truth == Truth::yes);
}

TEST_CASE("points that stand for a stretch are as many, begin and end as it did, and keep what was worst", "[rule]") {
  measure::Rollup rollup;
  const std::vector<double> values = {0.1, 0.2, 0.9, 0.0, 0.2, 0.2};
  for (std::size_t i = 0; i < values.size(); ++i)
    store::add(rollup, {monday + static_cast<std::int64_t>(i) * 30 * second, values[i]}, measure::Shape::gauge);
  const auto points = spread(rollup, false);
  REQUIRE(points.size() == values.size());
  CHECK(points.front() == measure::Point{monday, 0.1});
  CHECK(points.back() == measure::Point{monday + 150 * second, 0.2});
  CHECK(points[3].at_ns == monday + 90 * second);
  CHECK(std::ranges::max(points, {}, &measure::Point::value).value == 0.9);
  CHECK(std::ranges::min(points, {}, &measure::Point::value).value == 0.0);
  measure::Rollup status;
  for (const auto& [at, value] : {std::pair(0, 0.0), {30, 2.0}, {60, 0.0}, {90, 0.0}})
    store::add(status, {monday + at * second, value}, measure::Shape::gauge);
  const auto statuses = spread(status, true);
  CHECK(std::ranges::count(statuses, 2.0, &measure::Point::value) == 1);
  CHECK(std::ranges::count(statuses, 0.0, &measure::Point::value) == 3);
  CHECK(spread({}, false).empty());
}
