// SPDX-License-Identifier: Apache-2.0
// A history that is filled from the store again after a restart answers as the one before it did.
#include "measure/load.hpp"

#include <algorithm>
#include <atomic>
#include <future>

#include "agent/measure/support.hpp"
#include "agent/store/support.hpp"
#include "measure/functions.hpp"
#include "plugin/messages.hpp"

using namespace ronda;
using namespace ronda::measure;
using namespace ronda::measure::test;
using ronda::store::test::ask;
using ronda::store::test::must;
using ronda::store::test::wait_for;
using ronda::test::Scratch;

namespace {

schedule::ZonePtr utc_zone() {
  schedule::ZoneDatabase database;
  return *database.find("UTC");
}

/// A store under a clock that the test turns.
struct Clocked {
  explicit Clocked(const std::string& directory) : now(std::make_shared<std::atomic<std::int64_t>>(noon)) {
    store::Options options = ronda::store::test::options_at(directory);
    options.wall_ns = [now = now] { return now->load(); };
    options.flush_after = std::chrono::milliseconds(0);
    store = *store::Store::open(std::move(options));
  }
  std::shared_ptr<std::atomic<std::int64_t>> now;
  std::unique_ptr<store::Store> store;
};

void feed(History& history, std::vector<store::Sampled>& out, std::int64_t at, double total, double requests) {
  std::string metrics;
  wire::Writer writer(metrics);
  wire::Metric metric;
  metric.name = "total";
  metric.value = total;
  metric.unit = "ms";
  metric.labels = {{"path", "/"}};
  wire::encode_metric(writer, metric);
  metric = {};
  metric.name = "requests";
  metric.value = requests;
  metric.counter = true;
  wire::encode_metric(writer, metric);
  auto sampled = history.observe({"api", measure::Status::ok, at, at - second, at, second / 4, metrics});
  REQUIRE(sampled);
  out.push_back(*std::move(sampled));
}

ronda::Status load(store::Store& store, History& history, std::int64_t now) {
  std::promise<ronda::Status> done;
  load_history(store, history, now, [&](ronda::Status status) { done.set_value(std::move(status)); });
  return done.get_future().get();
}

}  // namespace

TEST_CASE("after a restart a history answers as before, for short windows, long ones and baselines", "[measure]") {
  const Scratch scratch;
  const std::vector<Want> wants = {
      {"api", "total", 2 * hour, false, minute}, {"api", "requests", 2 * day, true, minute}, {"api", "", hour, false, minute}};
  History before(utc_zone());
  before.want(wants);
  const std::int64_t begin = noon, end = begin + 15 * day + 7 * minute;
  {
    Clocked clocked(scratch / "state");
    Seeded seeded(11);
    double requests = 0;
    std::vector<store::Sampled> batch;
    for (std::int64_t at = begin; at <= end; at += minute) {
      requests = seeded.below(3000) == 0 ? 0 : requests + static_cast<double>(seeded.below(100));
      feed(before, batch, at, seeded.between(10, 500), requests);
      if ((at - begin) % hour != 0 && at != end) continue;
      clocked.store->observe({}, std::exchange(batch, {}));  // before the clock goes on: after it they would be too late
      *clocked.now = at + 20 * second;
      REQUIRE(ask<Unit>(*clocked.store, &store::Store::flush));
    }
    // time goes by faster here than it is rolled up
    REQUIRE(wait_for([&] {
      const ronda::store::SampleQuery last{"api", "requests", ronda::store::SampleLevel::five_minutes, end - hour, end};
      const auto rolled = must<std::vector<ronda::store::LoadedSeries>>(*clocked.store, &ronda::store::Store::load_samples, last);
      return !rolled[0].rollups.empty() && rolled[0].rollups.back().from_ns == end - 7 * minute;
    }));
  }
  Clocked clocked(scratch / "state");
  *clocked.now = end + 20 * second;
  History after(utc_zone());
  after.want(wants);
  REQUIRE(load(*clocked.store, after, end));
  const auto only = [](const History& history, const char* metric) {
    const auto ids = history.series("api", metric);
    REQUIRE(ids.size() == 1);
    return ids.front();
  };
  const SeriesId total = only(after, "total"), requests = only(after, "requests");
  CHECK(after.info(total).labels == Labels{{"path", "/"}});
  CHECK(after.info(total).unit == "s");
  CHECK(after.info(requests).shape == Shape::counter);
  const auto same = [&](const char* metric, Function function, std::int64_t length, double share = 0) {
    const auto a = over(before, only(before, metric), function, length, end, share),
               b = over(after, only(after, metric), function, length, end, share);
    INFO(metric << " over " << length / minute << " minutes");
    REQUIRE(a);
    REQUIRE(b);
    CHECK(*a == Approx(*b));
  };
  for (const Function function : {Function::avg, Function::min, Function::max, Function::sum, Function::count, Function::trend})
    same("total", function, 2 * hour);
  same("total", Function::percentile, 2 * hour, 0.95);
  same("requests", Function::rate, 5 * minute);
  same("requests", Function::rate, 2 * day);
  same("requests", Function::percentile, 2 * day, 0.99);
  CHECK(after.statuses("api", end - hour, end).size() == 60);
  CHECK(*after.baseline(requests, end, 0) == Approx(*before.baseline(only(before, "requests"), end, 0)));
  CHECK(after.size().points <= before.size().points + 10);
}

TEST_CASE("where the store does not answer, a history begins empty and says why", "[measure]") {
  const Scratch scratch;
  Clocked clocked(scratch / "state");
  clocked.store->close();
  History history(utc_zone());
  history.want({{"api", "total", 400 * day, true, minute}, {"db", "total", hour, false, minute}});
  const ronda::Status status = load(*clocked.store, history, noon);
  REQUIRE_FALSE(status);
  CHECK(status.error().message() == "the store does not work: it is closed");
  CHECK(history.size().points == 0);
}

TEST_CASE("after a restart an objective has the budget that it had", "[measure]") {
  const Scratch scratch;
  const slo::Objective objective{"api", 0.999, 7 * day, false, 30};
  const std::int64_t end = noon + 5 * day + 7 * minute;
  slo::Meter before(objective.window_ns, 10 * minute);
  {
    Clocked clocked(scratch / "state");
    History history(utc_zone());
    history.want({{judgements_of(objective), std::string(judgement_metric), 0, false, minute}});
    Seeded seeded(2);
    std::vector<ronda::store::Sampled> batch;
    for (std::int64_t at = noon; at <= end; at += minute) {
      const auto goodness = seeded.below(200) == 0 || at > end - 10 * minute ? slo::Goodness::bad : slo::Goodness::good;
      before.judge(at, goodness);
      batch.push_back(*history.observe_value(judgements_of(objective), judgement_metric, at, static_cast<double>(goodness)));
      if ((at - noon) % hour != 0 && at != end) continue;
      clocked.store->observe({}, std::exchange(batch, {}));  // before the clock goes on: after it they would be too late
      *clocked.now = at + 20 * second;
      REQUIRE(ask<Unit>(*clocked.store, &ronda::store::Store::flush));
    }
  }
  Clocked clocked(scratch / "state");
  *clocked.now = end + 20 * second;
  slo::Meter after(objective.window_ns, 10 * minute);
  after.judge(end, slo::Goodness::good);
  // at once, while the last of it is being rolled up
  std::promise<ronda::Result<std::vector<slo::Stretch>>> loaded;
  load_judgements(*clocked.store, objective, end, [&](auto result) { loaded.set_value(std::move(result)); });
  const auto stretches = loaded.get_future().get();
  REQUIRE(stretches);
  REQUIRE(stretches->size() == 5 * 288 + 2);
  CHECK(stretches->front().from_ns == noon);
  CHECK(stretches->back().until_ns == end);
  const auto has_gap = [](const auto& one, const auto& next) { return one.until_ns != next.from_ns; };
  CHECK(std::ranges::adjacent_find(*stretches, has_gap) == stretches->end());
  after.restore(*stretches);
  const auto a = slo::budget(objective, before, end), b = slo::budget(objective, after, end);
  REQUIRE(a);
  REQUIRE(b);
  CHECK(a->sums.bad > 0);
  CHECK(b->sums.bad == Approx(a->sums.bad));
  CHECK(b->left == Approx(a->left));
  CHECK(b->known == Approx(a->known));
}

TEST_CASE("of an objective only what its own condition judged is read, rolled up or not", "[measure]") {
  const Scratch scratch;
  const slo::Objective wrong{"api", 0.999, 7 * day, false, 30, "wrong"}, mended{"api", 0.999, 7 * day, false, 30, "mended"};
  const std::int64_t end = noon + 2 * day;
  const std::int64_t changed = GENERATE_COPY(noon + day, end - 2 * minute);
  Clocked clocked(scratch / "state");
  History history(utc_zone());
  history.want({{judgements_of(wrong), std::string(judgement_metric), 0, false, minute}});
  std::vector<ronda::store::Sampled> batch;
  for (std::int64_t at = noon; at < end; at += minute) {
    const slo::Objective& now = at < changed ? wrong : mended;
    const auto goodness = at < changed ? slo::Goodness::bad : slo::Goodness::good;
    batch.push_back(*history.observe_value(judgements_of(now), judgement_metric, at, static_cast<double>(goodness), judgement_labels(now)));
    if ((at - noon) % hour != 0 && at + minute < end) continue;
    clocked.store->observe({}, std::exchange(batch, {}));
    *clocked.now = at + 20 * second;
    REQUIRE(ask<Unit>(*clocked.store, &ronda::store::Store::flush));
  }
  for (const slo::Objective& one : {wrong, mended}) {
    std::promise<ronda::Result<std::vector<slo::Stretch>>> loaded;
    load_judgements(*clocked.store, one, end, [&](auto result) { loaded.set_value(std::move(result)); });
    const auto stretches = loaded.get_future().get();
    REQUIRE(stretches);
    REQUIRE_FALSE(stretches->empty());
    double good = 0, bad = 0;
    for (const slo::Stretch& stretch : *stretches) good += stretch.good, bad += stretch.bad;
    CHECK((one.judged_by == "wrong" ? good : bad) == 0);
    CHECK((one.judged_by == "wrong" ? bad : good) > 0);
  }
}

TEST_CASE("after a restart an objective by requests has counted what it had", "[measure]") {
  const Scratch scratch;
  const slo::Objective objective{"api", 0.99, 7 * day, true, 30};
  const std::int64_t end = noon + 2 * day + 7 * minute;
  double good = 0, bad = 0;
  {
    Clocked clocked(scratch / "state");
    History history(utc_zone());
    history.want({{judgements_of(objective), std::string(good_requests_metric), 0, false, minute},
                  {judgements_of(objective), std::string(bad_requests_metric), 0, false, minute}});
    Seeded seeded(3);
    std::vector<ronda::store::Sampled> batch;
    for (std::int64_t at = noon; at <= end; at += minute) {
      const auto all = static_cast<double>(seeded.below(100)), failed = std::min(all, static_cast<double>(seeded.below(3)));
      good += at < end ? all - failed : 0;  // what is of this very instant is the new life's
      bad += at < end ? failed : 0;
      batch.push_back(*history.observe_value(judgements_of(objective), good_requests_metric, at, all - failed));
      batch.push_back(*history.observe_value(judgements_of(objective), bad_requests_metric, at, failed));
      if ((at - noon) % hour != 0 && at != end) continue;
      clocked.store->observe({}, std::exchange(batch, {}));
      *clocked.now = at + 20 * second;
      REQUIRE(ask<Unit>(*clocked.store, &ronda::store::Store::flush));
    }
  }
  Clocked clocked(scratch / "state");
  *clocked.now = end + 20 * second;
  std::promise<ronda::Result<std::vector<slo::Stretch>>> loaded;
  load_judgements(*clocked.store, objective, end, [&](auto result) { loaded.set_value(std::move(result)); });
  const auto stretches = loaded.get_future().get();
  REQUIRE(stretches);
  CHECK(std::ranges::is_sorted(*stretches, {}, &slo::Stretch::from_ns));
  slo::Meter after(objective.window_ns, 10 * minute);
  after.restore(*stretches);
  const auto budget = slo::budget(objective, after, end);
  REQUIRE(budget);
  CHECK(budget->sums.bad > 0);
  CHECK(budget->sums.bad == Approx(bad));
  CHECK(budget->sums.good == Approx(good));
}
