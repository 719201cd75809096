// SPDX-License-Identifier: Apache-2.0
// The wall clock is set: what lasts, lasts as long as it would have.
#include "agent/response/desk.hpp"
#include "agent/response/shell.hpp"
#include "catch.hpp"
#include "response/incident_time.hpp"

using namespace ronda;
using namespace ronda::test;
using response::IncidentTime;

namespace {

constexpr std::int64_t day = 24 * hour, ten_years = 3652 * day;

/// Two clocks: what passes, and what is shown on the wall.
struct Clocks {
  IncidentTime time;
  std::int64_t boot = 1000 * second, wall = monday;
  std::vector<std::int64_t> steps;

  /// So much passes, with a look each second.
  std::int64_t pass(std::int64_t ns) {
    for (const std::int64_t until = boot + ns; boot < until;) {
      const std::int64_t part = std::min(second, until - boot);
      boot += part;
      wall += part;
      look();
    }
    return look();
  }
  std::int64_t look() {
    time.read(boot, wall);
    if (const std::int64_t by = time.take_step(); by != 0) steps.push_back(by);
    return time.read(boot, wall);
  }
};

/// A day in which things happen; `meanwhile` is called at 20 and at 50 minutes, at 3, 5 and 9 hours.
template <class Meanwhile>
void spend_a_day(World& world, Meanwhile meanwhile) {
  using incident::Verb;
  const auto run = [&](std::int64_t until, Seen api, Seen db) { world.run_to(until, {{"api", api}, {"db", db}, {"page", Seen::ok}}); };
  run(10 * minute, Seen::ok, Seen::ok);
  run(20 * minute, Seen::critical, Seen::ok);
  meanwhile(0);
  run(38 * minute, Seen::critical, Seen::critical);  // db-down waits for its five minutes
  world.command(Verb::ack);
  run(50 * minute, Seen::critical, Seen::critical);
  meanwhile(1);
  run(3 * hour, Seen::critical, Seen::critical);  // asked whether it still holds, and the ack ends
  meanwhile(2);
  run(5 * hour, Seen::critical, Seen::critical);
  meanwhile(3);
  world.command(Verb::update, "cto", "a part is on its way");
  run(6 * hour, Seen::ok, Seen::critical);  // lowered, when nothing was as high for long enough
  run(7 * hour, Seen::ok, Seen::ok);
  run(8 * hour, Seen::critical, Seen::ok);
  run(8 * hour + 10 * minute, Seen::ok, Seen::ok);
  meanwhile(4);
  run(24 * hour, Seen::ok, Seen::ok);
}

}  // namespace

TEST_CASE("a glitch of the wall clock is no time, and leaves nothing", "[response]") {
  for (const std::int64_t by : {hour, day, ten_years, -hour, -day}) {
    CAPTURE(by / second);
    Clocks clocks;
    const std::int64_t begin = clocks.look();
    CHECK(clocks.pass(hour) == begin + hour);
    clocks.wall += by;
    CHECK(clocks.look() == begin + hour);
    CHECK(clocks.pass(9 * second) == begin + hour + 9 * second);
    clocks.wall -= by;
    CHECK(clocks.pass(hour) == begin + 2 * hour + 9 * second);
    CHECK(clocks.steps.empty());
    CHECK_FALSE(clocks.time.step_at_ns());
  }
}

TEST_CASE("a wall clock that stands where it was set is followed, and that is one step", "[response]") {
  for (const std::int64_t by : {2 * second, hour, day, ten_years, -2 * second, -hour, -day}) {
    CAPTURE(by / second);
    Clocks clocks;
    const std::int64_t begin = clocks.look();
    clocks.wall += by;
    CHECK(clocks.look() == begin);
    REQUIRE(clocks.time.step_at_ns());
    CHECK(*clocks.time.step_at_ns() == begin + IncidentTime::believed_after_ns);
    clocks.pass(5 * second);
    CHECK(clocks.steps.empty());
    CHECK(clocks.pass(5 * second) == clocks.wall);
    CHECK(clocks.pass(hour) == clocks.wall);
    CHECK(clocks.steps == std::vector<std::int64_t>{by});
  }
}

TEST_CASE("a wall clock that is set again and again is followed once it stands", "[response]") {
  Clocks clocks;
  const std::int64_t begin = clocks.look();
  for (int i = 0; i < 5; ++i) {
    clocks.wall += hour;
    clocks.pass(6 * second);
  }
  CHECK(clocks.look() == begin + 30 * second);
  CHECK(clocks.pass(10 * second) == clocks.wall);
  CHECK(clocks.steps == std::vector<std::int64_t>{5 * hour});
}

TEST_CASE("less than a step is followed forward, and backward waited for", "[response]") {
  Clocks clocks;
  const std::int64_t begin = clocks.look();
  clocks.wall += second;
  CHECK(clocks.look() == begin + second);
  clocks.wall -= second;
  CHECK(clocks.pass(hour) == begin + second + hour);
  CHECK(clocks.steps.empty());
  clocks.wall -= second;  // two of them are a step
  clocks.pass(minute);
  CHECK(clocks.steps == std::vector<std::int64_t>{-2 * second});
}

TEST_CASE("a wall clock that was never set moves nothing, and the first right time does", "[response]") {
  Clocks clocks;
  clocks.wall = hour;
  clocks.look();
  clocks.time.not_before(monday);  // what the store has
  CHECK(clocks.pass(hour) == monday + hour);
  CHECK(clocks.steps.empty());
  clocks.wall = monday + 3 * day;
  CHECK(clocks.pass(minute) == clocks.wall);
  CHECK(clocks.steps == std::vector<std::int64_t>{3 * day - hour});
}

TEST_CASE("what happened before a start is not undone, and a clock that was set back meanwhile is followed", "[response]") {
  Clocks clocks;
  clocks.look();
  clocks.time.not_before(monday + hour);
  CHECK(clocks.look() == monday + hour);
  clocks.pass(minute);
  CHECK(clocks.look() == clocks.wall);
  CHECK(clocks.steps == std::vector<std::int64_t>{-hour});
}

TEST_CASE("steps of the wall clock call nobody and hold nobody's call back", "[response]") {
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  const auto restart = [&](World& world) {
    if (restarts) world.restart(false);
  };
  World still(three_checks);
  spend_a_day(still, [&](int) { restart(still); });
  REQUIRE(still.told.size() > 8);
  for (const std::int64_t by : {second, 15 * minute, hour, day, ten_years, -second, -15 * minute, -hour, -day}) {
    CAPTURE(by / second);
    World world(three_checks);
    spend_a_day(world, [&](int time) {
      world.set_clock(time % 2 == 0 ? by : -by);
      restart(world);
    });
    CHECK(world.told == still.told);
    CHECK(world.happened == still.happened);
    CHECK(world.order.size() == still.order.size());  // and no message has the id of another
  }
}

TEST_CASE("what the store has of an incident over steps of the clock is what the agent has", "[response]") {
  World world(three_checks);
  world.run_to(10 * minute, {{"api", Seen::critical}});
  world.set_clock(3 * hour);
  world.run_to(20 * minute, {{"api", Seen::critical}});
  world.command(incident::Verb::ack);
  world.set_clock(-2 * hour);
  const incident::Incident before = world.only();
  CHECK(before.detected_ns == monday + 30 * second + hour);  // by the clock as it is now
  CHECK(before.ack->at_ns == world.now);
  CHECK(world.held.events.back().kind == "clock_set");
  CHECK(incident::last_change_ns(world.held.kept().events) == world.now);
  world.restart(false);
  CHECK(world.only() == before);
}

TEST_CASE("what a start under a clock that is behind takes up is not of the future once that is set right", "[response]") {
  const std::int64_t by = GENERATE(3 * hour, 300 * day);
  CAPTURE(by / second);
  World world(three_checks +
              "[token.other]\nrole = \"reporter\"\ninbox = [\"@alertmanager\"]\n"
              "sha256 = \"c1f3e0c1a47d0f5b9a7e2c86f0d3b4a5968778695a4b3c2d1e0f9182736455e6\"\n");
  world.run_to(10 * minute, {{"api", Seen::ok}, {"db", Seen::ok}});
  world.run_to(12 * minute, {{"api", Seen::ok}, {"db", Seen::critical}});  // db-down counts its five minutes
  const std::string disk = "inbound/other/disk";
  world.take(world.desk().on_inbound({"event", "token:other", {{disk, disk, "shop", Level::p2, "it is full", world.now + 5 * minute}}},
                                     world.now));
  REQUIRE(world.desk().alert(disk) != nullptr);
  world.restart_behind(by);
  world.now += 10 * second;
  world.take(world.desk().tick(world.now));
  world.set_clock(by);
  REQUIRE(world.set_by == 0);
  for (const std::string& name : {std::string("db-down"), disk}) {
    CAPTURE(name);
    REQUIRE(world.desk().alert(name) != nullptr);
    CHECK(rule::last_ns(*world.desk().alert(name)) <= world.now);
    const auto stored = rule::decode_state(*world.held.alerts[name].data);
    REQUIRE(stored);
    CHECK(*stored == *world.desk().alert(name));
  }
  world.run_to(14 * minute, {{"db", Seen::critical}});
  CHECK(world.desk().alert("db-down")->level == Level::none);
  world.run_to(18 * minute, {{"db", Seen::critical}});
  CHECK(world.desk().alert("db-down")->level == Level::p1);
  CHECK(world.desk().alert(disk) == nullptr);  // its sender did not say it again
}

TEST_CASE("an agent that starts by a clock that is a day behind goes on as if it were not, once that is set", "[response]") {
  const Scratch scratch;
  const std::string text = three_checks;
  auto shell = std::make_unique<Shell>(text, scratch / "state");
  shell->begin();
  shell->result("api", Seen::critical);
  REQUIRE(shell->handed.size() == 1);
  const std::string message = shell->handed[0].message->id;
  shell->end(Shell::Handed(shell->handed[0]), schedule::DeliveryEnd::What::retry, "no answer");
  const std::int64_t detected = shell->response->desk().incidents().incidents.begin()->second.detected_ns;
  shell.reset();
  shell = std::make_unique<Shell>(text, scratch / "state");
  shell->now += minute;
  shell->set_by = -day;
  shell->begin();
  shell->set_by = 0;
  shell->response->on_clock_set();
  shell->now += 11 * second;
  shell->response->on_clock_set();
  shell->settle();
  CHECK(
      std::ranges::any_of(shell->logs, [](const std::string& line) { return line.find("check NTP and the hardware clock") != line.npos; }));
  CHECK(shell->response->now_ns() <= shell->wall() + second);
  CHECK(shell->row(message).first_at <= shell->wall());
  CHECK(shell->row(message).queued_at <= shell->wall());
  const incident::Incident& one = shell->response->desk().incidents().incidents.begin()->second;
  CHECK(one.elapsed.at(shell->response->now_ns()) < minute);
  CHECK(one.detected_ns >= detected);
  CHECK(rule::last_ns(*shell->response->desk().alert("api")) <= shell->wall());
}

TEST_CASE("what a store gives back after the clock was set is as old as it is", "[response]") {
  const auto live = [](World& world, std::int64_t by) {
    world.run_to(10 * minute, {{"api", Seen::critical}});
    incident::SilenceRequest request;
    request.what.checks = {"db"};
    request.owner = {incident::Author::Kind::contact, "cto"};
    request.reason = "deploy";
    request.for_ns = hour;
    world.take(world.desk().add_silence(*incident::make_silence(std::move(request), world.now, 7), world.now));
    world.restart_blind();
    world.run_to(15 * minute);
    if (by != 0) world.set_clock(by);
    world.run_to(20 * minute);
    world.recall();
    world.run_to(80 * minute, {{"api", Seen::critical}, {"db", Seen::critical}});
    world.restart(false);
    world.run_to(5 * hour, {{"api", Seen::critical}, {"db", Seen::critical}});
  };
  World still(three_checks);
  live(still, 0);
  const auto is_to_ceo = [](const std::string& line) { return line.find(" ceo ") != std::string::npos; };
  REQUIRE(std::ranges::any_of(still.told, is_to_ceo));
  for (const std::int64_t by : {hour, 3 * hour, day, -hour, -3 * hour, -day}) {
    CAPTURE(by / second);
    World world(three_checks);
    live(world, by);
    CHECK(world.told == still.told);
    CHECK(world.happened == still.happened);
  }
}

TEST_CASE("what a store gives back that lies ahead of the clock is no time that passed", "[response]") {
  const std::map<std::string, Seen> all = {{"api", Seen::critical}, {"db", Seen::ok}, {"page", Seen::ok}};
  World world(three_checks);
  world.run_to(10 * minute, all);
  world.restart_blind();
  world.now -= 3 * hour;  // while no agent ran
  world.set_by -= 3 * hour;
  world.recall_as_it_is();
  CHECK(world.only().detected_ns == world.now);  // nothing happened after it was opened
  CHECK(world.only().elapsed.at(world.now) == 0);
  const std::size_t told = world.told.size();
  world.run_to(24 * minute, all);
  CHECK(world.told.size() == told);
  world.run_to(26 * minute, all);
  CHECK(world.told.size() == told + 1);
}

TEST_CASE("a silence that has begun lasts as long as was said, whatever the wall clock does", "[response]") {
  for (const std::int64_t by : {3 * hour, -3 * hour}) {
    CAPTURE(by / second);
    World world(three_checks);
    world.run_to(minute, {{"api", Seen::ok}});
    incident::SilenceRequest request;
    request.what.checks = {"api"};
    request.owner = {incident::Author::Kind::contact, "cto"};
    request.reason = "deploy";
    request.for_ns = hour;
    auto silence = incident::make_silence(std::move(request), world.now, 7);
    REQUIRE(silence);
    world.take(world.desk().add_silence(*silence, world.now));
    world.run_to(20 * minute, {{"api", Seen::critical}});
    world.set_clock(by);
    world.restart(false);
    world.run_to(60 * minute, {{"api", Seen::critical}});
    const auto is_call = [](const std::string& line) { return line.find(" open ") != std::string::npos; };
    CHECK(std::ranges::none_of(world.told, is_call));
    world.run_to(62 * minute, {{"api", Seen::critical}});
    CHECK(std::ranges::count_if(world.told, is_call) == 1);
  }
}
