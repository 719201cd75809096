// SPDX-License-Identifier: Apache-2.0
// When the worst of an incident is over and something less goes on, the agent lowers it: whom that calls, and when not.
#include "world.hpp"

using namespace ronda::incident;

namespace {

std::vector<Event> of_kind(const World& world, Kind kind) {
  std::vector<Event> out;
  for (const Event& event : world.events) {
    if (event.kind == kind) out.push_back(event);
  }
  return out;
}

/// A P3 that goes on, and a P1 that is over after five minutes.
World eased_world() {
  World world;
  world.fire("ticket", Level::p3);
  world.fire("outage", Level::p1);
  world.pass(5);
  world.recover("outage");
  return world;
}

}  // namespace

TEST_CASE("what is over for a quarter of an hour does not count any more: the incident is as high as what still fires", "[incident]") {
  World world = eased_world();
  const std::size_t pages = world.pages();
  world.pass(14);
  CHECK(world.only().level == Level::p1);
  world.pass(1);
  CHECK(world.only().level == Level::p3);
  CHECK(world.only().peak_level == Level::p1);
  const auto lowered = of_kind(world, Kind::lowered);
  REQUIRE(lowered.size() == 1);
  CHECK(lowered[0].author.kind == Author::Kind::agent);
  CHECK(lowered[0].level == Level::p3);
  CHECK(lowered[0].text == "nothing of it has been p1 for 15m; firing: ticket");
  CHECK(world.pages() == pages);  // nobody is woken by that
  SECTION("it stays so") {
    world.pass(24 * 60);
    CHECK(of_kind(world, Kind::lowered).size() == 1);
  }
  SECTION("over a restart it is the same") {
    const State again = restore(world.events, {});
    CHECK(again == world.state);
  }
  SECTION("what comes back pages as any rise does") {
    world.pass(30);
    world.fire("outage", Level::p1);
    CHECK(world.only().level == Level::p1);
    CHECK(world.pages() == pages + 1);
  }
  SECTION("step by step, if something between goes on") {
    world.fire("slow", Level::p2);
    world.pass(60);
    CHECK(world.only().level == Level::p2);
    world.recover("slow");
    world.pass(6 * 60);
    CHECK(world.only().level == Level::p3);
  }
}

TEST_CASE("those who were called hear that it is less by now, and that calls nobody", "[incident]") {
  World world = eased_world();
  world.give(Delivery{world.only().id, "cto", "sms", "m1", "", Delivery::What::sent});
  world.pass(15);
  CHECK(world.last_notice().event == notice::update);
  CHECK_FALSE(world.last_notice().page);
  CHECK(world.last_notice().level == Level::p3);
  CHECK(world.last_notice().contacts == std::vector<std::string>{"cto"});
  CHECK(world.last_notice().reason == "lowered to p3: nothing of it has been p1 for 15m; firing: ticket");
}

TEST_CASE("what comes back within the quarter of an hour begins it anew", "[incident]") {
  World world = eased_world();
  world.pass(14);
  world.fire("outage", Level::p1);
  world.pass(1);
  world.recover("outage");
  world.pass(14);
  CHECK(world.only().level == Level::p1);
  world.pass(1);
  CHECK(world.only().level == Level::p3);
}

TEST_CASE("an alert that falls by itself lowers its incident as well", "[incident]") {
  World world;
  world.fire("slo/shop", Level::p1);
  world.pass(5);
  world.fire("slo/shop", Level::p3);
  world.pass(15);
  CHECK(world.only().level == Level::p3);
}

TEST_CASE("how bad a person said that it is stays", "[incident]") {
  World world;
  world.fire("ticket", Level::p3);
  Command command;
  command.incident = world.only().id;
  command.author = contact("cto");
  SECTION("raised") {
    command.verb = Verb::raise;
    command.level = Level::p1;
    world.say(command);
    world.pass(24 * 60);
    CHECK(world.only().level == Level::p1);
  }
  SECTION("lowered, and what was worse since then is over") {
    world.fire("outage", Level::p1);
    command.verb = Verb::lower;
    command.level = Level::p2;
    world.say(command);
    world.recover("outage");
    world.pass(60);
    CHECK(world.only().level == Level::p2);
    world.fire("second", Level::p1);
    world.pass(5);
    world.recover("second");
    world.pass(24 * 60);
    CHECK(world.only().level == Level::p2);
  }
  SECTION("raised, and worse is over") {
    command.verb = Verb::raise;
    command.level = Level::p2;
    world.say(command);
    world.fire("outage", Level::p1);
    world.pass(5);
    world.recover("outage");
    world.pass(60);
    CHECK(world.only().level == Level::p2);
  }
}

namespace {

World opened_by_hand() {
  World world;
  Command command;
  command.verb = Verb::open;
  command.author = contact("cto");
  command.text = "the shop is odd";
  command.level = Level::p2;
  command.service = "api";
  world.say(command);
  return world;
}

}  // namespace

TEST_CASE("what a person opened is as high as that person said, also when what joined it is over", "[incident]") {
  World world = opened_by_hand();
  world.fire("outage", Level::p1);
  REQUIRE(world.only().level == Level::p1);
  world.recover("outage");
  world.pass(15);
  CHECK(world.only().level == Level::p2);
  world.pass(24 * 60);
  CHECK(world.only().level == Level::p2);
}

TEST_CASE("what a person says is worse than what fires in it stands beside that for who hides it", "[incident]") {
  World world = opened_by_hand();
  const auto shown = [&] {
    std::vector<std::pair<std::string, Level>> out;
    for (const Firing& one : world.state.firing(world.settings)) out.emplace_back(one.name(), one.level);
    return out;
  };
  const std::pair<std::string, Level> person{"the shop is odd", Level::p2};
  CHECK(shown() == std::vector{person});
  world.fire("outage", Level::p3);
  REQUIRE(world.only().members.contains("outage"));
  CHECK(shown() == std::vector{std::pair<std::string, Level>{"outage", Level::p3}, person});
  world.fire("outage", Level::p1);
  CHECK(shown() == std::vector{std::pair<std::string, Level>{"outage", Level::p1}});
}

TEST_CASE("what a person opened and an alert brought back goes on being called when that is over: only a person knows", "[incident]") {
  World world = opened_by_hand();
  REQUIRE(world.say(Verb::resolve, contact("cto"), "it was the cache").done);
  world.pass(10);
  world.fire("outage", Level::p1);
  REQUIRE(world.only().is_live());
  world.pass(1);
  CHECK(world.only().history.below.empty());
  world.recover("outage");
  REQUIRE(world.only().is_live());
  world.pass(1);
  CHECK(world.only().history.below.empty());
}

TEST_CASE("of an impact that is said again the newest word stands, and it takes no other one's place", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  Command command = {};
  command.verb = Verb::note;
  command.author = contact("cto");
  command.incident = world.only().id;
  command.subject = "users";
  for (int i = 0; i < 100; ++i) {
    command.text = "word " + std::to_string(i);
    REQUIRE(world.say(command).done);
  }
  command.subject = "security";
  command.text = "somebody is in";
  REQUIRE(world.say(command).done);
  const auto& impacts = world.only().history.impacts;
  REQUIRE(impacts.size() == 2);
  CHECK(impacts[0].text == "word 99");
  CHECK(impacts[1].tag == "security");
}

TEST_CASE("whom a stand-in for messages that failed reached as the last resort hears the end as well", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  Incident incident = world.only();
  Event event;
  event.sequence = incident.sequence + 1;
  event.kind = Kind::notice_delivered;
  event.channel = "mail";
  apply(incident, event);
  CHECK(incident.last_resorts.contains("mail"));
}

TEST_CASE("time that is hidden does not count, nor time in which no agent watched", "[incident]") {
  World world = eased_world();
  world.pass(10);
  SECTION("a window hides all of it") {
    world.give(MutesNow{{{"window:deploy", {}, true, 0}}});
    REQUIRE(world.only().is_suppressed());
    world.pass(3 * 60);
    CHECK(world.only().level == Level::p1);
    world.give(MutesNow{});
    world.pass(4);
    CHECK(world.only().level == Level::p1);
    world.pass(1);
    CHECK(world.only().level == Level::p3);
  }
  SECTION("the agent was away, and then a window hides all of it") {
    world.now += 60 * minute_ns;
    world.state = restore(world.events, {});
    world.state.watched_since_ns = world.now;
    world.give(MutesNow{{{"window:deploy", {}, true, 0}}});
    world.pass(60);
    world.give(MutesNow{});
    world.pass(14);
    CHECK(world.only().level == Level::p1);
    world.pass(1);
    CHECK(world.only().level == Level::p3);
  }
  SECTION("the agent was away") {
    world.now += 60 * minute_ns;
    world.state = restore(world.events, {});
    world.state.watched_since_ns = world.now;
    world.pass(14);
    CHECK(world.only().level == Level::p1);
    world.pass(1);
    CHECK(world.only().level == Level::p3);
  }
}

TEST_CASE("what is worse and goes up and down for a day beside something that stays calls twice", "[incident]") {
  const std::int64_t apart = GENERATE(1, 16, 40, 120);
  CAPTURE(apart);
  World world;
  world.fire("ticket", Level::p3);
  const std::size_t before = world.pages();
  for (std::int64_t passed = 0; passed < 24 * 60; passed += 2 * apart) {
    world.fire("outage", Level::p1);
    world.pass(apart);
    world.recover("outage");
    world.pass(apart);
  }
  CHECK(world.pages() - before <= 2);
  world.pass(6 * 60);
  CHECK(world.only().level == Level::p3);
}

TEST_CASE("what came out of a silence for less, and was worse when that ended, is lowered as the first time", "[incident]") {
  World world;
  Matcher outage;
  outage.alerts = {"outage"};
  world.give(MutesNow{{{"window:all", {}, true, 0}}});
  world.fire("outage", Level::p1);
  world.fire("ticket", Level::p3);
  world.give(MutesNow{{{"silence:S-1", {outage}, false, 0}}});
  REQUIRE(world.only().level == Level::p3);
  world.pass(5);
  world.give(MutesNow{});
  REQUIRE(world.only().level == Level::p1);
  world.recover("outage");
  world.pass(15);
  CHECK(world.only().level == Level::p3);
}

TEST_CASE("one that comes back after half a day is lowered after a quarter of an hour again", "[incident]") {
  World world = eased_world();
  for (int i = 0; i < 3; ++i) {
    world.pass(15);
    REQUIRE(world.only().level == Level::p3);
    world.pass(12 * 60);
    world.fire("outage", Level::p1);
    world.pass(5);
    world.recover("outage");
  }
  world.pass(15);
  CHECK(world.only().level == Level::p3);
}

TEST_CASE("what flapped and then stays broken is called at the level that it has by then", "[incident]") {
  World world;
  for (int i = 0; i < 3; ++i) {
    world.fire("a", Level::p1);
    world.pass(1);
    world.recover("a");
    world.pass(1);
  }
  REQUIRE(world.only().is_flapping);
  world.fire("b", Level::p3);
  world.pass(31);
  CHECK_FALSE(world.only().is_flapping);
  CHECK(world.only().level == Level::p3);
  CHECK(world.last_notice().page);
  CHECK(world.last_notice().level == Level::p3);
}

TEST_CASE("an ack does not keep it high, and a rise ends the ack", "[incident]") {
  World world = eased_world();
  world.say(Verb::ack, contact("cto"));
  world.pass(15);
  CHECK(world.only().level == Level::p3);
  CHECK(world.only().is_taken());
  const std::size_t pages = world.pages();
  world.fire("outage", Level::p1);
  CHECK_FALSE(world.only().is_taken());
  CHECK(world.pages() == pages + 1);
}
