// SPDX-License-Identifier: Apache-2.0
// Objectives over what a store has of their judgements.
#include "rule/replay_objective.hpp"

#include "rule/objective.hpp"
#include "support.hpp"

using namespace ronda;
using namespace ronda::rule;
using namespace ronda::test;
using measure::slo::Stretch;

namespace {

struct Objectives {
  explicit Objectives(const std::string& text) {
    sources.push_back({"conf.d/10-rules.toml", check("api") + text, false});
    config::Diagnostics diagnostics;
    generation = config::build_generation(sources, {}, diagnostics);
    std::vector<config::Disabled> disabled;
    set = load_slos(generation, facts_of(generation), sources, diagnostics, disabled);
    INFO(config::render_all(diagnostics, sources));
    REQUIRE(set.slos.size() == 1);
  }
  const Slo& slo() const { return set.slos.front(); }

  config::Sources sources;
  config::Generation generation;
  SloSet set;
};

const std::string by_time = "[slo.api]\nobjective = \"99.9%\"\ngood = \"api.status == ok\"\n";
const std::string by_requests = "[slo.api]\nobjective = \"99%\"\ngood = \"api.good\"\ntotal = \"api.all\"\n";
constexpr double good = 0, bad = 1, unknown = 2;

/// A judgement each 30 s of four hours; from the third hour on so many were bad.
Judged hours(int bads) {
  std::vector<double> values(480, good);
  std::fill_n(values.begin() + 240, bads, bad);
  return {{}, points(monday, 30 * second, values)};
}

Backtest test_of(const Objectives& objectives, const Judged& judged) {
  return backtest(objectives.slo(), stretches_of(objectives.slo(), judged, {}), monday + hour, monday + 4 * hour);
}

measure::Rollup rolled(std::int64_t from, const std::vector<double>& values) {
  measure::Rollup out;
  out.from_ns = from;
  for (std::size_t i = 0; i < values.size(); ++i)
    store::add(out, {from + static_cast<std::int64_t>(i) * 30 * second, values[i]}, measure::Shape::gauge);
  out.sketch = {};  // that the API does not give
  return out;
}

double sum_of(const std::vector<Stretch>& stretches, double Stretch::*part) {
  double out = 0;
  for (const Stretch& one : stretches) out += one.*part;
  return out;
}

}  // namespace

TEST_CASE("a backtest tells when an objective would have burned, and with another floor that it would not", "[rule]") {
  const Backtest usual = test_of(Objectives(by_time), hours(20));
  CHECK(usual.fired == 1);
  CHECK(usual.reached[0] == 1);
  REQUIRE_FALSE(usual.replay.changes.empty());
  // 6 times 0.1 % of six hours are 129.6 s, and 5m50s must be bad for P1
  CHECK(usual.replay.changes.front().at_ns == monday + 2 * hour + 3 * minute);
  CHECK(usual.replay.changes.front().to == config::Level::p2);
  CHECK(usual.replay.changes[1].at_ns == monday + 2 * hour + 6 * minute);
  CHECK(usual.replay.changes[1].to == config::Level::p1);
  CHECK(usual.replay.looks == 181);
  const Backtest none = test_of(Objectives(by_time), hours(2));
  CHECK(none.fired == 0);
  const Backtest eager = test_of(Objectives(by_time + "min_bad = \"0s\"\n"), hours(2));
  CHECK(eager.reached[0] == 1);
  CHECK(test_of(Objectives(by_time + "min_bad = \"20m\"\n"), hours(20)).fired == 0);
}

TEST_CASE("where nothing was judged an objective neither fires nor ends", "[rule]") {
  Judged judged = hours(20);
  judged.single.resize(250);  // five bad minutes, and then the agent was off
  const Backtest out = test_of(Objectives(by_time), judged);
  CHECK(out.fired == 1);
  CHECK(out.replay.state.level == config::Level::p1);
}

TEST_CASE("of a stretch of five minutes its judgements are divided as they were, up to the first single one", "[rule]") {
  const Objectives objectives(by_time);
  const auto of = [&](std::vector<measure::Rollup> rollups, std::vector<measure::Point> single = {}) {
    return stretches_of(objectives.slo(), {std::move(rollups), std::move(single)}, {});
  };
  const auto bads = of({rolled(monday, {good, bad, bad, good, good, good, good, good, good, good})});
  REQUIRE(bads.size() == 1);
  CHECK(bads[0].from_ns == monday);
  CHECK(bads[0].until_ns == monday + 5 * minute);
  CHECK(bads[0].good == Approx(240));
  CHECK(bads[0].bad == Approx(60));
  CHECK(bads[0].unknown == 0);
  const auto no_good = of({rolled(monday, {bad, unknown, unknown, unknown, bad})});
  CHECK(no_good[0].bad == Approx(120));
  CHECK(no_good[0].unknown == Approx(180));
  const auto no_bad = of({rolled(monday, {good, unknown, good, good, good})});
  CHECK(no_bad[0].good == Approx(240));
  CHECK(no_bad[0].unknown == Approx(60));
  const auto clipped = of({rolled(monday, {bad, bad}), rolled(monday + 5 * minute, {bad})}, {{monday + 2 * minute, good}});
  CHECK(sum_of(clipped, &Stretch::bad) == Approx(120));
  CHECK(sum_of(clipped, &Stretch::good) == Approx(180));  // a judgement stands for three minutes
}

TEST_CASE("of requests what both counters say is added up, old and new", "[rule]") {
  const Objectives objectives(by_requests);
  Judged ok, failed;
  ok.rolled = {rolled(monday, {100, 100}), rolled(monday + 5 * minute, {100, 100})};
  failed.rolled = {rolled(monday + 5 * minute, {10, 0})};
  for (int i = 0; i < 60; ++i) {
    ok.single.push_back({monday + 10 * minute + i * minute, 80});
    failed.single.push_back({monday + 10 * minute + i * minute, 20});
  }
  const auto stretches = stretches_of(objectives.slo(), ok, failed);
  CHECK(sum_of(stretches, &Stretch::good) == Approx(400 + 60 * 80));
  CHECK(sum_of(stretches, &Stretch::bad) == Approx(10 + 60 * 20));
  CHECK(std::ranges::is_sorted(stretches, {}, &Stretch::from_ns));
  const Backtest out = backtest(objectives.slo(), stretches, monday, monday + hour);
  CHECK(out.reached[0] == 1);
}
