// SPDX-License-Identifier: Apache-2.0
#include "measure/slo.hpp"

#include <map>

#include "agent/measure/support.hpp"

using namespace ronda;
using namespace ronda::measure;
using namespace ronda::measure::slo;
using ronda::measure::test::day;
using ronda::measure::test::hour;
using ronda::measure::test::minute;
using ronda::measure::test::noon;
using ronda::measure::test::second;
using ronda::measure::test::Seeded;

namespace {

const Objective by_time{"api", 0.999, 30 * day, false, 30};
const Objective by_count{"api", 0.999, 30 * day, true, 30};

/// Minutes of [from, until), each with so much good and bad.
std::vector<Stretch> minutes(std::int64_t from, std::int64_t until, double good, double bad) {
  std::vector<Stretch> out;
  for (; from < until; from += minute) out.push_back({from, from + minute, good, bad, 0});
  return out;
}

std::vector<Stretch> operator+(std::vector<Stretch> a, const std::vector<Stretch>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Stretches seen(const std::vector<Stretch>& stretches) {
  return Stretches(stretches);
}

std::vector<bool> holding(const Objective& objective, const std::vector<Stretch>& stretches, std::int64_t now) {
  std::vector<bool> out;
  for (const Burn& burn : burns(objective, seen(stretches), now)) out.push_back(burn.holds);
  return out;
}

}  // namespace

TEST_CASE("the budget of 99.9 % of 30 days is 43 minutes and 12 seconds, and what was bad is taken off", "[measure]") {
  const auto stretches = minutes(noon - 30 * day, noon - 21 * minute, 60, 0) + minutes(noon - 21 * minute, noon, 0, 60);
  const auto budget = slo::budget(by_time, seen(stretches), noon);
  REQUIRE(budget);
  CHECK(budget->allowed == Approx(43 * 60 + 12));
  CHECK(budget->left == Approx(1 - 21.0 * 60 / 2592));
  CHECK(budget->reached == Approx(1 - 21.0 / 43'200));
  CHECK(budget->known == Approx(1));
}

TEST_CASE("what nobody saw is neither good nor bad, and shows in what is known", "[measure]") {
  CHECK_FALSE(budget(by_time, Stretches(), noon));
  CHECK_FALSE(budget(by_time, seen({{noon - hour, noon, 0, 0, 3600}}), noon));
  const auto one_day = budget(by_time, seen(minutes(noon - day, noon, 60, 0)), noon);
  CHECK(one_day->left == 1);
  CHECK(one_day->known == Approx(1.0 / 30));
  const auto overspent = budget(by_time, seen(minutes(noon - day, noon, 0, 60)), noon);
  CHECK(overspent->left == Approx(1 - 86'400 / 2592.0));
}

TEST_CASE("of requests the budget is a share of those that were seen", "[measure]") {
  const auto budget = slo::budget(by_count, seen({{noon - day, noon, 99'950, 50, 0}}), noon);
  CHECK(budget->allowed == Approx(100));
  CHECK(budget->left == Approx(0.5));
  CHECK(budget->reached == Approx(0.9995));
}

TEST_CASE("the pairs of windows are those of the workbook", "[measure]") {
  CHECK(burn_rules[0].factor == 14.4);
  CHECK(burn_rules[0].long_ns == hour);
  CHECK(burn_rules[0].short_ns == 5 * minute);
  CHECK(burn_rules[0].level == config::Level::p1);
  CHECK(burn_rules[1].factor == 6);
  CHECK(burn_rules[1].long_ns == 6 * hour);
  CHECK(burn_rules[1].short_ns == 30 * minute);
  CHECK(burn_rules[1].level == config::Level::p2);
  CHECK(burn_rules[2].factor == 1);
  CHECK(burn_rules[2].long_ns == 3 * day);
  CHECK(burn_rules[2].short_ns == 6 * hour);
  CHECK(burn_rules[2].level == config::Level::p3);
  // what each says is spent when it holds: 2 %, 5 % and 10 % of 30 days
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(burn_rules[i].factor * static_cast<double>(burn_rules[i].long_ns) / static_cast<double>(30 * day) ==
          Approx(std::array{0.02, 0.05, 0.10}[i]));
}

TEST_CASE("a burn holds from its factor on, in both of its windows", "[measure]") {
  // 1.44 % of bad requests are 14.4 times 0.1 %
  CHECK(holding(by_count, minutes(noon - hour, noon, 985.6, 14.4), noon) == std::vector<bool>{true, true, true});
  CHECK(holding(by_count, minutes(noon - hour, noon, 985.7, 14.3), noon) == std::vector<bool>{false, true, true});
  CHECK(holding(by_count, minutes(noon - hour, noon, 994, 6), noon) == std::vector<bool>{false, true, true});
  CHECK(holding(by_count, minutes(noon - hour, noon, 994.1, 5.9), noon) == std::vector<bool>{false, false, true});
  CHECK(holding(by_count, minutes(noon - hour, noon, 999.1, 0.9), noon) == std::vector<bool>{false, false, false});
}

TEST_CASE("a burn ends when its short window is good again, long before the long one is", "[measure]") {
  const auto bad = minutes(noon - hour, noon, 500, 500);
  CHECK(holding(by_count, bad, noon)[0]);
  const auto recovered = bad + minutes(noon, noon + 6 * minute, 1000, 0);
  CHECK_FALSE(holding(by_count, recovered, noon + 6 * minute)[0]);
  CHECK(holding(by_count, recovered, noon + 6 * minute)[1]);  // 30 minutes are not over
  CHECK(*burns(by_count, seen(recovered), noon + 6 * minute)[0].in_long > 14.4);
}

TEST_CASE("two failures of three requests at night are no outage", "[measure]") {
  const auto night = minutes(noon - hour, noon, 100.0 / 60, 0) + std::vector<Stretch>{};
  auto quiet = night;
  quiet.back().bad = 2;
  quiet.back().good = 1;
  const auto fast = burns(by_count, seen(quiet), noon)[0];
  CHECK(*fast.in_short > 14.4);
  CHECK_FALSE(fast.enough);
  CHECK_FALSE(fast.holds);
  Objective eager = by_count;
  eager.least = 1;
  CHECK(burns(eager, seen(quiet), noon)[0].holds);
}

TEST_CASE("by time, a bad minute after the first start is one bad minute of the hour", "[measure]") {
  // 14.4 times 0.1 % of an hour is 51.84 s
  CHECK_FALSE(holding(by_time, {{noon - 51 * second, noon, 0, 51, 0}}, noon)[0]);
  CHECK(holding(by_time, {{noon - 52 * second, noon, 0, 52, 0}}, noon)[0]);
}

TEST_CASE("by time, less than the floor does not burn however large its share is, and the floor itself does", "[measure]") {
  // probes of 30 s; two that failed are 16.7 times what an hour of 99.9 % allows
  const auto fast = [](std::int64_t bad_s, double least) {
    Objective objective = by_time;
    objective.least_bad = {least, 0, 0};
    const std::int64_t since = noon - bad_s * second;
    return burns(objective,
                 seen({{noon - hour, since, 3600.0 - static_cast<double>(bad_s), 0, 0}, {since, noon, 0, static_cast<double>(bad_s), 0}}),
                 noon)[0];
  };
  CHECK_FALSE(fast(30, 0).holds);
  CHECK_FALSE(fast(30, 300).is_held_back);  // too slow all the same
  CHECK(fast(60, 0).holds);
  CHECK_FALSE(fast(60, 300).holds);
  CHECK(fast(60, 300).is_held_back);
  CHECK(fast(60, 300).bad == Approx(60));
  CHECK(fast(60, 300).least_bad == 300);
  CHECK_FALSE(fast(299, 300).holds);
  CHECK(fast(300, 300).holds);
  CHECK_FALSE(fast(300, 300).is_held_back);
  CHECK(fast(301, 300).holds);
  // each pair has its own, and it is of the long window
  Objective objective = by_time;
  objective.least_bad = {600, 400, 300};
  const auto bad = minutes(noon - 2 * hour, noon - 2 * hour + 5 * minute, 0, 60) +
                   minutes(noon - 2 * hour + 5 * minute, noon - 2 * minute, 60, 0) + minutes(noon - 2 * minute, noon, 0, 60);
  CHECK(holding(objective, bad, noon) == std::vector<bool>{false, true, true});
  objective.least_bad = {120, 421, 421};
  CHECK(holding(objective, bad, noon) == std::vector<bool>{true, false, false});
}

TEST_CASE("by requests the floor is a number of those that were bad", "[measure]") {
  Objective objective = by_count;
  const auto fast = [&](double bad) { return burns(objective, seen({{noon - 5 * minute, noon, 60 - bad, bad, 0}}), noon)[0]; };
  CHECK(fast(1).holds);  // one of 60 is 16.7 times 0.1 %
  objective.least_bad = {10, 10, 10};
  CHECK_FALSE(fast(1).holds);
  CHECK(fast(1).is_held_back);
  CHECK_FALSE(fast(9).holds);
  CHECK(fast(10).holds);
}

TEST_CASE("sums are what adding up second by second gives, of 300 random records, however they came about", "[measure]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Seeded seeded(seed);
    std::vector<Stretch> stretches;
    std::map<std::int64_t, Sums> seconds;  // the oracle: each for itself
    std::int64_t at = noon;
    const int count = 1 + static_cast<int>(seeded.below(300));
    for (int i = 0; i < count; ++i) {
      const std::int64_t from = at + seeded.below(3) * 10 * second, length = (1 + seeded.below(30)) * second;
      const Stretch one{from, from + length, seeded.between(0, 50), seeded.between(0, 50), seeded.between(0, 50)};
      const double parts = static_cast<double>(length / second);
      for (std::int64_t s = from; s < one.until_ns; s += second) seconds[s] = {one.good / parts, one.bad / parts, one.unknown / parts};
      stretches.push_back(one);
      at = one.until_ns;
    }
    Stretches grown;  // some before all others, the rest one by one, each in two parts
    const auto older = static_cast<std::size_t>(seeded.below(count + 1)), gone = static_cast<std::size_t>(seeded.below(count + 1));
    for (std::size_t i = older; i < stretches.size(); ++i) {
      const Stretch& one = stretches[i];
      grown.add(one.from_ns, one.from_ns + second, {one.good, 0, 0});
      grown.add(one.from_ns, one.until_ns, {0, one.bad, one.unknown});
    }
    grown.put_before(std::span(stretches).first(older));
    const std::int64_t until = noon + seeded.below(8000) * second, length = (1 + seeded.below(7000)) * second;
    Sums expected;
    for (const auto& [s, sums] : seconds) {
      if (s < until - length || s >= until) continue;
      expected.good += sums.good;
      expected.bad += sums.bad;
      expected.unknown += sums.unknown;
    }
    INFO("seed " << seed);
    for (const Sums& got : {Stretches(stretches).sums(until, length), grown.sums(until, length)}) {
      REQUIRE(got.good == Approx(expected.good).margin(1e-9));
      REQUIRE(got.bad == Approx(expected.bad).margin(1e-9));
      REQUIRE(got.unknown == Approx(expected.unknown).margin(1e-9));
    }
    grown.drop_first(gone);
    grown.drop_after(until);
    std::vector<Stretch> left(stretches.begin() + static_cast<std::ptrdiff_t>(gone), stretches.end());
    std::erase_if(left, [&](const Stretch& one) { return one.until_ns > until; });
    REQUIRE(grown.sums(until, length).good == Approx(Stretches(left).sums(until, length).good).margin(1e-9));
  }
}

TEST_CASE("a judgement holds until the next one, and no longer than it may: then nobody knows", "[measure]") {
  Meter meter(30 * day, 2 * minute);
  meter.judge(noon, Goodness::good);
  meter.judge(noon + minute, Goodness::bad);
  meter.judge(noon + 2 * minute, Goodness::good);
  Sums sums = meter.sums(noon + 2 * minute, hour);
  CHECK(sums.good == Approx(60));
  CHECK(sums.bad == Approx(60));
  sums = meter.sums(noon + 10 * minute, hour);
  CHECK(sums.good == Approx(180));
  CHECK(sums.unknown == Approx(360));
  meter.judge(noon + 20 * minute, Goodness::bad);
  sums = meter.sums(noon + 21 * minute, hour);
  CHECK(sums.good == Approx(180));
  CHECK(sums.bad == Approx(120));
  CHECK(sums.unknown == Approx(16 * 60));
}

TEST_CASE("a short window at any moment of a minute has all of its seconds", "[measure]") {
  Meter meter(30 * day, minute);
  for (int i = 0; i <= 400; ++i) meter.judge(noon + i * 7 * second, i % 2 == 0 ? Goodness::good : Goodness::bad);
  for (int i = 100; i <= 400; ++i) {
    const std::int64_t now = noon + i * 7 * second;
    Meter past(30 * day, minute);
    for (int k = 0; k <= i; ++k) past.judge(noon + k * 7 * second, k % 2 == 0 ? Goodness::good : Goodness::bad);
    const Sums sums = past.sums(now, 5 * minute);
    REQUIRE(sums.seen() == Approx(300));
    REQUIRE(std::abs(sums.good - 150) < 15);
  }
}

TEST_CASE("a meter keeps the sums of 40 days, in memory that is bounded by its window", "[measure]") {
  Meter meter(30 * day, 2 * minute);
  Seeded seeded(3);
  std::vector<std::pair<std::int64_t, Goodness>> all;
  std::size_t most = 0;
  for (std::int64_t at = noon; at < noon + 40 * day; at += 30 * second) {
    const Goodness goodness = seeded.below(100) == 0 ? Goodness::bad : Goodness::good;
    meter.judge(at, goodness);
    all.emplace_back(at, goodness);
    most = std::max(most, meter.bytes());
  }
  const std::int64_t now = noon + 40 * day;
  CHECK(most < 800'000);  // 8,640 + 400 stretches of 40 bytes, their blocks, and what a vector has to spare
  for (const std::int64_t length : {5 * minute, hour, 6 * hour, 3 * day, 30 * day}) {
    double bad = 0;
    for (const auto& [at, goodness] : all) bad += goodness == Goodness::bad && at >= now - length ? 30 : 0;
    const Sums sums = meter.sums(now, length);
    INFO(length / minute << " minutes");
    CHECK(sums.bad == Approx(bad));
    CHECK(sums.seen() == Approx(static_cast<double>(length) / 1e9));
  }
}

TEST_CASE("a meter that was off for a week fills its time with unknown at once", "[measure]") {
  Meter meter(30 * day, minute);
  meter.judge(noon, Goodness::good);
  meter.judge(noon + 100 * day, Goodness::good);
  CHECK(meter.bytes() < 800'000);
  CHECK(meter.sums(noon + 100 * day, 30 * day).unknown == Approx(30 * 86'400));
}

TEST_CASE("requests are counted where they came", "[measure]") {
  Meter meter(30 * day, 0);
  for (int i = 0; i < 600; ++i) meter.count(noon + i * second, 9, 1);
  const Sums sums = meter.sums(noon + 600 * second, 5 * minute);
  CHECK(sums.good == Approx(2700));
  CHECK(sums.bad == Approx(300));
}

TEST_CASE("when the clock is set back a meter forgets what lies after it", "[measure]") {
  Meter meter(30 * day, 2 * minute);
  for (int i = 0; i <= 60; ++i) meter.judge(noon + i * minute, Goodness::bad);
  meter.judge(noon + 30 * minute, Goodness::good);
  meter.judge(noon + 31 * minute, Goodness::good);
  const Sums sums = meter.sums(noon + 31 * minute, hour);
  CHECK(sums.bad == Approx(30 * 60));
  CHECK(sums.good == Approx(60));
}

TEST_CASE("what the store has of judgements is taken in before what was seen since", "[measure]") {
  Meter meter(30 * day, 2 * minute);
  meter.judge(noon, Goodness::good);
  meter.judge(noon + minute, Goodness::good);
  std::vector<Stretch> older;
  for (std::int64_t from = noon - hour; from <= noon; from += 5 * minute) {
    store::Rollup rollup;
    rollup.from_ns = from;
    for (int i = 0; i < 10; ++i) add(rollup, {from + i * 30 * second, i < 7 ? 0.0 : i < 9 ? 1.0 : 2.0}, store::Shape::gauge);
    older.push_back(stretch_of(rollup, 5 * minute));
  }
  CHECK(older[0].good == Approx(210));
  CHECK(older[0].bad == Approx(60));
  CHECK(older[0].unknown == Approx(30));
  meter.restore(older);
  const Sums sums = meter.sums(noon + minute, 2 * hour);
  CHECK(sums.good == Approx(12 * 210 + 60));
  CHECK(sums.bad == Approx(12 * 60));
}

TEST_CASE("of the newest stretch of the store, which may be a short one, nothing is lost and nothing there twice", "[measure]") {
  const std::vector<Stretch> older = {{noon - 5 * minute, noon, 300, 0, 0}, {noon, noon + 2 * minute, 0, 120, 0}};
  const auto bad_after = [&](std::int64_t first_ns) {
    Meter meter(30 * day, 2 * minute);
    meter.judge(first_ns, Goodness::good);
    meter.judge(first_ns + minute, Goodness::good);
    meter.restore(older);
    return meter.sums(first_ns + minute, 2 * hour).bad;
  };
  CHECK(bad_after(noon + 2 * minute) == Approx(120));
  CHECK(bad_after(noon + minute) == Approx(60));
  CHECK(bad_after(noon + 10 * minute) == Approx(120));
}
