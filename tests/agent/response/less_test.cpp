// SPDX-License-Identifier: Apache-2.0
// When the worst of an incident is over: who is called meanwhile, and who hears that it is less and that it is over.
#include <set>

#include "agent/response/desk.hpp"

namespace ronda::test::less {
namespace {

const std::string shop = R"(
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
[alert.outage]
p1 = "api.status == critical"
[alert.slow]
p3 = "api.status >= warning"
[service.shop]
title = "The shop"
checks = ["api"]
[contact.pager]
channels = [{ notifier = "log", levels = ["p1"] }]
[contact.cto]
channels = [{ notifier = "log", to = "cto", levels = ["p1"] }, { notifier = "mail", to = "cto@example.com" }]
[contact.dev]
channels = [{ notifier = "mail", to = "dev@example.com" }]
[contact.ceo]
channels = [{ notifier = "mail", to = "ceo@example.com" }]
[group.team]
members = ["dev", "cto"]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["pager", "cto"], repeat = ["1h"] }, { from = "10m", notify = ["ceo"], business = true }]
[escalation.default.p3]
steps = [{ from = "0m", notify = ["dev"] }]
)";

using Lines = std::set<std::string>;

Lines taken(World& world) {
  const Lines out(world.told.begin(), world.told.end());
  CHECK(out.size() == world.told.size());  // none of them twice
  world.told.clear();
  return out;
}

const std::map<std::string, Seen> down = {{"api", Seen::critical}}, slow = {{"api", Seen::warning}}, well = {{"api", Seen::ok}};
/// And half a minute later, that `slow` fires too.
const Lines called = {"0s open p1 pager log",    "0s open p1 cto log",    "0s open p1 cto mail",
                      "30s update p1 pager log", "30s update p1 cto log", "30s update p1 cto mail"};

}  // namespace

TEST_CASE("who was called by a channel for a P1 alone hears by it that it is less and that it is over, also after a restart",
          "[response]") {
  const bool restarts = GENERATE(false, true);
  World world(shop);
  world.result("api", Seen::critical);
  world.run_to(5 * minute, down);
  CHECK(taken(world) == called);
  if (restarts) world.restart();
  world.run_to(30 * minute, slow);
  REQUIRE(world.only().level == Level::p3);
  CHECK(taken(world) ==
        Lines{"20m30s update p3 pager log", "20m30s update p3 cto log", "20m30s update p3 cto mail", "20m30s open p3 dev mail"});
  // what is said between is for the level that it has
  world.command(incident::Verb::update, "cto", "we look into it");
  CHECK(taken(world) == Lines{"30m update p3 cto mail", "30m update p3 dev mail"});
  if (restarts) world.restart();
  world.run_to(31 * minute, well);
  CHECK(taken(world) ==
        Lines{"30m30s resolve p3 pager log", "30m30s resolve p3 cto log", "30m30s resolve p3 cto mail", "30m30s resolve p3 dev mail"});
}

TEST_CASE("who is called for less just then hears by his other channels that it is less", "[response]") {
  World world(with_other(shop, "notify = [\"dev\"]", "notify = [\"team\"]"));
  world.result("api", Seen::critical);
  world.run_to(5 * minute, down);
  CHECK(taken(world) == called);
  world.run_to(30 * minute, slow);
  CHECK(taken(world) ==
        Lines{"20m30s open p3 cto mail", "20m30s open p3 dev mail", "20m30s update p3 pager log", "20m30s update p3 cto log"});
}

TEST_CASE("the end of what was lowered waits for the end of quiet hours as anything of that level", "[response]") {
  World world(with_other(shop, "[contact.pager]", "[contact.pager]\nquiet = \"22:00-07:00\""));
  world.result("api", Seen::critical);
  world.run_to(5 * minute, down);
  world.run_to(30 * minute, slow);
  world.run_to(31 * minute, well);
  std::size_t held = 0;
  for (const store::OutboxRow& row : world.order) {
    if (row.contact != "pager") continue;
    CHECK(row.next_at == (row.level == "p1" ? 0 : monday + 7 * hour));
    held += row.next_at != 0 ? 1 : 0;
  }
  CHECK(held == 2);
}

TEST_CASE("a contact that came back for less hears the end of that by what he heard of it", "[response]") {
  World world(shop);
  world.result("api", Seen::critical);
  world.run_to(5 * minute, down);
  world.run_to(6 * minute, well);
  REQUIRE_FALSE(world.only().is_live());
  world.told.clear();
  world.run_to(10 * minute, slow);
  world.told.clear();
  world.run_to(60 * minute, well);
  for (const std::string& line : world.told) CHECK_FALSE(line.ends_with("log"));
  CHECK(world.told.size() >= 2);
}

TEST_CASE("while nothing is as high as the incident its ladder stands, and goes on where it was, over a restart too", "[response]") {
  const bool restarts = GENERATE(false, true);
  World world(shop);
  world.result("api", Seen::critical);
  world.run_to(5 * minute, down);
  CHECK(taken(world) == called);
  world.run_to(12 * minute, slow);
  REQUIRE(world.only().level == Level::p1);
  CHECK(incident::headline_of(world.only()).starts_with("slow"));
  CHECK(taken(world).empty());  // the step after ten minutes was for what is over
  if (restarts) world.restart();
  world.run_to(17 * minute - second, down);
  CHECK(incident::headline_of(world.only()).starts_with("outage"));
  CHECK(taken(world).empty());  // nor is anybody called anew
  world.run_to(17 * minute, down);
  CHECK(taken(world) == Lines{"17m open p1 ceo mail"});
}

TEST_CASE("an ack that ends while nothing is as high calls nobody until it is lowered, then those of the lower ladder", "[response]") {
  World world(with_other(shop, "notify = [\"dev\"]", "notify = [\"cto\"]"));  // who was told already is called by this alone
  world.result("api", Seen::critical);
  world.run_to(minute, down);
  incident::Command ack;
  ack.verb = incident::Verb::ack;
  ack.incident = world.only().id;
  ack.author = {incident::Author::Kind::contact, "cto"};
  ack.for_ns = 10 * minute;
  world.take(world.desk().command(ack, world.now));
  world.run_to(5 * minute, down);
  world.told.clear();
  world.run_to(20 * minute, slow);
  REQUIRE_FALSE(world.only().is_taken());
  for (const std::string& line : world.told) CHECK(line.find(" open ") == std::string::npos);
  world.told.clear();
  world.run_to(21 * minute, slow);
  CHECK(taken(world) == Lines{"20m30s open p3 cto mail", "20m30s update p3 cto log", "20m30s update p3 pager log"});
}

TEST_CASE("what a person raised is called for, and so is what came back after it was lowered", "[response]") {
  World world(shop);
  SECTION("a person's word") {
    world.result("api", Seen::warning);
    incident::Command raise;
    raise.verb = incident::Verb::raise;
    raise.incident = world.only().id;
    raise.author = {incident::Author::Kind::contact, "cto"};
    raise.level = Level::p1;
    world.take(world.desk().command(raise, world.now));
    world.told.clear();
    world.run_to(61 * minute, slow);
    CHECK(std::ranges::count(world.told, "10m open p1 ceo mail") == 1);
    CHECK(std::ranges::count(world.told, "1h update p1 pager log") == 1);
  }
  SECTION("it came back") {
    world.result("api", Seen::critical);
    world.run_to(5 * minute, down);
    world.run_to(25 * minute, slow);
    REQUIRE(world.only().level == Level::p3);
    world.run_to(26 * minute, down);
    REQUIRE(world.only().level == Level::p1);
    world.told.clear();
    world.run_to(2 * hour, slow);
    REQUIRE(world.only().level == Level::p1);
    CHECK(std::ranges::any_of(world.told, [](const std::string& line) { return line.ends_with(" p1 pager log"); }));
  }
}

}  // namespace ronda::test::less
