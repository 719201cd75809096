// SPDX-License-Identifier: Apache-2.0
// The fold alone: clocks, legal moves, and events that do not fit.
#include "incident/incident.hpp"

#include "incident/times.hpp"
#include "world.hpp"

using namespace ronda::incident;
using ronda::rule::Change;

TEST_CASE("a clock runs and stands, and never goes back", "[incident]") {
  Clock clock;
  clock.set_running(true, 100);
  CHECK(clock.at(150) == 50);
  CHECK(clock.when(70) == 170);
  clock.set_running(false, 160);
  CHECK(clock.at(1000) == 60);
  CHECK_FALSE(clock.when(70));
  clock.set_running(false, 500);
  CHECK(clock.at(1000) == 60);
  clock.set_running(true, 1000);
  CHECK(clock.at(1010) == 70);
  CHECK(clock.at(900) == 60);
  CHECK_FALSE(clock.when(50));
}

TEST_CASE("an incident moves only as it may", "[incident]") {
  using enum Stage;
  CHECK(is_legal_move(open, acknowledged));
  CHECK(is_legal_move(acknowledged, open));
  CHECK(is_legal_move(mitigating, resolved));
  CHECK(is_legal_move(resolved, open));
  CHECK(is_legal_move(resolved, closed));
  CHECK_FALSE(is_legal_move(open, mitigating));
  CHECK_FALSE(is_legal_move(resolved, acknowledged));
  CHECK_FALSE(is_legal_move(resolved, mitigating));
  for (const Stage to : {open, acknowledged, mitigating, resolved}) CHECK_FALSE(is_legal_move(closed, to));
}

TEST_CASE("a clock that is set moves every instant of an incident by as much, and back again", "[incident]") {
  constexpr std::int64_t by = 3600 * second_ns;
  Incident incident;
  incident.ack = Ack{};
  incident.tickets.resize(1);
  incident.is_below = true;  // or that clock would not run; the others do while it is open
  History& history = incident.history;
  for (auto* stretches : {&history.suppressed, &history.held, &history.below, &history.flapped}) stretches->resize(1);
  history.levels.resize(1);
  history.impacts.resize(1);
  Member& member = incident.members["api"];
  std::vector<std::int64_t*> instants = {&member.joined_ns,
                                         &member.changed_ns,
                                         &incident.ack->at_ns,
                                         &incident.ack->remind_ns,
                                         &incident.ack->until_ns,
                                         &incident.free_since_ns,
                                         &incident.tickets[0].opened_ns,
                                         &incident.tickets[0].owed_ns,
                                         &incident.tickets[0].answered_ns,
                                         &incident.detected_ns,
                                         &incident.changed_ns,
                                         &incident.moved_ns,
                                         &incident.resolved_ns,
                                         &incident.mitigated_ns,
                                         &incident.responded_ns,
                                         &incident.elapsed.since_ns,
                                         &incident.at_level.since_ns,
                                         &incident.below.since_ns,
                                         &incident.eased_ns,
                                         &incident.returned_ns,
                                         &incident.update_due_ns,
                                         &incident.joined_notice_ns,
                                         &history.levels[0].at_ns,
                                         &history.impacts[0].at_ns};
  for (auto* stretches : {&history.suppressed, &history.held, &history.below, &history.flapped}) {
    instants.push_back(&stretches->front().begin_ns);
    instants.push_back(&stretches->front().end_ns);
  }
  incident.elapsed.spent_ns = incident.at_level.spent_ns = incident.below.spent_ns = incident.respond_within_ns = second_ns;  // durations
  std::int64_t next = 1'790'000'000 * second_ns;
  for (std::int64_t* at_ns : instants) *at_ns = next += second_ns;
  incident.changed_ns = next += second_ns;
  std::vector<std::int64_t> were;
  for (const std::int64_t* at_ns : instants) were.push_back(*at_ns);
  const auto set_clock = [&](std::int64_t by_ns) {
    Event event;
    event.kind = Kind::clock_set;
    event.effective_ns = incident.changed_ns;
    event.at_ns = incident.changed_ns + by_ns;
    apply(incident, event);
  };
  const Incident before = incident;
  set_clock(by);
  for (std::size_t i = 0; i < instants.size(); ++i) {
    CAPTURE(i);
    CHECK(*instants[i] - were[i] == by);
  }
  CHECK(incident.respond_within_ns == second_ns);
  set_clock(-by);
  CHECK(incident == before);
}

TEST_CASE("a fold over stored events is the state, read twice or once", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  world.say(Verb::ack, contact("cto"));
  world.fire("b", Level::p1);
  std::vector<Event> twice = world.events;
  twice.insert(twice.end(), world.events.begin(), world.events.end());
  CHECK(restore(twice, {}) == world.state);
}

TEST_CASE("an alert that went on in another incident is known there after a restart, whichever id comes first", "[incident]") {
  bool seen_first = false, seen_last = false;
  for (int attempt = 0; attempt < 64 && !(seen_first && seen_last); ++attempt) {
    World world;
    for (int i = 0; i < attempt; ++i) world.give(Tick{});  // other random bits, so that the ids come in both orders
    world.fire("api-down", Level::p1, "api");
    const std::string left = world.only().id;
    world.now += second_ns;
    world.fire("network", Level::p2, "infra");
    world.fire("api-down", Level::none, "api", "c-network");
    const std::string goes_on_in = world.state.by_alert.at("api-down");
    REQUIRE(goes_on_in != left);
    (goes_on_in < left ? seen_first : seen_last) = true;
    std::vector<Event> stored = world.events;  // as the store gives them: by incident, then in their order
    std::ranges::stable_sort(stored, {}, &Event::incident);
    const State restored = restore(stored, {});
    REQUIRE(restored.by_alert.contains("api-down"));
    CHECK(restored.by_alert.at("api-down") == goes_on_in);
    CHECK(restored == world.state);
    // and it ends there, once it has recovered
    world.state = restored;
    world.recover("network", "infra");
    Change judged = change("api-down", "c-api-down", "api", Level::none);
    judged.what = Change::What::unblocked;
    world.give(judged);
    CHECK(world.state.find(goes_on_in)->stage == Stage::resolved);
  }
  CHECK((seen_first && seen_last));
}

TEST_CASE("events whose beginning has been dropped and kinds of a later version change nothing", "[incident]") {
  World world;
  world.fire("a", Level::p2);
  const State before = world.state;
  Event event = world.events[1];
  event.incident = "INC-20200101-0000000000";
  apply(world.state, event);
  CHECK(world.state == before);
  event = world.events.back();
  event.kind = Kind::other;
  event.kind_name = "teleported";
  ++event.sequence;
  apply(world.state, event);
  CHECK(world.only().sequence == before.incidents.begin()->second.sequence + 1);
  CHECK(world.only().stage == Stage::open);
}

TEST_CASE("restart between two steps of an escalation changes no clock and no limit", "[incident]") {
  World world;
  world.fire("a", Level::p1);
  world.pass(7);
  const auto wake = next_wake(world.state, world.settings);
  const auto respond_by = world.only().respond_by_ns();
  world.state = restore(world.events, {});
  CHECK(next_wake(world.state, world.settings) == wake);
  CHECK(world.only().respond_by_ns() == respond_by);
  CHECK(world.only().elapsed.at(world.now) == 7 * minute_ns);
  world.give(Tick{});
  CHECK(world.said().empty());
}

TEST_CASE("events in no order, as damage makes them, are taken in as far as they fit", "[incident]") {
  Incident incident;
  std::uint64_t sequence = 0;
  const auto take = [&](Kind kind, std::int64_t at_ns, std::int64_t effective_ns = 0) {
    Event event;
    event.kind = kind;
    event.sequence = ++sequence;
    event.at_ns = at_ns;
    event.effective_ns = effective_ns;
    event.level = Level::p2;
    event.subject = "window:sunday";
    apply(incident, event);
  };
  take(Kind::opened, 1000);
  take(Kind::suppressed, 5000);
  take(Kind::unsuppressed, 10, 20);  // before it was suppressed
  CHECK_FALSE(incident.is_suppressed());
  for (int i = 0; i < 6; ++i) {
    take(Kind::suppressed, latest_ns);
    take(Kind::unsuppressed, 1);
  }
  CHECK(incident.elapsed.at(latest_ns) > 0);
}
