// SPDX-License-Identifier: Apache-2.0
// Objectives burn as alerts, over restarts and reloads.
#include "agent/response/desk.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

using Lines = std::vector<std::string>;

const std::string staff_toml = one_check_toml + R"(
[escalation.default.p3]
steps = [{ from = "0m", notify = ["cto"] }]
)";
const std::string by_time = staff_toml + R"(
[slo.shop]
objective = "99.9%"
good = "api.status == ok"
service = "shop"
)";
const std::string by_requests = staff_toml + R"(
[slo.shop]
objective = "99%"
good = "api.good"
total = "api.all"
)";

/// A desk whose objectives know that there is nothing from before.
struct Young : World {
  explicit Young(const std::string& text) : World(text) { know({}); }
  void know(const std::vector<measure::slo::Stretch>& older) {
    for (const auto& objective : desk().take_unloaded_objectives()) take(desk().restore_objective(objective, older, now));
  }
  void know_what_was_stored() {
    for (const auto& objective : desk().take_unloaded_objectives()) take(desk().restore_objective(objective, judged(objective), now));
  }
  double left() const {
    const response::ObjectiveSeen* seen = desk().objectives().seen("shop");
    REQUIRE(seen != nullptr);
    REQUIRE(seen->budget);
    return seen->budget->left;
  }
  Level level() const {
    const rule::AlertState* state = desk().alert("slo/shop");
    return state == nullptr ? Level::none : state->level;
  }
};

}  // namespace

TEST_CASE("the page of a burn comes when a fiftieth of the budget is gone in an hour, and goes with the short window", "[response]") {
  Young world(by_time + "min_bad = \"0s\"\n");
  world.run_to(2 * hour, {{"api", Seen::ok}});
  CHECK(world.level() == Level::none);
  CHECK(world.told.empty());
  // 14.4 times 0.1% of an hour are 51.84 s of it, and of five minutes 4.32 s; it is looked at once a minute
  world.run_to(2 * hour + 2 * minute, {{"api", Seen::critical}});
  CHECK(world.level() == Level::p1);
  REQUIRE(world.told.size() == 1);
  CHECK(world.told.front() == "2h2m open p1 cto log");
  CHECK(world.only().service == "shop");
  CHECK(world.only().members.contains("slo/shop"));
  const rule::AlertState* state = world.desk().alert("slo/shop");
  REQUIRE(state != nullptr);
  INFO(state->reason);
  CHECK(state->reason.find("of what 99.9% in 30d allows") != std::string::npos);
  CHECK(state->reason.find("of the budget is left") != std::string::npos);
  // five good minutes end the page, and half an hour the slow burn; the hours are what a ticket looks at
  world.run_to(2 * hour + 5 * minute, {{"api", Seen::ok}});
  CHECK(world.level() == Level::p1);
  world.run_to(2 * hour + 8 * minute, {{"api", Seen::ok}});
  CHECK(world.level() != Level::p1);
  world.run_to(10 * hour, {{"api", Seen::ok}});
  CHECK(world.level() == Level::none);
  CHECK(world.only().stage == incident::Stage::resolved);
}

TEST_CASE("two probes that failed page nobody, and six bad minutes of the hour do although they do not stand together", "[response]") {
  Young world(by_time);
  world.run_to(2 * hour, {{"api", Seen::ok}});
  world.run_to(2 * hour + minute, {{"api", Seen::critical}});
  world.run_to(2 * hour + 2 * minute, {{"api", Seen::ok}});
  CHECK(world.level() == Level::none);
  CHECK(world.told.empty());
  const response::ObjectiveSeen* seen = world.desk().objectives().seen("shop");
  REQUIRE(seen != nullptr);
  CHECK(seen->burns[0].is_held_back);
  const rule::Slo& slo = world.desk().plan().slos.front();
  const rule::Reading reading = rule::read_burns(slo, seen->burns, seen->budget, seen->is_known, world.now);
  CHECK(reading.levels[0].when.truth == rule::Truth::no);
  INFO(reading.levels[0].when.reason);
  CHECK(reading.levels[0].when.reason.find("; only 1m was bad in 1h, and `min_bad` is 5m50s") != std::string::npos);
  for (int i = 0; i < 4; ++i) {
    world.run_to(world.now - monday + 5 * minute, {{"api", Seen::ok}});
    world.run_to(world.now - monday + minute, {{"api", Seen::critical}});
    CHECK(world.level() != Level::p1);
  }
  world.run_to(world.now - monday + 5 * minute, {{"api", Seen::ok}});
  world.run_to(world.now - monday + minute, {{"api", Seen::critical}});
  world.run_to(world.now - monday + minute, {{"api", Seen::ok}});
  CHECK(world.level() == Level::p1);
}

TEST_CASE("one failed run of a check that runs every ten minutes fires nothing, and the second one does", "[response]") {
  std::string seldom = by_time;
  seldom.replace(seldom.find("every = \"30s\""), 13, "every = \"10m\"");
  Young world(seldom);
  const auto run = [&](Seen status) {
    world.result("api", status);
    world.run_to(world.now - monday + 10 * minute - second);
  };
  for (int i = 0; i < 12; ++i) run(Seen::ok);
  run(Seen::critical);
  CHECK(world.level() == Level::none);
  run(Seen::ok);
  CHECK(world.told.empty());
  run(Seen::critical);
  CHECK(world.level() == Level::p1);
}

TEST_CASE("a reload that changes how much must be bad keeps what burns, and from the next look on the new one holds", "[response]") {
  Young world(by_time);
  world.run_to(2 * hour, {{"api", Seen::ok}});
  world.run_to(2 * hour + 7 * minute, {{"api", Seen::critical}});
  REQUIRE(world.level() == Level::p1);
  const auto told = world.told.size();
  world.use(by_time + "min_bad = \"4m\"\n");
  CHECK(world.desk().take_unloaded_objectives().empty());
  world.run_to(2 * hour + 8 * minute, {{"api", Seen::critical}});
  CHECK(world.level() == Level::p1);
  CHECK(world.only().stage != incident::Stage::resolved);
  CHECK(world.told.size() == told);
  world.use(by_time + "min_bad = { p1 = \"20m\" }\n");
  world.run_to(2 * hour + 9 * minute, {{"api", Seen::critical}});
  CHECK(world.level() == Level::p2);
}

TEST_CASE("after a short outage the ladder of P1 calls nobody for the ticket that burns for hours", "[response]") {
  std::string text = by_time;
  text.replace(text.find("[\"cto\"] }]"), 10, "[\"cto\"], repeat = [\"15m\"] }]");
  Young world(text + "min_bad = \"0s\"\n");
  world.run_to(2 * hour, {{"api", Seen::ok}});
  world.run_to(2 * hour + 5 * minute, {{"api", Seen::critical}});
  world.run_to(2 * hour + 40 * minute, {{"api", Seen::ok}});
  const auto calls = [&] {
    return std::ranges::count_if(world.told, [](const std::string& one) { return one.find(" p1 ") != std::string::npos; });
  };
  CHECK(calls() == 1);  // the repeat after 15 minutes would be for what is over
  const auto before = calls();
  world.run_to(3 * hour + 20 * minute, {{"api", Seen::ok}});
  CHECK(world.only().level == Level::p3);
  CHECK(world.level() == Level::p3);
  CHECK(calls() == before);
  world.run_to(10 * hour, {{"api", Seen::ok}});
  CHECK(world.only().stage == incident::Stage::resolved);
  CHECK(calls() == before);
}

TEST_CASE("a short failure burns no more than the objective allows, and pages nobody", "[response]") {
  Young world(by_time);
  world.run_to(4 * hour, {{"api", Seen::ok}});
  world.run_to(4 * hour + 30 * second, {{"api", Seen::critical}});
  world.run_to(5 * hour, {{"api", Seen::ok}});
  CHECK(world.told.empty());
  const response::ObjectiveSeen* seen = world.desk().objectives().seen("shop");
  REQUIRE(seen != nullptr);
  REQUIRE(seen->budget);
  // 30 s of 0.1% of 30 days, 2592 s
  CHECK(seen->budget->left == Approx(1 - 30.0 / 2592).epsilon(0.001));
}

TEST_CASE("a restart neither forgets a burn nor ends it before its past is read", "[response]") {
  Young world(by_time), whole(by_time);  // that is not restarted
  for (World* one : {static_cast<World*>(&world), static_cast<World*>(&whole)}) {
    one->run_to(2 * hour, {{"api", Seen::ok}});
    one->run_to(2 * hour + 10 * minute, {{"api", Seen::critical}});
  }
  REQUIRE(world.level() == Level::p1);
  const auto told = world.told.size();
  const auto judged = world.judged(world.desk().plan().slos.front().definition.objective);
  world.restart();
  CHECK(world.level() == Level::p1);
  // nothing of the past is read yet: what is seen now is the whole, and says nothing
  world.run_to(2 * hour + 13 * minute, {{"api", Seen::ok}});
  CHECK(world.level() == Level::p1);
  world.know(judged);
  CHECK(world.level() == Level::p1);
  world.run_to(2 * hour + 14 * minute, {{"api", Seen::ok}});
  CHECK(world.told.size() == told);
  whole.run_to(2 * hour + 14 * minute, {{"api", Seen::ok}});
  REQUIRE(world.desk().objectives().seen("shop")->budget);
  CHECK(world.desk().objectives().seen("shop")->budget->left == Approx(whole.desk().objectives().seen("shop")->budget->left).margin(0.001));
  world.run_to(10 * hour, {{"api", Seen::ok}});
  CHECK(world.level() == Level::none);
}

TEST_CASE("a clock that is set forward by three hours is a gap: by it no burn begins or ends, also over a restart", "[response]") {
  const bool burns = GENERATE(false, true);
  CAPTURE(burns);
  Young world(by_time + "min_bad = \"0s\"\n");
  world.run_to(2 * hour, {{"api", Seen::ok}});
  world.run_to(2 * hour + 30 * second, {{"api", Seen::critical}});
  const Seen then = burns ? Seen::critical : Seen::ok;
  world.run_to(2 * hour + 2 * minute, {{"api", then}});
  const Level level = burns ? Level::p1 : Level::none;
  REQUIRE(world.level() == level);
  const double left = world.left();
  const std::size_t told = world.told.size();
  world.set_clock(3 * hour);
  world.take(world.desk().tick(world.now));
  CHECK(world.level() == level);
  if (GENERATE(false, true)) {
    world.restart(false);
    CHECK(world.level() == level);
    world.know_what_was_stored();
    CHECK(world.level() == level);
  }
  CHECK(world.told.size() == told);
  world.run_to(2 * hour + 12 * minute, {{"api", then}});
  CHECK(world.level() == level);
  if (burns) return;
  CHECK(world.told.empty());
  CHECK(world.left() == Approx(left).margin(0.01));
}

TEST_CASE("after a restart an old burn that is read back fires nothing that did not fire before", "[response]") {
  Young world(by_time);
  world.run_to(hour, {{"api", Seen::ok}});
  world.restart();
  world.run_to(hour + minute, {{"api", Seen::ok}});
  world.know({});
  world.run_to(2 * hour, {{"api", Seen::ok}});
  CHECK(world.told.empty());
}

TEST_CASE("a reload keeps what an objective saw, and one that judges otherwise is loaded again", "[response]") {
  Young world(by_time);
  world.run_to(2 * hour, {{"api", Seen::ok}});
  world.run_to(2 * hour + 7 * minute, {{"api", Seen::critical}});
  REQUIRE(world.level() == Level::p1);
  world.use(by_time + "title = \"Shop\"\n");
  CHECK(world.desk().take_unloaded_objectives().empty());
  CHECK(world.level() == Level::p1);
  std::string stricter = by_time;
  stricter.replace(stricter.find("== ok"), 5, "<= warning");
  world.use(stricter);
  CHECK(world.level() == Level::p1);
  CHECK(world.desk().take_unloaded_objectives().size() == 1);
  world.use(staff_toml);
  CHECK(world.desk().alert("slo/shop") == nullptr);
  CHECK(world.only().stage == incident::Stage::closed);
}

TEST_CASE("what a wrong condition judged says nothing of the one that mends it, and is there again where that is taken back",
          "[response]") {
  std::string wrong = by_time;
  wrong.replace(wrong.find("== ok"), 5, "== warning");
  const bool restarts = GENERATE(false, true);  // with the mended one, or a reload
  CAPTURE(restarts);
  Young world(wrong);
  world.run_to(2 * hour, {{"api", Seen::ok}});
  REQUIRE(world.level() == Level::p1);
  REQUIRE(world.left() < 0);
  world.use(by_time);
  if (restarts) world.restart();
  CHECK(world.level() == Level::p1);
  world.know_what_was_stored();
  world.run_to(2 * hour + 10 * minute, {{"api", Seen::ok}});
  CHECK(world.level() == Level::none);
  CHECK(world.left() == 1);
  world.use(wrong);
  world.know_what_was_stored();
  world.run_to(2 * hour + 11 * minute, {{"api", Seen::warning}});
  CHECK(world.left() < 0);
}

TEST_CASE("what was asked of the store before a reload is no answer for the objective of after it", "[response]") {
  Young world(by_time);
  world.run_to(2 * hour, {{"api", Seen::critical}});
  world.restart();
  const auto asked = world.desk().take_unloaded_objectives();
  REQUIRE(asked.size() == 1);
  std::string mended = by_time;
  mended.replace(mended.find("== ok"), 5, "<= critical");
  world.use(mended);
  world.take(world.desk().restore_objective(asked[0], world.judged(asked[0]), world.now));
  world.run_to(2 * hour + minute, {{"api", Seen::critical}});
  CHECK_FALSE(world.desk().objectives().seen("shop")->is_known);
  CHECK(world.left() == 1);
  world.know_what_was_stored();
  world.run_to(2 * hour + 3 * minute, {{"api", Seen::critical}});
  CHECK(world.desk().objectives().seen("shop")->is_known);
  CHECK(world.left() == 1);
}

TEST_CASE("an objective that nothing is seen of keeps its level and uses up no budget", "[response]") {
  Young world(by_time);
  world.run_to(2 * hour, {{"api", Seen::ok}});
  world.run_to(2 * hour + 7 * minute, {{"api", Seen::critical}});
  REQUIRE(world.level() == Level::p1);
  const double left = world.desk().objectives().seen("shop")->budget->left;
  world.run_to(4 * hour, {{"api", Seen::unknown}});
  CHECK(world.level() == Level::p1);
  // that a status is unknown is not ok: a check that says so has judged
  CHECK(world.desk().objectives().seen("shop")->budget->left < left);
  const double then = world.desk().objectives().seen("shop")->budget->left;
  world.run_to(6 * hour);  // no result at all
  CHECK(world.level() == Level::p1);
  CHECK_FALSE(world.desk().objectives().seen("shop")->is_known);
  CHECK(world.desk().objectives().seen("shop")->budget->left == Approx(then).margin(0.03));
}

TEST_CASE("of requests those that failed count, and too few of them say nothing", "[response]") {
  Young world(by_requests);
  double good = 1000, all = 1000;
  const auto run = [&](int times, double ok, double bad) {
    for (int i = 0; i < times; ++i) {
      world.run_to(world.now - monday + 30 * second);
      good += ok;
      all += ok + bad;
      world.result("api", Seen::ok, {{"good", good}, {"all", all}});
    }
    world.run_to(world.now - monday + minute);
  };
  SECTION("two of three at night are no outage") {
    run(60, 0, 0);
    run(1, 1, 2);
    run(10, 0, 0);
    CHECK(world.level() == Level::none);
    CHECK(world.told.empty());
  }
  SECTION("a page needs the hour and the last five minutes") {
    run(120, 100, 0);
    CHECK(world.level() == Level::none);
    run(30, 60, 40);  // 1200 of the 12000 of the last hour: ten times what is allowed
    CHECK(world.level() == Level::p2);
    run(20, 60, 40);  // 2000 of them
    CHECK(world.level() == Level::p1);
    REQUIRE_FALSE(world.told.empty());
    const auto& budget = world.desk().objectives().seen("shop")->budget;
    REQUIRE(budget);
    CHECK(budget->sums.bad == Approx(2000));
    CHECK(budget->sums.good == Approx(120 * 100 + 50 * 60 - 100));
  }
}

TEST_CASE("the first errors there ever were count although their series is new, and what is restarted begins anew", "[response]") {
  Young world(by_requests);
  const auto result = [&](const std::map<std::string, double>& counters) {
    world.run_to(world.now - monday + 30 * second);
    world.result("api", Seen::ok, counters);
  };
  result({{"good:200", 5000}, {"all:200", 5000}});  // of the first reading nothing can be said
  result({{"good:200", 5100}, {"all:200", 5100}});
  result({{"good:200", 5200}, {"all:200", 5200}, {"all:500", 7}});
  result({{"good:200", 30}, {"all:200", 30}, {"all:500", 7}});  // the counted program was restarted
  world.run_to(world.now - monday + minute);
  const auto& budget = world.desk().objectives().seen("shop")->budget;
  REQUIRE(budget);
  CHECK(budget->sums.good == Approx(230));
  CHECK(budget->sums.bad == Approx(7));
}

TEST_CASE("what is good may be some series of the counter of all", "[response]") {
  std::string text = by_requests;
  text.replace(text.find("good = \"api.good\""), std::string("good = \"api.good\"").size(), "good = 'api.all[code=\"200\"]'");
  Young world(text);
  for (const auto& [ok, failed] : {std::pair(5000, 10), std::pair(5100, 12), std::pair(5200, 17)}) {
    world.run_to(world.now - monday + 30 * second);
    world.result("api", Seen::ok, {{"all:200", ok}, {"all:500", failed}});
  }
  world.run_to(world.now - monday + minute);
  const auto& budget = world.desk().objectives().seen("shop")->budget;
  REQUIRE(budget);
  CHECK(budget->sums.good == Approx(200));
  CHECK(budget->sums.bad == Approx(7));
}

TEST_CASE("a maintenance window counts unless the objective says that it does not", "[response]") {
  const bool excluded = GENERATE(false, true);
  Young world(by_time + (excluded ? "maintenance = \"excluded\"\n" : ""));
  world.run_to(2 * hour, {{"api", Seen::ok}});
  incident::OneOffRequest request;
  request.owner = {incident::Author::Kind::contact, "cto"};
  request.reason = "new disks";
  request.lasts_ns = hour;
  auto one_off = incident::make_one_off(request, world.now, 7);
  REQUIRE(one_off);
  world.take(world.desk().start_maintenance(*one_off, world.now));
  world.run_to(2 * hour + 50 * minute, {{"api", Seen::critical}});
  world.run_to(4 * hour, {{"api", Seen::ok}});
  const auto& budget = world.desk().objectives().seen("shop")->budget;
  REQUIRE(budget);
  CHECK(budget->left == (excluded ? Approx(1).margin(0.02) : Approx(1 - 3000.0 / 2592).margin(0.02)));
}
