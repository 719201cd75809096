// SPDX-License-Identifier: Apache-2.0
// What messages call an incident, and which check is its root.
#include "world.hpp"

using namespace ronda::incident;
using ronda::rule::Change;

namespace {

/// With a title of its own, as [alert.N] has one.
void fire(World& world, const std::string& alert, Level to, const std::string& title) {
  Change one = change(alert, "c-" + alert, "api", to);
  one.title = title;
  world.give(one);
}

std::string called(const World& world) {
  return headline_of(world.only());
}

}  // namespace

TEST_CASE("a raise names what raised it, and the record keeps what it was opened for", "[incident]") {
  World world;
  fire(world, "cache", Level::p3, "The database reads from the disk");
  CHECK(called(world) == "The database reads from the disk");
  fire(world, "db", Level::p1, "The database does not answer");
  CHECK(called(world) == "The database does not answer");
  CHECK(world.only().title == "The database reads from the disk");
  CHECK(restore(world.events, {}) == world.state);
  world.recover("db");
  CHECK(called(world) == "The database reads from the disk");  // at P1 still, and that is over
  world.pass(60);
  REQUIRE(world.only().level == Level::p3);
  CHECK(called(world) == "The database reads from the disk");
  world.recover("cache");
  REQUIRE(world.only().stage == Stage::resolved);
  CHECK(called(world) == "The database does not answer");  // of the end, what it was about when it was worst
  world.pass(5);
  fire(world, "cache", Level::p3, "The database reads from the disk again");
  CHECK(called(world) == "The database reads from the disk again");
  world.recover("cache");
  world.pass(60);
  REQUIRE_FALSE(world.only().is_live());
  CHECK(called(world) == "The database reads from the disk again");
}

TEST_CASE("where what it was called after has recovered, another one that is as grave names it", "[incident]") {
  World world;
  fire(world, "a", Level::p2, "A is slow");
  fire(world, "b", Level::p2, "B is slow");
  fire(world, "c", Level::p4, "C is late");
  CHECK(called(world) == "A is slow");
  world.recover("a");
  CHECK(called(world) == "B is slow");
  fire(world, "a", Level::p2, "A is slow");
  CHECK(called(world) == "A is slow");
}

TEST_CASE("an alert that goes down its ladder, and one without a title, say what they are", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  CHECK(called(world) == "a: over its limit");
  Change less = change("a", "c-a", "api", Level::p3);
  less.reason = "over its lower limit";
  world.give(less);
  CHECK(called(world) == "a: over its lower limit");  // at P1 still
  world.pass(60);
  REQUIRE(world.only().level == Level::p3);
  CHECK(called(world) == "a: over its lower limit");
}

TEST_CASE("what a person called it stays, whatever joins", "[incident]") {
  World world;
  Command open;
  open.verb = Verb::open;
  open.level = Level::p3;
  open.service = "api";
  open.author = contact("cto");
  open.text = "orders come in twice";
  REQUIRE(world.say(open).done);
  fire(world, "db", Level::p1, "The database does not answer");
  REQUIRE(world.only().level == Level::p1);
  CHECK(called(world) == "orders come in twice");
}

TEST_CASE("what a silence hides does not name what is heard, and what a person lowered keeps its name", "[incident]") {
  World world;
  Matcher db;
  db.alerts = {"db"};
  world.give(MutesNow{{{"silence:S-1", {db}, false, 0}}});
  fire(world, "db", Level::p1, "The database does not answer");
  fire(world, "cache", Level::p3, "The database reads from the disk");
  REQUIRE(world.only().level == Level::p3);
  CHECK(called(world) == "The database reads from the disk");
  CHECK(world.last_notice().reason == "hidden until now by silence:S-1: The database reads from the disk");

  World other;
  fire(other, "cache", Level::p3, "The database reads from the disk");
  fire(other, "db", Level::p1, "The database does not answer");
  Command lower;
  lower.verb = Verb::lower;
  lower.level = Level::p3;
  lower.incident = other.only().id;
  lower.author = contact("cto");
  REQUIRE(other.say(lower).done);
  CHECK(called(other) == "The database does not answer");
}

TEST_CASE("one that a person resolved and that gets worse is called after what got worse", "[incident]") {
  World world;
  fire(world, "a", Level::p3, "A is slow");
  Command resolve;
  resolve.verb = Verb::resolve;
  resolve.incident = world.only().id;
  resolve.author = contact("cto");
  resolve.text = "known";
  resolve.force = true;
  REQUIRE(world.say(resolve).done);
  CHECK(called(world) == "A is slow");
  SECTION("by the same alert") {
    fire(world, "a", Level::p1, "A is down");
    CHECK(called(world) == "A is down");
  }
  SECTION("by another one") {
    fire(world, "b", Level::p1, "B is down");
    CHECK(called(world) == "B is down");
    world.recover("b");
    world.recover("a");
    world.pass(60);
    CHECK(called(world) == "B is down");
  }
  CHECK(world.only().opened_count == 2);
  CHECK(restore(world.events, {}) == world.state);
}

TEST_CASE("the parent's alert that joins its children is the root, and names them where it is as grave", "[incident]") {
  const Level parent = GENERATE(Level::p1, Level::p2, Level::p3);
  World world;
  fire(world, "api-down", Level::p2, "The API is down");
  world.fire("api-down", Level::none, "api", "c-network");
  CHECK(world.only().root == "c-api-down");
  CHECK(world.only().members.at("api-down").blocker == "c-network");
  CHECK(called(world) == "The API is down");
  const std::string id = world.only().id, group(world.only().group()), cause = world.only().cause;
  Change network = change("network", "c-network", "infra", parent);
  network.title = "No network";
  world.give(network);
  CHECK(world.only().root == "c-network");
  CHECK(world.only().id == id);
  CHECK(world.only().group() == group);
  CHECK(world.only().cause == cause);
  CHECK(called(world) == (parent == Level::p3 ? "The API is down" : "No network"));
  CHECK(restore(world.events, {}) == world.state);

  // both checks find it as before
  Change child = change("api-slow", "c-api-down", "shop", Level::p3);
  world.give(child);
  CHECK(world.only().members.contains("api-slow"));
  world.give(change("network-slow", "c-network", "else", Level::p4));
  CHECK(world.state.by_alert.at("network-slow") == id);
}

TEST_CASE("a child of no service keeps its group when its parent's alert joins", "[incident]") {
  World world;
  world.fire("load", Level::p2, "");
  world.fire("load", Level::none, "", "c-disk");
  world.fire("disk", Level::p2, "");
  CHECK(world.only().root == "c-disk");
  CHECK(world.only().group() == "c-load");
}

TEST_CASE("an alert of a check that others than the root wait for is not the root", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  world.fire("b", Level::p2);
  world.fire("b", Level::none, "api", "c-network");
  world.fire("network", Level::p2, "infra");
  CHECK(world.only().root == "c-a");
  world.fire("a", Level::none, "api", "c-network");  // now it does
  CHECK(world.only().root == "c-network");
}
