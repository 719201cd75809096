// SPDX-License-Identifier: Apache-2.0
#include "measure/settings.hpp"

#include "agent/measure/support.hpp"
#include "config/build.hpp"

using namespace ronda;
using namespace ronda::measure;
using ronda::measure::test::day;
using ronda::measure::test::hour;
using ronda::measure::test::second;

namespace {

config::Generation built(const std::string& text) {
  config::Diagnostics diagnostics;
  config::Generation generation = config::build_generation({{"conf.d/a.toml", text, false}}, {}, diagnostics);
  REQUIRE_FALSE(diagnostics.has_errors());
  return generation;
}

struct Read {
  StoreSettings store;
  std::vector<SloDefinition> slos;
  std::vector<std::string> errors;
};
Read read(const std::string& text) {
  const config::Generation generation = built(text);
  config::Diagnostics diagnostics;
  Read out{read_store(generation, diagnostics), read_slos(generation, diagnostics), {}};
  for (const config::Diagnostic& one : diagnostics.all())
    out.errors.push_back(std::to_string(one.where.line) + ":" + std::to_string(one.where.column) + " " + one.message);
  return out;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("samples are kept 48 hours, 30 days and 400 days where nothing is said", "[measure]") {
  for (const char* text : {"", "[store]\n"}) {
    const Read settings = read(text);
    CHECK(settings.errors.empty());
    CHECK(settings.store.retention.raw_ns == 48 * hour);
    CHECK(settings.store.retention.five_minutes_ns == 30 * day);
    CHECK(settings.store.retention.hours_ns == 400 * day);
    CHECK_FALSE(settings.store.all);
  }
}

TEST_CASE("how long samples are kept stands in [store]", "[measure]") {
  const Read settings = read("[store]\nraw = \"1d\"\nfive_minutes = \"2w\"\nhours = \"90d\"\nsamples = \"all\"\n");
  CHECK(settings.errors.empty());
  CHECK(settings.store.retention.raw_ns == day);
  CHECK(settings.store.retention.five_minutes_ns == 14 * day);
  CHECK(settings.store.retention.hours_ns == 90 * day);
  CHECK(settings.store.all);
}

TEST_CASE("what is wrong in [store] is said at its place, and the defaults hold", "[measure]") {
  CHECK(read("[store]\nraw = 48\n").errors == Texts{"2:7 `raw` must be a duration like \"30s\", got an integer; did you mean \"48s\"?"});
  CHECK(read("[store]\nraw = \"10m\"\n").errors == Texts{"2:7 `raw` must be at least 1h"});
  CHECK(read("[store]\nfive_minute = \"1d\"\n").errors == Texts{"2:1 unknown key `five_minute`; did you mean `five_minutes`?"});
  CHECK(read("[store]\nsamples = \"al\"\n").errors.size() == 1);
  const Read settings = read("[store]\nraw = \"60d\"\n");
  CHECK(settings.errors == Texts{"1:1 `raw` (8w4d) must not be longer than `five_minutes` (4w2d), nor that longer than `hours` (57w1d)"});
  CHECK(settings.store.retention.raw_ns == 48 * hour);
}

TEST_CASE("an objective is a share, a window, and what is good", "[measure]") {
  const Read settings = read(R"([slo.api]
objective = "99.9%"
window = "30d"
good = "api-status.status == ok"
service = "shop"
title = "The API"
maintenance = "excluded"
[slo.orders]
objective = "99.5%"
window = "7d"
good = "orders.done"
total = "orders.all"
min_samples = 100
)");
  CHECK(settings.errors.empty());
  REQUIRE(settings.slos.size() == 2);
  const SloDefinition& api = settings.slos[0];
  CHECK(api.objective.name == "api");
  CHECK(api.objective.target == Approx(0.999));
  CHECK(api.objective.window_ns == 30 * day);
  CHECK_FALSE(api.objective.counts);
  CHECK(api.good == "api-status.status == ok");
  CHECK(api.good_place.line == 4);
  CHECK(api.service == "shop");
  CHECK(api.title == "The API");
  CHECK(api.without_windows);
  const SloDefinition& orders = settings.slos[1];
  CHECK(orders.objective.counts);
  CHECK(orders.objective.least == 100);
  CHECK(orders.total == "orders.all");
  CHECK_FALSE(orders.without_windows);
}

TEST_CASE("how much must be bad is said for all levels or for one, as time or as requests", "[measure]") {
  using Floors = std::array<std::optional<double>, 3>;
  const auto floors = [](const std::string& lines) {
    const Read settings = read("[slo.a]\nobjective = \"99%\"\ngood = \"x\"\n" + lines);
    CHECK(settings.errors.empty());
    REQUIRE(settings.slos.size() == 1);
    return settings.slos[0].least_bad;
  };
  const std::optional<double> none;
  CHECK(floors("") == Floors{none, none, none});
  CHECK(floors("min_bad = \"2m\"\n") == Floors{120, 120, 120});
  CHECK(floors("min_bad = \"0s\"\n") == Floors{0, 0, 0});
  CHECK(floors("min_bad = \"1h\"\n") == Floors{3600, 3600, 3600});
  CHECK(floors("min_bad = { p1 = \"10m\", p3 = \"12h\" }\n") == Floors{600, none, 43'200});
  CHECK(floors("min_bad = { p1 = 3 }\ntotal = \"y\"\n") == Floors{3, none, none});
  CHECK(floors("min_bad = 0\ntotal = \"y\"\n") == Floors{0, 0, 0});
  // what does not call has no say in how long it may be
  CHECK(floors("min_bad = \"2h\"\nlevels = [\"p2\", \"p3\"]\n") == Floors{7200, 7200, 7200});
  CHECK(floors("min_bad = { p1 = \"2h\" }\nlevels = [\"p3\"]\n") == Floors{7200, none, none});
}

TEST_CASE("`levels` says which burns call, and `bad` that it is failures which are counted", "[measure]") {
  const auto one = [](const std::string& lines) {
    const Read settings = read("[slo.a]\nobjective = \"95%\"\n" + lines);
    REQUIRE(settings.slos.size() == 1);
    return settings.slos.front();
  };
  using Calls = std::array<bool, 3>;
  CHECK(one("good = \"x\"\n").calls == Calls{true, true, true});
  CHECK(one("good = \"x\"\nlevels = [\"p2\", \"p3\"]\n").calls == Calls{false, true, true});
  CHECK(one("good = \"x\"\nlevels = [\"p3\"]\n").calls == Calls{false, false, true});
  const SloDefinition failures = one("bad = \"x\"\ntotal = \"y\"\n"), successes = one("good = \"x\"\ntotal = \"y\"\n");
  CHECK(failures.counts_bad);
  CHECK(failures.objective.counts);
  CHECK(failures.good == "x");
  CHECK_FALSE(successes.counts_bad);
}

TEST_CASE("an objective that cannot be is said at its place, and is left out", "[measure]") {
  const auto one = [](const std::string& lines) {
    const Read settings = read("[slo.a]\n" + lines);
    CHECK(settings.slos.empty());
    return settings.errors;
  };
  CHECK(one("objective = \"100%\"\nwindow = \"30d\"\ngood = \"x\"\n") ==
        Texts{"2:13 `objective`: leaves no room for any failure; write for example \"99.9%\""});
  CHECK(one("objective = \"0%\"\nwindow = \"30d\"\ngood = \"x\"\n") == Texts{"2:13 `objective` must be above 0%"});
  CHECK(one("objective = \"99%\"\nwindow = \"5m\"\ngood = \"x\"\n") == Texts{"3:10 `window` must be at least 1h"});
  CHECK(one("objective = \"99%\"\ngood = \"x\"\nwindw = \"1d\"\n") == Texts{"4:1 unknown key `windw`; did you mean `window`?"});
  const auto floor = [&](const std::string& line) { return one("objective = \"99%\"\ngood = \"x\"\n" + line + "\n"); };
  CHECK(floor("min_bad = 5") == Texts{"4:11 `min_bad` must be a duration like \"30s\", got an integer; did you mean \"5s\"?"});
  CHECK(floor("min_bad = \"61m\"") ==
        Texts{"4:11 `min_bad` is longer than the 1h that p1 looks at, so that p1 would never fire; it can be said "
              "per level: { p1 = \"5m\", p2 = \"2h\" }"});
  CHECK(floor("min_bad = { p2 = \"7h\" }") ==
        Texts{"4:18 `min_bad.p2` is longer than the 6h that p2 looks at, so that p2 would never fire"});
  CHECK(floor("min_bad = { p4 = \"5m\" }").size() == 1);
  CHECK(floor("min_bad = \"5m\"\ntotal = \"y\"") == Texts{"4:11 `min_bad` must be a number of requests, as this objective has a `total`"});
  CHECK(floor("min_bad = -1\ntotal = \"y\"") == Texts{"4:11 `min_bad` must be an integer from 0 to 1000000000, got -1"});
  CHECK(floor("levels = []") == Texts{"4:10 `levels` must be a list of p1, p2 and p3, like [\"p2\", \"p3\"], got a list"});
  CHECK(floor("levels = [\"p4\"]").size() == 1);
  CHECK(floor("bad = \"y\"\ntotal = \"z\"") == Texts{"4:7 `bad` and `good`: one of the two says the other"});
  CHECK(one("objective = \"99%\"\nbad = \"x\"\n") ==
        Texts{"3:7 `bad` is a counter of requests that failed, and needs the `total` that they are of; of time say what is `good`"});
  CHECK(one("objective = \"99%\"\nwindow = \"1d\"\ngood = \"x\"\nmin_samples = 5\n") ==
        Texts{"5:15 `min_samples` is of objectives that count requests; this one has no `total`"});
}

TEST_CASE("samples are kept of the checks that a service names, or of all", "[measure]") {
  const config::Generation generation = built(R"([check.a]
use = "http.request"
every = "10s"
[check.b]
use = "http.request"
[check.off]
use = "http.request"
enabled = false
[service.shop]
checks = ["a", "off"]
)");
  const std::vector<Running> running = {{"a", 10 * second}, {"b", 0}};
  const auto named = service_wants(generation, {}, running);
  REQUIRE(named.size() == 1);
  CHECK(named[0].check == "a");
  CHECK(named[0].metric.empty());
  CHECK(named[0].interval_ns == 10 * second);
  StoreSettings all;
  all.all = true;
  CHECK(service_wants(generation, all, running).size() == 2);
}
