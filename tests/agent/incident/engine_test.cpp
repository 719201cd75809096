// SPDX-License-Identifier: Apache-2.0
// What alerts do to incidents: grouping, levels, the end, coming back, flapping.
#include "world.hpp"

using namespace ronda::incident;
using ronda::rule::Change;

TEST_CASE("an alert opens an incident of its service, with level, root and a link nobody can guess, and calls", "[incident]") {
  World world;
  world.settings.war_room = "https://meet.jit.si/minimarket-{id}-{random}";
  world.fire("api-down", Level::p1);
  const Incident& incident = world.only();
  CHECK(world.said() == "opened alert_joined notice_owed");
  CHECK(is_id(incident.id));
  CHECK(incident.id.starts_with("INC-20261130-"));
  CHECK(incident.service == "api");
  CHECK(incident.root == "c-api-down");
  CHECK(incident.level == Level::p1);
  CHECK(incident.title == "api-down: over its limit");
  CHECK(incident.stage == Stage::open);
  CHECK(incident.war_room.starts_with("https://meet.jit.si/minimarket-" + incident.id + "-"));
  CHECK(incident.war_room.size() == std::string("https://meet.jit.si/minimarket--").size() + incident.id.size() + 12);
  REQUIRE(world.notices.size() == 1);
  CHECK(world.notices[0].event == notice::open);
  CHECK(world.notices[0].page);
  CHECK(world.notices[0].contacts.empty());
  CHECK(world.notices[0].group == "api");
  CHECK(world.notices[0].sequence == 3);
  CHECK(world.events[0].host == "shop-1");
}

TEST_CASE("a diagnosis is asked for at P1 and P2 and not below", "[incident]") {
  const auto wanted = [](Level level) {
    World world;
    const Outcome out = world.fire("a", level);
    return std::ranges::count_if(out.effects, [](const Effect& effect) { return std::holds_alternative<Diagnose>(effect); });
  };
  CHECK(wanted(Level::p1) == 1);
  CHECK(wanted(Level::p2) == 1);
  CHECK(wanted(Level::p3) == 0);
  CHECK(wanted(Level::p4) == 0);
}

TEST_CASE("what becomes grave later is looked into then, once, whoever raises it", "[incident]") {
  World world;
  std::vector<std::string> wanted;
  const auto take = [&](const Outcome& out) {
    for (const Effect& effect : out.effects) {
      if (const auto* diagnose = std::get_if<Diagnose>(&effect)) wanted.push_back(diagnose->alert);
    }
  };
  take(world.fire("a", Level::p3));
  CHECK(wanted.empty());
  const auto lines = [](std::initializer_list<std::string> all) { return std::vector<std::string>(all); };
  SECTION("the alert itself") {
    take(world.fire("a", Level::p2));
    CHECK(wanted == lines({"a"}));
    take(world.fire("a", Level::p1));
    CHECK(wanted == lines({"a"}));
  }
  SECTION("another alert that joins") {
    take(world.fire("b", Level::p4));
    take(world.fire("c", Level::p1));
    CHECK(wanted == lines({"c"}));
  }
  SECTION("a person: the gravest that fires is looked into") {
    take(world.fire("b", Level::p4));
    Command command;
    command.verb = Verb::raise;
    command.incident = world.only().id;
    command.author = contact("cto");
    command.level = Level::p1;
    take(world.give(command));
    CHECK(wanted == lines({"a"}));
  }
  SECTION("it is over and comes back for more") {
    take(world.recover("a"));
    REQUIRE_FALSE(world.only().is_live());
    take(world.fire("a", Level::p1));
    CHECK(wanted == lines({"a"}));
    take(world.recover("a"));
    take(world.fire("a", Level::p1));
    CHECK(wanted == lines({"a"}));
  }
}

TEST_CASE("an objective that burns at P1 or P2 gives its incident the impact sla, once, and no other alert does", "[incident]") {
  World world;
  const auto impacts = [&] {
    std::vector<std::string> out;
    for (const History::Impact& one : world.only().history.impacts) out.push_back(one.tag);
    return out;
  };
  world.fire("api-down", Level::p1);
  world.fire("slo/api", Level::p3);
  CHECK(impacts().empty());
  world.fire("slo/api", Level::p2);
  CHECK(impacts() == std::vector<std::string>{"sla"});
  CHECK(world.last.events.back().author.kind == Author::Kind::agent);
  CHECK(world.last.events.back().text == "the objective api burns");
  world.fire("slo/api", Level::p1);
  world.fire("slo/orders", Level::p1);
  CHECK(impacts() == std::vector<std::string>{"sla"});
  CHECK(restore(world.events, {}).incidents == world.state.incidents);
}

TEST_CASE("a second alert of the service joins the incident and calls nobody", "[incident]") {
  World world;
  world.fire("api-down", Level::p2);
  world.fire("api-slow", Level::p3);
  CHECK(world.only().members.size() == 2);
  CHECK(world.only().level == Level::p2);
  CHECK(world.pages() == 1);
  world.pass(1);
  CHECK(world.pages() == 1);
  CHECK(world.last_notice().event == notice::update);
  CHECK(world.last_notice().reason == "1 more alert; firing: api-down, api-slow");
}

TEST_CASE("ten thousand alerts of one service are two messages: the first at once, the rest as one with its count", "[incident]") {
  World world;
  for (int i = 0; i < 10000; ++i) world.fire("a" + std::to_string(i), Level::p3);
  CHECK(world.notices.size() == 1);
  world.pass(1);
  REQUIRE(world.notices.size() == 2);
  CHECK(world.notices[1].count == 9999);
  CHECK_FALSE(world.notices[1].page);
}

TEST_CASE("alerts without a service are one incident for each check", "[incident]") {
  World world;
  world.give(change("disk-full", "disk", "", Level::p2));
  world.give(change("disk-trend", "disk", "", Level::p3));
  world.give(change("load", "load", "", Level::p3));
  CHECK(world.state.incidents.size() == 2);
}

TEST_CASE("an alert of a higher level raises the incident and calls; it says so once", "[incident]") {
  World world;
  world.fire("api-slow", Level::p3);
  world.fire("api-down", Level::p1);
  CHECK(world.only().level == Level::p1);
  CHECK(world.pages() == 2);
  CHECK(world.last_notice().event == notice::escalation);
  CHECK(world.last_notice().reason == "raised to p1: api-down: over its limit");
  world.fire("api-slow", Level::p1);
  CHECK(world.pages() == 2);
}

TEST_CASE("an alert that goes down its ladder leaves the incident at its level", "[incident]") {
  World world;
  world.fire("api", Level::p1);
  world.fire("api", Level::p3);
  CHECK(world.only().level == Level::p1);
  CHECK(world.only().members.at("api").level == Level::p3);
  CHECK(world.said() == "alert_changed");
  world.fire("api", Level::p3);
  CHECK(world.said().empty());
}

TEST_CASE("a child that fires and is then blocked goes on in its parent's incident; its own ends and says where", "[incident]") {
  World world;
  world.fire("api-down", Level::p1, "api");
  world.now += second_ns;
  world.fire("network", Level::p2, "infra");
  world.fire("api-down", Level::none, "api", "c-network");
  REQUIRE(world.state.incidents.size() == 2);
  const Incident* api = nullptr;
  const Incident* infra = nullptr;
  for (const auto& [id, incident] : world.state.incidents) (incident.service == "api" ? api : infra) = &incident;
  CHECK(api->stage == Stage::resolved);
  CHECK(infra->members.at("api-down").fires());
  CHECK(infra->members.at("api-down").blocked);
  CHECK(infra->level == Level::p1);
  CHECK(world.last_notice().event == notice::resolve);
  CHECK(world.last_notice().reason == "goes on in " + infra->id);
  world.recover("network", "infra");
  CHECK(infra->is_live());
  Change judged = change("api-down", "c-api-down", "api", Level::none);
  judged.what = Change::What::unblocked;
  world.give(judged);
  CHECK(infra->stage == Stage::resolved);
}

TEST_CASE("a blocked child that did not fire is listed with its parent and changes nothing else", "[incident]") {
  World world;
  world.fire("api-down", Level::none, "api", "c-network");
  CHECK(world.state.incidents.empty());
  world.fire("network", Level::p2, "infra");
  world.fire("api-down", Level::none, "api", "c-network");
  CHECK(world.said() == "alert_joined");
  CHECK(world.only().members.at("api-down").blocked);
  CHECK_FALSE(world.only().members.at("api-down").fires());
  world.fire("api-down", Level::none, "api", "c-network");
  CHECK(world.said().empty());
  world.recover("network", "infra");
  CHECK(world.only().stage == Stage::resolved);
}

TEST_CASE("children that fired before their parent's alert are one incident, which that alert joins", "[incident]") {
  World world;
  world.fire("api-down", Level::p1, "api");
  world.fire("api-down", Level::none, "api", "c-network");
  CHECK(world.only().members.at("api-down").fires());
  CHECK(world.only().is_paging());
  world.now += second_ns;
  world.fire("db-down", Level::p2, "db");
  world.fire("db-down", Level::none, "db", "c-network");
  world.fire("network", Level::p3, "infra");
  std::size_t live = 0;
  for (const auto& [id, incident] : world.state.incidents) live += incident.is_live() ? 1 : 0;
  CHECK(live == 1);
  const Incident& shared = *world.state.find(world.state.by_alert.at("network"));
  CHECK(shared.members.size() == 3);
  CHECK(shared.root == "c-network");
  for (const char* child : {"api-down", "db-down"}) CHECK(shared.members.at(child).blocker == "c-network");
}

TEST_CASE("an alert of which nothing is known keeps its level, and that is recorded", "[incident]") {
  World world;
  world.fire("api-down", Level::p1);
  Change lost = change("api-down", "c-api-down", "api", Level::p1);
  lost.what = Change::What::no_data;
  lost.reason = "no result for 5m";
  world.give(lost);
  CHECK(world.said() == "note");
  CHECK(world.events.back().text == "api-down: no result for 5m");
  CHECK(world.only().members.at("api-down").level == Level::p1);
}

TEST_CASE("the incident is over when its last alert has recovered, and those who were told are told", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  world.give(Delivery{world.only().id, "cto", "slack", "m1", "", Delivery::What::sent});
  world.fire("b", Level::p2);
  world.recover("a");
  CHECK(world.only().is_live());
  world.recover("b");
  CHECK(world.only().stage == Stage::resolved);
  CHECK(world.last_notice().event == notice::resolve);
  CHECK(world.last_notice().contacts == std::vector<std::string>{"cto"});
  CHECK_FALSE(world.last_notice().page);
}

TEST_CASE("the same cause soon after the end is the same incident; later it is a new one", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  world.pass(5);
  world.recover("a");
  world.pass(29);
  world.fire("a", Level::p2);
  CHECK(world.said() == "reopened alert_joined notice_owed");
  CHECK(world.only().stage == Stage::open);
  CHECK(world.only().opened_count == 2);
  CHECK(world.pages() == 2);

  World other;
  other.fire("a", Level::p2);
  other.recover("a");
  other.pass(31);
  other.fire("a", Level::p2);
  CHECK(other.state.incidents.size() == 2);
}

TEST_CASE("what comes back for less is called for less, and raised when it gets as bad again", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.pass(5);
  world.recover("a");
  world.pass(10);
  world.fire("a", Level::p3);
  CHECK(world.said() == "reopened alert_joined notice_owed");
  CHECK(world.only().level == Level::p3);
  CHECK(world.only().peak_level == Level::p1);
  world.pass(1);
  world.fire("a", Level::p1);
  CHECK(world.only().level == Level::p1);
  CHECK(world.pages() == 3);
}

TEST_CASE("a check that flaps for a day calls twice, and its end is told once it has been still", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  for (int i = 0; i < 24 * 60 / 2; ++i) {
    world.pass(1);
    world.recover("a");
    world.pass(1);
    world.fire("a", Level::p1);
  }
  CHECK(world.pages() == 2);
  CHECK(world.only().is_flapping);
  world.recover("a");
  world.pass(31);
  CHECK(world.only().stage == Stage::resolved);
  CHECK(world.pages() == 2);
  CHECK(std::ranges::count_if(world.notices, [](const Notice& one) { return one.event == notice::resolve; }) == 2);
}

TEST_CASE("what flapped and then stays broken is called again", "[incident]") {
  World world;
  for (int i = 0; i < 10; ++i) {
    world.fire("a", Level::p1);
    world.pass(1);
    world.recover("a");
    world.pass(1);
  }
  world.fire("a", Level::p1);
  CHECK(world.pages() == 2);
  world.pass(31);
  CHECK_FALSE(world.only().is_flapping);
  CHECK(world.pages() == 3);
  CHECK(world.last_notice().reason == "fires without a break for 30m");
}

TEST_CASE("while it flaps a higher level is called all the same", "[incident]") {
  World world;
  for (int i = 0; i < 3; ++i) {
    world.fire("a", Level::p3);
    world.recover("a");
  }
  REQUIRE(world.only().is_flapping);
  world.fire("b", Level::p1);
  CHECK_FALSE(world.only().is_flapping);
  CHECK(world.last_notice().page);
}

TEST_CASE("a check that left the configuration closes its incident, and that is told", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.give(Removed{"a"});
  CHECK(world.only().stage == Stage::closed);
  CHECK(world.events[world.events.size() - 2].text == "config removed");
  CHECK(world.last_notice().event == notice::resolve);
  CHECK(world.last_notice().reason == "closed: alert `a` was removed from the configuration");
}

TEST_CASE("one of two alerts that is removed does not close the incident of the other", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.fire("b", Level::p2);
  world.give(Removed{"a"});
  CHECK(world.only().stage == Stage::open);
  world.give(Removed{"b"});
  CHECK(world.only().stage == Stage::closed);
}

TEST_CASE("an incident that waits for a removed alert to settle is closed too", "[incident]") {
  World world;
  for (int i = 0; i < 2; ++i) {
    world.fire("a", Level::p3);
    world.recover("a");
  }
  REQUIRE(world.only().is_live());
  world.give(Removed{"a"});
  CHECK(world.only().stage == Stage::closed);
}

TEST_CASE("what a store that came late knows is known again, and what fires in two incidents goes on in the later one alone", "[incident]") {
  World before, world;
  before.fire("a", Level::p1);
  before.say(Verb::ack, contact("cto"));
  before.fire("x", Level::p2, "other");
  const std::string older = before.state.by_alert.at("a"), other = before.state.by_alert.at("x");
  world.now = before.now + minute_ns;
  world.give(Tick{});
  world.give(Tick{});
  world.give(Tick{});  // other random bits
  world.fire("a", Level::p1);
  const std::string newer = world.only().id;
  REQUIRE(newer != older);
  CHECK_FALSE(has_doubles(world.state));

  world.give(Recalled{before.events});
  CHECK(world.said() == "alert_left resolved notice_owed");  // what was known is not written again
  CHECK(world.state.find(older)->stage == Stage::resolved);
  CHECK(world.state.find(other)->stage == Stage::open);
  CHECK(world.state.find(newer)->stage == Stage::open);
  CHECK(world.last_notice().event == notice::resolve);
  CHECK(world.last_notice().incident == older);
  CHECK(world.last_notice().reason == "goes on in " + newer);
  CHECK(world.state.by_alert.at("a") == newer);
  CHECK_FALSE(has_doubles(world.state));
  const State twice = world.state;
  world.give(Recalled{before.events});
  CHECK(world.last.events.empty());
  CHECK(world.state == twice);
  std::vector<Event> stored = before.events;
  stored.insert(stored.end(), world.events.begin(), world.events.end());
  CHECK(restore(stored, {}) == world.state);
  world.recover("a");
  world.recover("x", "other");
  for (const auto& [id, incident] : world.state.incidents) CHECK(incident.stage == Stage::resolved);
}

TEST_CASE("an alert that a restart finds in two incidents ends in both", "[incident]") {
  World before, world;
  before.fire("a", Level::p1);
  world.now = before.now + minute_ns;
  world.give(Tick{});
  world.fire("a", Level::p1);
  std::vector<Event> stored = before.events;
  stored.insert(stored.end(), world.events.begin(), world.events.end());
  world.state = restore(stored, {});
  REQUIRE(world.state.incidents.size() == 2);
  REQUIRE(has_doubles(world.state));
  world.give(Recalled{});
  CHECK_FALSE(has_doubles(world.state));
  world.recover("a");
  for (const auto& [id, incident] : world.state.incidents) CHECK(incident.stage == Stage::resolved);
}

TEST_CASE("ids stay apart even when the random bits are the same", "[incident]") {
  State state;
  Settings settings;
  step(state, settings, change("a", "a", "", Level::p1), World::start, {7, 7});
  step(state, settings, change("b", "b", "", Level::p1), World::start, {7, 7});
  CHECK(state.incidents.size() == 2);
}
