// SPDX-License-Identifier: Apache-2.0
// Maintenance, overrides of on-call, tests and drills, from what a person asks to the envelopes that it makes.
#include "response/upkeep.hpp"

#include "agent/response/desk.hpp"
#include "config/toml.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

const std::string fallback_shop = R"(
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
severity = "p1"
[service.shop]
title = "The shop"
checks = ["api"]
escalation = "default"
[contact.cto]
name = "CTO"
channels = [{ notifier = "log" }, { notifier = "mail", to = "cto@example.com", fallback = true }]
[contact.ceo]
name = "CEO"
channels = [{ notifier = "mail", to = "ceo@example.com" }]
[oncall.ops]
members = ["cto"]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ops"], repeat = ["15m"] }]
)";

using Lines = std::vector<std::string>;

response::Plan& plan(World& world) {
  return *std::const_pointer_cast<response::Plan>(world.desk().share_plan());
}

std::string start(World& world, std::int64_t lasts, bool until_ok = false, std::vector<std::int64_t> announce = {}, std::int64_t from = 0) {
  incident::OneOffRequest wanted;
  wanted.what.services = {"shop"};
  wanted.owner = {incident::Author::Kind::contact, "ceo"};
  wanted.reason = "new disk";
  wanted.lasts_ns = lasts;
  wanted.until_ok = until_ok;
  wanted.announce_ns = std::move(announce);
  wanted.from_ns = from;
  const auto made = incident::make_one_off(std::move(wanted), world.now, 5);
  REQUIRE(made);
  world.take(world.desk().start_maintenance(*made, world.now));
  return made->id;
}

}  // namespace

TEST_CASE("what a person opens at P1 under maintenance is told to its owner, and is called at its end", "[response]") {
  World world(fallback_shop);
  const std::string id = start(world, 30 * minute, true);
  world.told.clear();
  incident::Command open;
  open.verb = incident::Verb::open;
  open.author = {incident::Author::Kind::contact, "cto"};
  open.source = "cli";
  open.level = config::Level::p1;
  open.service = "shop";
  open.text = "the till burns";
  world.take(world.desk().command(open, world.now));
  CHECK(world.told == Lines{"0s update p1 ceo mail"});
  const auto hidden = world.desk().incidents().firing(world.desk().plan().settings);
  REQUIRE(hidden.size() == 1);
  CHECK(hidden.front().name() == "the till burns");
  CHECK(hidden.front().incident == world.only().id);
  world.told.clear();
  world.run_to(31 * minute);
  INFO(id);
  CHECK_FALSE(world.only().is_suppressed());  // until it is ok is of alerts: a person must hear of it to end it
  CHECK_FALSE(world.told.empty());
}

TEST_CASE("maintenance is told to who is called first, hides, and at its end what is still broken is called", "[response]") {
  const bool restarts = GENERATE(false, true);
  World world(fallback_shop);
  const std::string id = start(world, 30 * minute);
  CHECK(world.told == Lines{"0s update p3 cto log"});
  world.told.clear();
  world.now += minute;
  world.result("api", Seen::critical);
  CHECK(world.told == Lines{"1m update p1 ceo mail"});  // its owner: it hides a P1
  CHECK(world.only().suppressed_by == "window:" + id);
  if (restarts) world.restart();
  world.told.clear();
  world.run_to(40 * minute, {{"api", Seen::critical}});
  CHECK(std::ranges::find(world.told, "27m update p3 ceo mail") != world.told.end());
  CHECK(std::ranges::find(world.told, "30m update p3 cto log") != world.told.end());
  CHECK(std::ranges::find(world.told, "30m open p1 cto log") != world.told.end());
  CHECK(world.told.size() == 3);
  CHECK_FALSE(world.only().is_suppressed());
}

TEST_CASE("maintenance that a person ends calls what is still broken at once, and ends once", "[response]") {
  World world(fallback_shop);
  const std::string id = start(world, hour);
  world.now += minute;
  world.result("api", Seen::critical);
  world.told.clear();
  world.now += minute;
  auto ended = world.desk().end_maintenance(id, {incident::Author::Kind::contact, "ceo"}, world.now);
  REQUIRE(ended);
  world.take(*std::move(ended));
  CHECK(world.told == Lines{"2m update p3 cto log", "2m open p1 cto log"});
  CHECK_FALSE(world.desk().end_maintenance(id, {}, world.now));
  CHECK(world.desk().end_maintenance("M-NOTHING", {}, world.now).error().code() == Errc::not_found);
  world.restart();
  world.told.clear();
  world.run_to(5 * minute, {{"api", Seen::critical}});
  CHECK(world.told.empty());
}

TEST_CASE("maintenance of later is announced as asked, over a restart, and hides nothing before it begins", "[response]") {
  World world(fallback_shop);
  start(world, hour, false, {hour}, monday + 3 * hour);
  CHECK(world.told.empty());
  world.restart();
  world.result("api", Seen::ok);
  world.run_to(2 * hour + minute, {{"api", Seen::ok}});
  CHECK(world.told == Lines{"2h update p3 cto log"});
  world.result("api", Seen::critical);
  CHECK(world.told.back() == "2h1m open p1 cto log");
}

TEST_CASE("what the store has of a window that left the configuration goes when it can have no more meaning", "[response]") {
  World world(fallback_shop);
  schedule::ZoneDatabase zones;
  auto calendar = schedule::parse_calendar("*-*-* 00:00 UTC", zones, zone("UTC"));
  REQUIRE(calendar);
  plan(world).windows.push_back({"nightly", "", *std::move(calendar), hour, {}, {}, false, 0, {}, {}, {}, "cto", {}, "backups"});
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.now += minute;
  world.result("api", Seen::critical);
  CHECK(world.told == Lines{"1m update p1 cto log"});
  REQUIRE(world.held.silences.contains("W-nightly"));
  plan(world).windows.clear();
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.run_to(2 * hour, {{"api", Seen::ok}});
  CHECK(world.held.silences.contains("W-nightly"));
  world.now = monday + 9 * 24 * hour;
  world.restart();
  world.take(world.desk().tick(world.now));
  CHECK_FALSE(world.held.silences.contains("W-nightly"));
  CHECK_FALSE(world.desk().upkeep().marks.contains("nightly"));
}

TEST_CASE("who stands in is called in place of who is on call, until it is undone", "[response]") {
  World world(fallback_shop);
  incident::OnCallOverride wanted{{}, "ops", "ceo", {incident::Author::Kind::contact, "cto"}, "a day off", 0, 0, monday + hour, 0, {}};
  const auto made = incident::make_override(std::move(wanted), world.now, 9);
  REQUIRE(made);
  world.take(world.desk().override_oncall(*made, world.now));
  world.restart();
  world.now += minute;
  world.result("api", Seen::critical);
  CHECK(world.told == Lines{"1m open p1 ceo mail"});
  world.now += minute;
  auto undone = world.desk().end_override(made->id, {incident::Author::Kind::contact, "cto"}, world.now);
  REQUIRE(undone);
  world.take(*std::move(undone));
  world.told.clear();
  world.run_to(17 * minute, {{"api", Seen::critical}});
  CHECK(world.told == Lines{"16m update p1 cto log"});
}

TEST_CASE("a test goes by every channel of the contact, marked as one, and nothing stands in for it", "[response]") {
  World world(fallback_shop);
  auto sent = world.desk().send_test("cto", {incident::Author::Kind::unix, "root"}, "test/ABC", world.now);
  REQUIRE(sent);
  world.take(*std::move(sent));
  CHECK(world.told == Lines{"0s test  cto log", "0s test  cto mail"});
  for (const auto& [id, row] : world.held.outbox) {
    CHECK(id.starts_with("test/ABC/"));
    CHECK(response::is_trial(row));
    CHECK(row.text.title.find("TEST") != std::string::npos);
    CHECK(row.incident.empty());
  }
  CHECK(world.desk().send_test("cta", {}, "test/X", world.now).error().message() ==
        "there is no contact, group or oncall `cta`; did you mean `cto`?");
}

TEST_CASE("a drill is due once at its instant, marked, over restarts, and a stale one is left out", "[response]") {
  World world(fallback_shop);
  schedule::ZoneDatabase zones;
  auto calendar = schedule::parse_calendar("*-*-* 10:00 UTC", zones, zone("UTC"));
  REQUIRE(calendar);
  plan(world).drill = response::Drill{*std::move(calendar), Level::p1, {"ops", "ceo"}};
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.run_to(10 * hour - minute, {{"api", Seen::ok}});
  CHECK(world.told.empty());
  world.restart();
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.run_to(10 * hour + minute, {{"api", Seen::ok}});
  CHECK(world.told == Lines{"10h test p1 cto log", "10h test p1 cto mail", "10h test p1 ceo mail"});
  for (const auto& [id, row] : world.held.outbox) CHECK(row.text.title.starts_with("[DRILL] "));
  world.restart();
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.run_to(11 * hour, {{"api", Seen::ok}});
  CHECK(world.told.size() == 3);
  // the clock is set back over a restart, and ten o'clock comes once more
  world.now -= 2 * hour;
  world.restart();
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.run_to(11 * hour, {{"api", Seen::ok}});
  CHECK(world.told.size() == 3);
  // no agent for a day and two hours
  world.now += 25 * hour;
  world.restart();
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.run_to(37 * hour, {{"api", Seen::ok}});
  CHECK(world.told.size() == 3);
}
