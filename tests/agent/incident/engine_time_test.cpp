// SPDX-License-Identifier: Apache-2.0
// What time alone brings: overdue responses and updates, forgotten acks, closing.
#include "world.hpp"

using namespace ronda::incident;

TEST_CASE("the time to respond is 15 minutes, an hour, four hours and a day, and is found over once", "[incident]") {
  const auto [level, minutes] =
      GENERATE(table<Level, std::int64_t>({{Level::p1, 15}, {Level::p2, 60}, {Level::p3, 240}, {Level::p4, 1440}}));
  World world;
  world.fire("a", level);
  CHECK(world.only().respond_by_ns() == World::start + minutes * minute_ns);
  world.pass(minutes - 1);
  CHECK_FALSE(world.only().response_overdue);
  world.pass(2);
  CHECK(world.only().response_overdue);
  world.pass(minutes);
  CHECK(std::ranges::count_if(world.events, [](const Event& event) { return event.kind == Kind::response_overdue; }) == 1);
}

TEST_CASE("a raise begins the time to respond anew", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  world.pass(50);
  world.fire("a", Level::p1);
  CHECK(world.only().respond_by_ns() == World::start + 65 * minute_ns);
}

TEST_CASE("the next update becomes overdue, its owner is reminded once, and an update starts the timer again", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(Verb::ack, contact("cto"));
  world.settings.levels[1].ack_remind_ns = 0;
  world.say(Verb::ack, contact("cto"));
  world.pass(31);
  CHECK(world.only().update_overdue);
  CHECK(world.last_notice().event == notice::reminder);
  CHECK(world.last_notice().contacts == std::vector<std::string>{"cto"});
  CHECK(world.last_notice().reason == "the next update is due");
  const std::size_t notices = world.notices.size();
  world.pass(20);
  CHECK(world.notices.size() == notices);
  Command update;
  update.verb = Verb::update;
  update.incident = world.only().id;
  update.author = contact("cto");
  update.text = "the replica is taking over";
  update.for_ns = 10 * minute_ns;
  world.say(update);
  CHECK_FALSE(world.only().update_overdue);
  CHECK(world.only().update_due_ns == world.now + 10 * minute_ns);
}

TEST_CASE("what somebody has who cannot be asked is asked of those whom the escalation has reached", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  SECTION("nobody has it: the escalation calls by itself") {
    world.pass(31);
    CHECK(world.only().update_overdue);
    CHECK(std::ranges::none_of(world.notices, [](const Notice& one) { return one.event == notice::reminder; }));
  }
  SECTION("a user who is no contact has it") {
    world.say(Verb::ack, unix_user("root"));
    const auto reminders = [&] {
      std::vector<std::string> out;
      for (const Notice& one : world.notices) {
        if (one.event == notice::reminder && one.contacts.empty() && !one.page) out.push_back(one.reason);
      }
      return out;
    };
    world.pass(31);
    CHECK(reminders() ==
          std::vector<std::string>{"nobody named took it within 15m", "the next update is due", "taken 30m ago: is that still so?"});
  }
  SECTION("and somebody is commander") {
    Command role;
    role.verb = Verb::role;
    role.incident = world.only().id;
    role.author = contact("cto");
    role.role = "commander";
    role.subject = "dba";
    world.say(role);
    world.say(Verb::ack, unix_user("root"));
    world.pass(31);
    CHECK(world.last_notice().event == notice::reminder);
    CHECK(world.last_notice().contacts == std::vector<std::string>{"dba"});
  }
}

TEST_CASE("a forgotten ack is asked about, then ends, and calls go on", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(Verb::ack, contact("cto"));
  world.pass(31);
  REQUIRE(std::ranges::any_of(world.notices, [](const Notice& one) { return one.reason == "taken 30m ago: is that still so?"; }));
  CHECK(world.pages() == 1);
  world.pass(30);
  CHECK(world.only().stage == Stage::open);
  CHECK(world.pages() == 2);
  CHECK(world.last_notice().reason == "the ack of cto has expired");
  REQUIRE(world.only().history.held.size() == 1);
  CHECK(world.only().history.held[0] == Stretch{World::start, World::start + 60 * minute_ns});
}

TEST_CASE("a sign of life keeps the ack", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(Verb::ack, contact("cto"));
  for (int i = 0; i < 6; ++i) {
    world.pass(25);
    world.say(Verb::note, contact("cto"), "still at it");
  }
  CHECK(world.only().stage == Stage::acknowledged);
  CHECK(world.pages() == 1);
  CHECK(std::ranges::none_of(world.events, [](const Event& event) { return event.kind == Kind::ack_reminded; }));
}

TEST_CASE("an ack that never ends by itself is asked about, more and more seldom, and keeps an end that was chosen", "[incident]") {
  World world;
  world.fire("a", Level::p4);
  const auto asked = [&] {
    return std::ranges::count_if(world.notices, [](const Notice& one) { return one.reason.ends_with(": is that still so?"); });
  };
  SECTION("for as long as it lasts") {
    world.say(Verb::ack, contact("cto"));
    for (const auto& [days, times] : {std::pair(1, 1), {2, 2}, {3, 2}, {4, 3}, {7, 3}, {8, 4}}) {
      world.pass((World::start + days * day_ns - world.now) / minute_ns + 1);
      CHECK(asked() == times);
    }
    CHECK(world.only().stage == Stage::acknowledged);
    CHECK(world.last_notice().event == notice::reminder);
    CHECK(world.last_notice().contacts == std::vector<std::string>{"cto"});
    world.say(Verb::note, contact("cto"), "ordered");  // a sign of life
    world.pass(23 * 60);
    CHECK(asked() == 4);
    world.pass(2 * 60);
    CHECK(asked() == 5);
    world.recover("a");
    CHECK_FALSE(world.only().is_live());
    world.pass(40 * 24 * 60);
    CHECK(asked() == 5);
  }
  SECTION("with an end that a note does not take away") {
    Command ack;
    ack.verb = Verb::ack;
    ack.incident = world.only().id;
    ack.author = contact("cto");
    ack.for_ns = 3 * day_ns;
    world.say(ack);
    world.pass(60);
    world.say(Verb::note, contact("cto"), "ordered");
    REQUIRE(world.only().ack);
    CHECK(world.only().ack->until_ns == World::start + 3 * day_ns);
    world.pass(3 * 24 * 60);
    CHECK(asked() == 1);
    CHECK(world.only().stage == Stage::open);
  }
}

TEST_CASE("an ack for a time that the person chose ends then", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  Command ack;
  ack.verb = Verb::ack;
  ack.incident = world.only().id;
  ack.author = contact("cto");
  ack.for_ns = 20 * minute_ns;
  world.say(ack);
  world.pass(21);
  CHECK(world.only().stage == Stage::open);
}

TEST_CASE("what is closed by its time says which parts its review lacks, and tells nobody an end that is not written", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.recover("a");
  Command review;
  review.verb = Verb::review;
  review.incident = world.only().id;
  review.author = contact("cto");
  review.fields = {{"summary", "the disk was full"}, {"impact", "none"}};
  REQUIRE(world.say(review).done);
  const std::size_t told = world.notices.size();
  world.pass(31 * 24 * 60);
  CHECK(world.only().stage == Stage::closed);
  CHECK(world.events.back().text == "its review lacks root_cause, action_items, customer, next_steps");
  CHECK(world.notices.size() == told);
}

TEST_CASE("what is over is closed after its time, and without a review says so", "[incident]") {
  World world;
  world.fire("a", Level::p3);
  world.recover("a");
  world.pass(7 * 24 * 60 - 1);
  CHECK(world.only().stage == Stage::resolved);
  world.pass(2);
  CHECK(world.only().stage == Stage::closed);
  CHECK(world.events.back().text == "without a review");
  drop_closed(world.state, world.now + 1);
  CHECK(world.state.incidents.empty());
  CHECK(world.state.by_alert.empty());
  CHECK(world.state.by_cause.empty());
}

TEST_CASE("after a tick the next one is wanted later", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.fire("b", Level::p2);
  Mute all{"window:x", {}, true, 0};
  world.give(MutesNow{{all}});
  world.say(Verb::ack, contact("cto"));
  for (int i = 0; i < 50; ++i) {
    world.now += 7 * minute_ns;
    world.give(Tick{});
    const auto wake = next_wake(world.state, world.settings);
    CHECK((!wake || *wake > world.now));
  }
}

TEST_CASE("a wall clock that goes back does not put events before others", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.now += 10 * minute_ns;
  world.fire("b", Level::p1);
  world.now -= 60 * minute_ns;
  world.say(Verb::ack, contact("cto"));
  std::int64_t last = 0;
  for (const Event& event : world.events) {
    CHECK(event.at_ns >= last);
    last = event.at_ns;
  }
}

TEST_CASE("deliveries and diagnoses are on the timeline, and only of incidents that there are", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  const std::string id = world.only().id;
  world.give(Delivery{id, "cto", "sms", "m1", "", Delivery::What::sent});
  world.give(Delivery{id, "cto", "sms", "m1", "550 no such number", Delivery::What::failed});
  world.give(Diagnosis{id, "diagnose-api", "HTTP 500"});
  CHECK(world.said() == "diagnosis");
  CHECK(world.only().told.contains("cto"));
  world.give(Delivery{"INC-20200101-0000000000", "cto", "sms", "m1", "", Delivery::What::sent});
  CHECK(world.said().empty());
}
