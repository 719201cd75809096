// SPDX-License-Identifier: Apache-2.0
// Silences and windows: nobody is told, the clocks stand, and what is still broken at the end is told.
#include "world.hpp"

using namespace ronda::incident;

namespace {

Mute window(std::string service, std::int64_t until_ns = 0) {
  Matcher what;
  what.services = {std::move(service)};
  return {"window:sunday", {what}, false, until_ns};
}
Mute silence_of(std::string alert) {
  Matcher what;
  what.alerts = {std::move(alert)};
  return {"silence:S-1", {what}, false, 0};
}

}  // namespace

TEST_CASE("what begins inside of a window is an incident that nobody is told of", "[incident]") {
  World world;
  world.give(MutesNow{{window("api")}});
  world.fire("a", Level::p1);
  CHECK(world.said() == "opened alert_joined suppressed");
  CHECK(world.notices.empty());
  CHECK(world.only().suppressed_by == "window:sunday");
  world.recover("a");
  CHECK(world.notices.empty());
}

TEST_CASE("at the window's end what is still broken is called, for the first time or again", "[incident]") {
  World world;
  world.give(MutesNow{{window("api")}});
  world.fire("a", Level::p1);
  world.pass(120);
  world.give(MutesNow{});
  REQUIRE(world.pages() == 1);
  CHECK(world.last_notice().event == notice::open);
  CHECK(world.last_notice().reason == "hidden until now by window:sunday: a: over its limit");

  World told;
  told.fire("a", Level::p1);
  told.give(MutesNow{{window("api")}});
  told.give(MutesNow{});
  REQUIRE(told.pages() == 2);
  CHECK(told.last_notice().event == notice::escalation);
  CHECK(told.last_notice().reason == "still broken after window:sunday");
}

TEST_CASE("at the window's end nobody is called for what somebody has", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(Verb::ack, contact("cto"));
  world.give(MutesNow{{window("api")}});
  world.give(MutesNow{});
  CHECK(world.pages() == 1);
}

TEST_CASE("the clock stands while a window hides the incident and at nothing else", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  world.pass(10);
  world.give(MutesNow{{window("api")}});
  world.pass(120);
  CHECK(world.only().elapsed.at(world.now) == 10 * minute_ns);
  CHECK_FALSE(world.only().respond_by_ns());
  world.give(MutesNow{});
  world.pass(5);
  CHECK(world.only().elapsed.at(world.now) == 15 * minute_ns);
  CHECK(world.only().respond_by_ns() == World::start + 180 * minute_ns);
  world.say(Verb::ack, contact("cto"));
  world.pass(5);
  CHECK(world.only().elapsed.at(world.now) == 20 * minute_ns);
  REQUIRE(world.only().history.suppressed.size() == 1);
  CHECK(world.only().history.suppressed[0] == Stretch{World::start + 10 * minute_ns, World::start + 130 * minute_ns});
}

TEST_CASE("a window that ended while no agent ran ended at its own end for the clock", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  world.give(MutesNow{{window("api", World::start + 60 * minute_ns)}});
  const State before = world.state;
  world.state = restore(world.events, before.mutes);
  CHECK(world.state == before);
  world.now = World::start + 90 * minute_ns;
  world.give(MutesNow{});
  CHECK(world.only().elapsed.at(world.now) == 30 * minute_ns);
}

TEST_CASE("an incident is hidden only when all of its firing alerts are", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  world.fire("b", Level::p3);
  world.give(MutesNow{{silence_of("a")}});
  CHECK_FALSE(world.only().is_suppressed());
  world.recover("b");
  CHECK(world.only().is_suppressed());
}

TEST_CASE("a silenced alert does not raise the incident; when the silence ends it does", "[incident]") {
  World world;
  world.give(MutesNow{{silence_of("a")}});
  world.fire("b", Level::p3);
  world.fire("a", Level::p1);
  CHECK(world.only().level == Level::p3);
  CHECK(world.pages() == 1);
  world.give(MutesNow{});
  CHECK(world.only().level == Level::p1);
  CHECK(world.pages() == 2);
}

TEST_CASE("an alert whose worse level alone is silenced is heard when it becomes less", "[incident]") {
  Matcher worst;
  worst.levels = {Level::p1};
  World world;
  world.give(MutesNow{{Mute{"silence:S-1", {worst}, false, 0}}});
  world.fire("b", Level::p4);
  world.fire("a", Level::p1);
  CHECK(world.only().level == Level::p4);
  world.fire("a", Level::p2);
  CHECK(world.only().level == Level::p2);
  CHECK(world.pages() == 2);
  // and not once more while it is heard: how bad it is was said since then
  Command lower;
  lower.verb = Verb::lower;
  lower.incident = world.only().id;
  lower.author = contact("cto");
  lower.level = Level::p4;
  REQUIRE(world.say(lower).done);
  world.fire("a", Level::p3);
  CHECK(world.only().level == Level::p4);
  CHECK(world.pages() == 2);
}

TEST_CASE("an alert that joins a hidden incident is called at its own level, not at the hidden one's", "[incident]") {
  World world;
  world.give(MutesNow{{silence_of("a")}});
  world.fire("a", Level::p1);
  world.fire("b", Level::p3);
  CHECK(world.only().level == Level::p3);
  REQUIRE(world.pages() == 1);
  CHECK(world.last_notice().level == Level::p3);
  CHECK(world.only().peak_level == Level::p1);
}

TEST_CASE("a window over everything hides what a person opens as well, and says so", "[incident]") {
  World world;
  world.give(MutesNow{{Mute{"window:all", {}, true, 0}}});
  Command command;
  command.verb = Verb::open;
  command.author = contact("cto");
  command.level = Level::p2;
  command.text = "broken";
  CHECK(world.say(command).text == "opened; nobody is told: window:all");
  world.give(MutesNow{});
  CHECK(world.pages() == 1);
}

TEST_CASE("what flaps in a window stays hidden while it is still, whenever the mutes are told again", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.recover("a");
  world.pass(1);
  world.give(MutesNow{{silence_of("a")}});
  world.fire("a", Level::p1);
  world.pass(1);
  world.recover("a");
  REQUIRE(world.only().is_flapping);
  REQUIRE(world.only().is_suppressed());
  world.give(MutesNow{{silence_of("a")}});  // as after a start
  CHECK(world.only().is_suppressed());
  world.give(MutesNow{});
  CHECK_FALSE(world.only().is_suppressed());
  CHECK(world.pages() == 1);
}

TEST_CASE("tags of the check and the alert's level are matched too", "[incident]") {
  World world;
  world.settings.tags["c-a"] = {"nightly"};
  Matcher tag, level;
  tag.tags = {"nightly"};
  level.levels = {Level::p4};
  world.give(MutesNow{{Mute{"silence:S-1", {tag}, false, 0}, Mute{"silence:S-2", {level}, false, 0}}});
  world.fire("a", Level::p1, "x");
  world.fire("b", Level::p4, "y");
  CHECK(world.pages() == 0);
  world.fire("b", Level::p2, "y");
  CHECK(world.pages() == 1);
}
