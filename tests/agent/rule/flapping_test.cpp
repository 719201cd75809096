// SPDX-License-Identifier: Apache-2.0
// How often an alert speaks when what it judges comes and goes (I1).
#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;

namespace {

std::size_t count(const std::vector<Change>& changes, What what) {
  return static_cast<std::size_t>(std::ranges::count(changes, what, &Change::what));
}

Replay statuses(const std::string& alert, const std::vector<double>& values, std::int64_t every = 30 * second) {
  std::string definition = check("api");
  if (every != 30 * second)
    definition = "[check.api]\nuse = \"a.b\"\nevery = \"" + format_duration(Nanos(every)) + "\"\ntimeout = \"10s\"\n";
  const Rules rules(definition + "[alert.down]\n" + alert);
  Given view;
  view.add_statuses("api", points(monday, every, values));
  return replay(rules["down"], rules.set.facts, view, monday, monday + every * static_cast<std::int64_t>(values.size() - 1));
}

const std::string down = "p1 = \"api.status == critical\"\n";

std::vector<double> alternating(std::size_t results, std::size_t bad, std::size_t good) {
  std::vector<double> out;
  for (std::size_t i = 0; i < results; ++i) out.push_back(i % (bad + good) < bad ? 2 : 0);
  return out;
}

constexpr std::size_t results_a_day = 2880;

}  // namespace

TEST_CASE("the weighted share of changes is Icinga's", "[rule]") {
  CHECK(flapping_share(0) == 0);
  CHECK(flapping_share(1) == Approx(1.15 / 20));
  CHECK(flapping_share(1U << 19) == Approx(0.8 / 20));
  CHECK(flapping_share(0xFFFFF) == Approx(0.975));
}

TEST_CASE("a check that flaps every interval for a day fires twice, and is resolved once it is quiet", "[rule]") {
  auto values = alternating(results_a_day, 1, 1);
  const Replay day_of_flapping = statuses(down, values);
  CHECK(told(day_of_flapping.changes, monday) == std::vector<std::string>{"0s fired p1", "30s resolved", "1m fired p1"});
  CHECK(day_of_flapping.state.flapping.on);
  CHECK(day_of_flapping.state.level == Level::p1);
  values.insert(values.end(), 25, 0);
  const Replay quiet = statuses(down, values);
  CHECK(count(quiet.changes, What::fired) == 2);
  REQUIRE(count(quiet.changes, What::resolved) == 2);
  // the first good result of the rest changes nothing: the last of the flapping was good; twenty without a change
  CHECK(quiet.changes.back().at_ns == monday + static_cast<std::int64_t>(results_a_day - 1 + 20) * 30 * second);
  CHECK_FALSE(quiet.state.flapping.holds());
}

TEST_CASE("whatever the rhythm of a day's flapping, an episode fires at most twice", "[rule]") {
  for (std::size_t bad = 1; bad <= 19; bad += 3) {
    for (std::size_t good = 1; good <= 19; good += 2) {
      INFO(bad << " bad, " << good << " good");
      const Replay out = statuses(down, alternating(results_a_day, bad, good));
      CHECK(count(out.changes, What::fired) == 2);
      CHECK(out.changes.size() <= 3);
    }
  }
}

TEST_CASE("levels that flap are held on the highest", "[rule]") {
  std::vector<double> values;
  for (std::size_t i = 0; i < results_a_day; ++i) values.push_back(i % 2 == 0 ? 1 : 2);
  const Replay out = statuses(down + "p3 = \"api.status >= warning\"\n", values);
  CHECK(told(out.changes, monday) ==
        std::vector<std::string>{"0s fired p3", "30s level_changed p1", "1m level_changed p3", "1m30s level_changed p1"});
}

TEST_CASE("data that comes and goes for a day is told a few times, not at every interval", "[rule]") {
  const Rules rules(check("api") + "[alert.slow]\np1 = \"api.total > 2s\"\n");
  Given view;
  GivenSeries series{"api", "total", {{}, "s", measure::Shape::gauge}, {}, {}};
  for (std::size_t i = 0; i < results_a_day; i += 2) series.points.push_back({monday + static_cast<std::int64_t>(i) * 30 * second, 0.1});
  view.add(std::move(series));
  view.add_statuses("api", points(monday, 30 * second, std::vector<double>(results_a_day, 0)));
  const Replay out = replay(rules["slow"], rules.set.facts, view, monday, monday + day);
  CHECK(out.changes.size() <= 4);
  CHECK(count(out.changes, What::no_data) == 2);
}

TEST_CASE("random flapping of a day: at most two rises between two times of quiet", "[rule]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const std::uint64_t often = pick(random, 2, 12);
    std::vector<double> values;
    double now = 0;
    for (std::size_t i = 0; i < results_a_day; ++i) values.push_back(now = random() % often == 0 ? 2 - now : now);
    const Replay out = statuses(down, values);
    std::size_t since_quiet = 0, quiet = 0;
    auto change = out.changes.begin();
    for (std::size_t i = 0; i < values.size(); ++i) {
      quiet = i > 0 && values[i] == values[i - 1] ? quiet + 1 : 0;
      const std::int64_t at = monday + static_cast<std::int64_t>(i) * 30 * second;
      for (; change != out.changes.end() && change->at_ns <= at; ++change) {
        if (change->what == What::fired) CHECK(++since_quiet <= 2);
      }
      if (quiet >= quiet_results) since_quiet = 0;
    }
  }
}

TEST_CASE("a check that runs once an hour is held for six hours, not for twenty runs; one that runs daily not at all", "[rule]") {
  auto hourly = alternating(48, 1, 1);
  hourly.insert(hourly.end(), 10, 0);
  const Replay out = statuses(down, hourly, hour);
  CHECK(count(out.changes, What::fired) == 2);
  CHECK(out.changes.back().what == What::resolved);
  CHECK(out.changes.back().at_ns == monday + (47 + 6) * hour);
  CHECK(count(statuses(down, alternating(10, 1, 1), day).changes, What::fired) == 5);
}
