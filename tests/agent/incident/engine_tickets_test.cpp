// SPDX-License-Identifier: Apache-2.0
// What was asked of vendors: when their answer is owed, and who hears that it does not come.
#include "world.hpp"

using namespace ronda::incident;

namespace {

Command of_vendor(const World& world, Verb verb, std::string vendor, std::int64_t minutes = 0, std::string text = {}) {
  Command command;
  command.verb = verb;
  command.incident = world.only().id;
  command.author = contact("dba");
  command.subject = std::move(vendor);
  command.vendor_level = "Pro";
  command.for_ns = minutes * minute_ns;
  command.text = std::move(text);
  return command;
}

}  // namespace

TEST_CASE("a ticket owes its answer by the vendor's promise, is overdue once, and the fold over the events knows it", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(Verb::ack, contact("cto"));
  CHECK(world.say(of_vendor(world, Verb::ticket, "db", 10, "T-9")).text == "noted: a ticket at db, T-9");
  REQUIRE(world.only().tickets.size() == 1);
  CHECK(world.only().tickets[0].owed_ns == world.now + 10 * minute_ns);
  CHECK_FALSE(world.only().tickets[0].is_late(world.now));
  const std::size_t notices = world.notices.size();
  world.pass(9);
  CHECK(world.notices.size() == notices);
  world.pass(2);
  CHECK(world.only().tickets[0].overdue);
  CHECK(world.only().tickets[0].is_late(world.now));
  REQUIRE(world.notices.size() == notices + 1);
  CHECK(world.last_notice().event == notice::reminder);
  CHECK(world.last_notice().reason == "the answer of db is overdue");
  CHECK(world.last_notice().contacts == std::vector<std::string>{"cto"});
  world.pass(15);
  CHECK(world.notices.size() == notices + 1);
  CHECK(restore(world.events, {}).incidents == world.state.incidents);

  CHECK(world.say(of_vendor(world, Verb::answered, "db", 0, "on it")).done);
  CHECK_FALSE(world.only().tickets[0].waits());
  CHECK(world.only().tickets[0].is_late(world.now));  // it came, and too late
  const Reply again = world.say(of_vendor(world, Verb::answered, "db"));
  CHECK_FALSE(again.done);
  CHECK(again.text == "no ticket at `db` waits for an answer");
}

TEST_CASE("where nobody has the incident, who opened the ticket hears that it is overdue", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(of_vendor(world, Verb::ticket, "db", 10));
  world.pass(11);
  CHECK(world.last_notice().reason == "the answer of db is overdue");
  CHECK(world.last_notice().contacts == std::vector<std::string>{"dba"});
}

TEST_CASE("a vendor that promises no time is never overdue, and one that answered in time neither", "[incident]") {
  World world;
  world.fire("a", Level::p4);
  world.say(of_vendor(world, Verb::ticket, "forum"));
  world.say(of_vendor(world, Verb::ticket, "db", 10));
  world.pass(5);
  world.say(of_vendor(world, Verb::answered, "db"));
  world.pass(60);
  CHECK(std::ranges::none_of(world.events, [](const Event& event) { return event.kind == Kind::ticket_overdue; }));
  CHECK(world.only().tickets[0].waits());
  CHECK_FALSE(world.only().tickets[0].is_late(world.now));
  CHECK_FALSE(world.only().tickets[1].is_late(world.now));
}

TEST_CASE("of very many tickets the latest are kept", "[incident]") {
  World world;
  world.fire("a", Level::p4);
  for (int i = 0; i < 100; ++i) world.say(of_vendor(world, Verb::ticket, "db", 0, std::to_string(i)));
  CHECK(world.only().tickets.size() == 64);
  CHECK(world.only().tickets.back().text == "99");
}
