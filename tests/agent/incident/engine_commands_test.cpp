// SPDX-License-Identifier: Apache-2.0
// What people do to incidents, and who may.
#include "world.hpp"

using namespace ronda::incident;

namespace {

Command on(const World& world, Verb verb, const Author& author) {
  Command command;
  command.verb = verb;
  command.incident = world.only().id;
  command.author = author;
  return command;
}

}  // namespace

TEST_CASE("a contact's ack is the response: nobody is called any more and the time to respond is met", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.now += 10 * minute_ns;
  const Reply reply = world.say(Verb::ack, contact("cto"));
  CHECK(reply.done);
  CHECK(reply.text == "it is yours for 1h");
  CHECK(world.only().stage == Stage::acknowledged);
  CHECK(world.only().responded);
  CHECK(world.only().responded_by == "cto");
  CHECK_FALSE(world.only().is_paging());
  CHECK(world.last_notice().reason == "taken by cto");
  CHECK_FALSE(world.last_notice().page);
  world.pass(10);
  CHECK_FALSE(world.only().response_overdue);
}

TEST_CASE("who takes it a second time tells nobody anew", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(Verb::ack, contact("cto"));
  const std::size_t told = world.notices.size();
  world.now += 10 * minute_ns;
  CHECK(world.say(Verb::ack, contact("cto")).done);
  CHECK(world.notices.size() == told);
  CHECK(world.only().ack->until_ns == world.now + 60 * minute_ns);
}

TEST_CASE("a time that an ack or an update cannot have is refused, not changed", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  for (const std::int64_t wrong : {minute_ns - 1, 7 * 24 * 60 * minute_ns + 1}) {
    Command ack = on(world, Verb::ack, contact("cto"));
    ack.for_ns = wrong;
    const Reply reply = world.say(ack);
    CHECK_FALSE(reply.done);
    CHECK(reply.text == "an acknowledgement lasts from 1m to 1w");
    CHECK_FALSE(world.only().is_taken());
  }
  for (const std::int64_t wrong : {minute_ns - 1, 30 * 24 * 60 * minute_ns + 1}) {
    Command update = on(world, Verb::update, contact("cto"));
    update.text = "we look";
    update.for_ns = wrong;
    CHECK_FALSE(world.say(update).done);
  }
}

TEST_CASE("an ack by uid 0 stops the calls, is recorded as unix:root and does not stop the time to respond", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  const Reply reply = world.say(Verb::ack, unix_user("root"));
  CHECK(reply.done);
  CHECK(reply.text == "nobody is called any more; the time to respond runs on until a contact of conf.d takes it");
  CHECK(to_text(world.only().ack->author) == "unix:root");
  CHECK_FALSE(world.only().is_paging());
  CHECK_FALSE(world.only().responded);
  world.pass(16);
  CHECK(world.only().response_overdue);
  CHECK(world.say(Verb::ack, contact("cto")).done);
  CHECK(world.only().responded);
}

TEST_CASE("somebody else's ack is not taken over by chance", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(Verb::ack, contact("cto"));
  const Reply reply = world.say(Verb::ack, contact("dba"));
  CHECK_FALSE(reply.done);
  CHECK(reply.code == ronda::Errc::exists);
  CHECK(reply.text == "cto has it already; take it over with --force");
  CHECK(world.said() == "refused");
  Command slip = on(world, Verb::ack, contact("dba"));
  slip.based_on = world.only().sequence + 1;  // what nobody can have seen
  CHECK(world.say(slip).text ==
        "there is no event " + std::to_string(slip.based_on) + " to base it on; the last one is " + std::to_string(slip.based_on - 1));
  CHECK(world.only().ack->author == contact("cto"));
  Command force = on(world, Verb::ack, contact("dba"));
  force.force = true;
  CHECK(world.say(force).done);
  CHECK(world.only().ack->author == contact("dba"));
  Command root = on(world, Verb::ack, unix_user("root"));
  root.force = true;
  CHECK(world.say(root).text == "dba has it; only a contact of conf.d can take it over");
}

TEST_CASE("of two who decide at once the first one's word holds, both are told and both are recorded", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  const std::uint64_t seen = world.only().sequence;
  CHECK(world.say(Verb::ack, contact("cto"), "", seen).done);
  const Reply lost = world.say(Verb::ack, contact("dba"), "", seen);
  CHECK_FALSE(lost.done);
  CHECK(lost.code == ronda::Errc::exists);
  CHECK(lost.text == "cto was first: it is acknowledged at p2 now; look at it and say `ack` again if that is still wanted");
  CHECK(world.said() == "refused notice_owed");
  CHECK(world.last_notice().contacts == std::vector<std::string>{"cto"});
  CHECK(world.last_notice().reason == "dba wanted `ack` at the same time and was told that you were first");
  CHECK(world.only().ack->author == contact("cto"));
  CHECK(std::ranges::count_if(world.events,
                              [](const Event& event) { return event.kind == Kind::refused && event.author == contact("dba"); }) == 1);
}

TEST_CASE("what the same person did, notes and the agent's own events are no conflict", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  const std::uint64_t seen = world.only().sequence;
  world.say(Verb::ack, contact("cto"), "", seen);
  CHECK(world.say(Verb::mitigate, contact("cto"), "", seen).done);
  CHECK(world.say(Verb::note, contact("dba"), "seen it too", seen).done);
  World other;
  other.fire("a", Level::p2);
  const std::uint64_t before = other.only().sequence;
  other.fire("b", Level::p3);
  CHECK(other.say(Verb::ack, contact("cto"), "", before).done);
}

TEST_CASE("two roles do not conflict, two holders of one do", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  Command role = on(world, Verb::role, contact("cto"));
  role.based_on = world.only().sequence;
  role.role = "commander";
  role.subject = "cto";
  CHECK(world.say(role).done);
  role.author = contact("dba");
  role.subject = "dba";
  CHECK_FALSE(world.say(role).done);
  role.role = "scribe";
  CHECK(world.say(role).done);
  CHECK(world.only().roles.at("commander").contact == "cto");
  CHECK(world.only().roles.at("scribe").contact == "dba");
}

TEST_CASE("the ack ends by itself at the recovery", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.say(Verb::ack, contact("cto"));
  world.recover("a");
  CHECK(world.only().stage == Stage::resolved);
  CHECK_FALSE(world.only().ack);
}

TEST_CASE("an ack was given for a level: a higher one ends it and calls", "[incident]") {
  World world;
  world.fire("a", Level::p3);
  world.say(Verb::ack, contact("cto"));
  world.fire("b", Level::p1);
  CHECK(world.said() == "alert_joined unacked raised notice_owed");
  CHECK(world.only().stage == Stage::open);
  CHECK_FALSE(world.only().responded);
  CHECK(world.last_notice().page);
}

TEST_CASE("raise goes up, lower goes down, and neither goes nowhere", "[incident]") {
  World world;
  world.fire("a", Level::p3);
  Command command = on(world, Verb::raise, contact("cto"));
  command.level = Level::p3;
  CHECK(world.say(command).text == "it is p3, and p3 is not higher");
  command.level = Level::p2;
  CHECK(world.say(command).done);
  CHECK(world.last_notice().page);
  command.verb = Verb::lower;
  CHECK(world.say(command).text == "it is p2, and p2 is not lower");
  command.level = Level::p4;
  CHECK(world.say(command).done);
  CHECK(world.only().level == Level::p4);
  CHECK(world.only().peak_level == Level::p2);
  CHECK_FALSE(world.last_notice().page);
}

TEST_CASE("mitigating is taking it too", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  CHECK(world.say(Verb::mitigate, contact("cto"), "switching to the replica").done);
  CHECK(world.said() == "acked mitigated notice_owed");
  CHECK(world.only().stage == Stage::mitigating);
  CHECK(world.only().responded);
}

TEST_CASE("what still fires is resolved only by force with a reason, and opened again if it goes on", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  CHECK(world.say(Verb::resolve, contact("cto")).text == "still firing: a; resolve it with --force and a reason, or wait for the recovery");
  Command command = on(world, Verb::resolve, contact("cto"));
  command.force = true;
  CHECK(world.say(command).text == "--force needs a reason");
  command.text = "known, nobody uses it";
  CHECK(world.say(command).done);
  CHECK(world.only().stage == Stage::resolved);
  CHECK(world.events[world.events.size() - 2].forced);
  world.pass(59);
  CHECK(world.only().stage == Stage::resolved);
  world.pass(2);
  CHECK(world.only().stage == Stage::open);
  CHECK(world.last_notice().reason == "again: still firing: a");
}

TEST_CASE("what was resolved by force and still fires is not hidden by something smaller that comes", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  Command command = on(world, Verb::resolve, contact("cto"));
  command.force = true;
  command.text = "the sensor is broken";
  REQUIRE(world.say(command).done);
  const bool is_over = GENERATE(false, true);
  if (is_over) world.recover("a");
  world.fire("b", Level::p3);
  CHECK(world.only().stage == Stage::open);
  CHECK(world.only().level == (is_over ? Level::p3 : Level::p1));
}

TEST_CASE("what was resolved by force comes back at once when it gets worse", "[incident]") {
  World world;
  world.fire("a", Level::p3);
  Command command = on(world, Verb::resolve, contact("cto"));
  command.force = true;
  command.text = "known";
  world.say(command);
  world.fire("a", Level::p1);
  CHECK(world.only().stage == Stage::open);
  CHECK(world.only().level == Level::p1);
  CHECK(world.last_notice().page);
}

TEST_CASE("a P1 is closed with a whole review, or by force with a reason", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  CHECK(world.say(Verb::close, contact("cto")).text == "it is open: resolve it first");
  world.recover("a");
  CHECK(world.say(Verb::close, contact("cto")).text ==
        "the review lacks summary, impact, root_cause, action_items, customer, next_steps; write them with `ronda incident review`, or use "
        "--force and a reason");
  Command review = on(world, Verb::review, contact("cto"));
  review.fields = {{"summery", "x"}};
  CHECK(world.say(review).text == "a review has no part `summery`; did you mean `summary`?");
  review.fields = {{"summary", "a"}, {"impact", "b"}, {"root_cause", "c"}, {"action_items", "d"}, {"customer", "e"}};
  CHECK(world.say(review).done);
  CHECK(world.say(Verb::close, contact("cto")).text ==
        "the review lacks next_steps; write them with `ronda incident review`, or use --force and a reason");
  Command close = on(world, Verb::close, contact("cto"));
  close.force = true;
  CHECK(world.say(close).text == "--force needs a reason");
  close.text = "nothing to do";
  CHECK(world.say(close).done);
  CHECK(world.only().stage == Stage::closed);
  CHECK(world.say(Verb::close, contact("cto")).text == "it is closed already");
}

TEST_CASE("a person opens an incident, alerts of its service join it, and only a person ends it", "[incident]") {
  World world;
  Command command;
  command.verb = Verb::open;
  command.author = contact("cto");
  command.source = "cli";
  command.text = "customers say the shop is slow";
  CHECK(world.say(command).text == "an incident needs a level: p1, p2, p3 or p4");
  command.level = Level::p3;
  command.service = "api";
  CHECK(world.say(command).done);
  world.fire("a", Level::p2);
  CHECK(world.only().members.size() == 1);
  CHECK(world.only().level == Level::p2);
  const Reply again = world.say(command);
  CHECK(again.code == ronda::Errc::exists);
  CHECK(again.text == "service `api` has " + world.only().id + " already (open): add a note to it or raise it");
  world.recover("a");
  CHECK(world.only().is_live());
  CHECK(world.last_notice().event == notice::update);
  CHECK(world.say(Verb::resolve, contact("cto"), "it was the cache").done);
  CHECK(world.only().stage == Stage::resolved);
}

TEST_CASE("commands on what is over or was never there say so", "[incident]") {
  World world;
  world.fire("a", Level::p3);
  world.recover("a");
  CHECK(world.say(Verb::ack, contact("cto")).text == "it is resolved already");
  Command command;
  command.verb = Verb::ack;
  command.incident = "INC-20200101-0000000000";
  command.author = contact("cto");
  const Reply reply = world.say(command);
  CHECK(reply.code == ronda::Errc::not_found);
  CHECK(reply.text == "there is no incident `INC-20200101-0000000000`");
}

TEST_CASE("a note and an update need a text, and say whom it hurts", "[incident]") {
  World world;
  world.fire("a", Level::p3);
  CHECK(world.say(Verb::note, contact("cto"), "  ").text == "a note needs a text");
  CHECK(world.say(Verb::update, contact("cto")).text == "an update needs a text: what is known now, and what is being done");
  Command command = on(world, Verb::update, contact("cto"));
  command.text = "half of the orders fail";
  command.subject = "users";
  CHECK(world.say(command).done);
  REQUIRE(world.only().history.impacts.size() == 1);
  CHECK(world.only().history.impacts[0].tag == "users");
  CHECK(world.only().history.impacts[0].text.empty());
  CHECK(world.last_notice().reason == "half of the orders fail");
  command.verb = Verb::note;
  command.text = "nobody can pay";
  CHECK(world.say(command).done);
  CHECK(world.only().history.impacts.back() == History::Impact{world.now, "users", "nobody can pay"});
}

TEST_CASE("who takes it where many read ends the calls and not the time to respond, and any person takes it from there", "[incident]") {
  World world;
  world.settings.levels[1].respond_within_ns = 15 * minute_ns;
  world.fire("a", Level::p1);
  Command command = on(world, Verb::ack, {Author::Kind::room, "ops-room"});
  command.text = "Eva";
  CHECK(world.say(command).text == "nobody is called any more; the time to respond runs on until a contact of conf.d takes it");
  CHECK(world.last_notice().reason == "taken by somebody at the address of ops-room (the name given: Eva)");
  CHECK(world.last_notice().reason_es == "tomado por alguien en la dirección de ops-room (nombre indicado: Eva)");
  CHECK(world.only().is_taken());
  CHECK_FALSE(world.only().is_paging());
  CHECK(world.only().responded_by.empty());
  CHECK(world.only().respond_by_ns().has_value());
  const auto acked = std::ranges::find(world.events, Kind::acked, &Event::kind);
  REQUIRE(acked != world.events.end());
  CHECK(to_text(acked->author) == "room:ops-room");
  CHECK(acked->text == "the name given: Eva");
  CHECK(parse_event(to_json(*acked)).has_value());
  CHECK(world.say(Verb::ack, contact("cto")).done);
  CHECK(world.only().responded_by == "cto");
  CHECK_FALSE(world.only().respond_by_ns().has_value());
}
