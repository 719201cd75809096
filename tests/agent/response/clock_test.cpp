// SPDX-License-Identifier: Apache-2.0
// The wall clock is set forward: what lasts, lasts as long as it would have.
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

/// How long it must stand before it is believed.
std::int64_t proof_of(std::int64_t by) {
  return std::clamp(by / 60, IncidentTime::least_proof_ns, IncidentTime::most_proof_ns);
}

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
  for (const std::int64_t by : {minute, hour, day, ten_years, -hour, -day}) {
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

TEST_CASE("a wall clock that stands where it was set forward is followed, a great step later than a small one", "[response]") {
  for (const std::int64_t by : {minute, hour, 3 * hour, day, ten_years}) {
    CAPTURE(by / second);
    Clocks clocks;
    const std::int64_t begin = clocks.look(), proof = proof_of(by);
    clocks.wall += by;
    CHECK(clocks.look() == begin);
    REQUIRE(clocks.time.step_at_ns());
    CHECK(*clocks.time.step_at_ns() == begin + proof);
    CHECK(clocks.pass(proof - second) == begin + proof - second);
    CHECK(clocks.steps.empty());
    CHECK(clocks.pass(second) == clocks.wall);
    CHECK(clocks.pass(hour) == clocks.wall);
    CHECK(clocks.steps == std::vector<std::int64_t>{by});
  }
  CHECK(proof_of(minute) == 10 * second);
  CHECK(proof_of(3 * hour) == 3 * minute);
  CHECK(proof_of(ten_years) == 10 * minute);
}

TEST_CASE("a wall clock that is set again and again is followed once it stands", "[response]") {
  Clocks clocks;
  const std::int64_t begin = clocks.look();
  for (int i = 0; i < 5; ++i) {
    clocks.wall += hour;
    clocks.look();
    clocks.pass(30 * second);
  }
  CHECK(clocks.look() == begin + 150 * second);
  clocks.pass(proof_of(5 * hour) - 31 * second);
  CHECK(clocks.steps.empty());
  CHECK(clocks.pass(second) == clocks.wall);
  CHECK(clocks.steps == std::vector<std::int64_t>{5 * hour});
}

TEST_CASE("less than a minute is followed at once forward, and what is behind is waited for", "[response]") {
  Clocks clocks;
  const std::int64_t begin = clocks.look();
  clocks.wall += 59 * second;
  CHECK(clocks.look() == begin + 59 * second);
  clocks.wall -= 3 * hour;
  CHECK(clocks.pass(hour) == begin + 59 * second + hour);
  clocks.wall += 3 * hour;  // where it would have been
  CHECK(clocks.pass(hour) == begin + 59 * second + 2 * hour);
  CHECK(clocks.look() == clocks.wall);
  CHECK(clocks.steps.empty());
}

TEST_CASE("a wall clock that was never set is left soon, and one that leaps to before 2020 is not followed", "[response]") {
  Clocks clocks;
  clocks.wall = hour;
  clocks.look();
  clocks.wall = 10 * 365 * day;
  CHECK(clocks.pass(hour) == 2 * hour);
  clocks.wall = monday;
  clocks.look();
  clocks.pass(10 * second);
  CHECK(clocks.look() == clocks.wall);
  CHECK(clocks.steps == std::vector<std::int64_t>{monday - 2 * hour});
}

TEST_CASE("what happened before a start has happened, whatever the wall clock says", "[response]") {
  Clocks clocks;
  clocks.look();
  CHECK(clocks.time.not_before(monday + hour) == hour);
  CHECK(clocks.time.not_before(monday) == 0);
  CHECK(clocks.pass(minute) == monday + hour + minute);
  CHECK(clocks.steps.empty());
}

TEST_CASE("steps of the wall clock forward call nobody and hold nobody's call back", "[response]") {
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  const auto restart = [&](World& world) {
    if (restarts) world.restart(false);
  };
  World still(three_checks);
  spend_a_day(still, [&](int) { restart(still); });
  REQUIRE(still.told.size() > 8);
  for (const std::int64_t by : {minute, 15 * minute, hour, day, ten_years}) {
    CAPTURE(by / second);
    World world(three_checks);
    spend_a_day(world, [&](int) {
      world.set_clock(by);
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
  world.set_clock(2 * hour);
  const incident::Incident before = world.only();
  CHECK(before.detected_ns == monday + 30 * second + 5 * hour);  // by the clock as it is now
  CHECK(before.ack->at_ns == world.now);
  CHECK(world.held.events.back().kind == "clock_set");
  CHECK(world.held.kept().events.back().at_ns == world.now);
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
    CHECK(world.desk().alert(name)->looked_ns <= world.now);
    CHECK(world.desk().alert(name)->level_since_ns <= world.now);
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

/// An incident whose message was tried once, in a life that began by a clock that is `by` behind, or in one before that, which ended a
/// minute before it.
struct Behind {
  explicit Behind(std::int64_t by, bool is_first_life = false) {
    shell = std::make_unique<Shell>(three_checks, scratch / "state");
    if (is_first_life) shell->set_by = -by;
    shell->begin();
    shell->result("api", Seen::critical);
    REQUIRE(shell->handed.size() == 1);
    message = shell->handed[0].message->id;
    shell->end(Shell::Handed(shell->handed[0]), schedule::DeliveryEnd::What::retry, "no answer");
    detected = one().detected_ns;
    if (!is_first_life) start(minute, -by);
  }
  void start(std::int64_t now, std::int64_t set_by) {
    shell.reset();
    shell = std::make_unique<Shell>(three_checks, scratch / "state");
    shell->now += now;
    shell->set_by = set_by;
    shell->begin();
  }
  const incident::Incident& one() const {
    const auto& all = shell->response->desk().incidents().incidents;
    const auto found = std::ranges::find_if(all, [](const auto& entry) { return entry.second.service == "shop"; });
    REQUIRE(found != all.end());
    return found->second;
  }
  std::int64_t age() const { return one().elapsed.at(shell->response->now_ns()); }
  bool is_to_ceo() const {  // of a notifier that takes no message others hear by themselves
    return std::ranges::any_of(shell->handed, [id = one().id](const Shell::Handed& handed) {
      return handed.notifier == "mail" && handed.message->incident == id;
    });
  }

  const Scratch scratch;
  std::unique_ptr<Shell> shell;
  std::string message;
  std::int64_t detected = 0;
};

TEST_CASE("an agent that starts by a clock that is behind goes on as if it were not, and calls nobody when that is set right",
          "[response]") {
  const std::int64_t by = GENERATE(3 * hour, day);
  const bool is_first_life = GENERATE(true, false);
  CAPTURE(by / hour, is_first_life);
  Behind life(by, is_first_life);
  Shell& shell = *life.shell;
  CHECK(life.age() < minute);
  shell.set_by = 0;
  shell.response->on_clock_set();
  shell.now += 11 * minute;
  shell.response->on_clock_set();
  shell.settle();
  CHECK_FALSE(life.is_to_ceo());
  CHECK(life.age() < 13 * minute);
  CHECK(shell.response->now_ns() <= shell.wall() + second);
  CHECK(life.one().detected_ns >= life.detected);
  CHECK(shell.row(life.message).first_at <= shell.wall());
  if (is_first_life) CHECK(shell.row(life.message).first_at > monday - minute);
  CHECK(shell.response->desk().alert("api")->level_since_ns <= shell.wall());
}

TEST_CASE("a start by a clock that is behind, and the next one by the right one, count what passed", "[response]") {
  Behind life(3 * hour);
  Shell& behind = *life.shell;
  behind.now += 20 * minute;  // and it is never set while that agent runs
  behind.response->on_clock_set();
  behind.result("api", Seen::critical);
  behind.settle();
  CHECK(life.age() >= 20 * minute);
  CHECK(life.age() < 22 * minute);
  const std::int64_t last = incident::last_change_ns(behind.response->desk().incidents());
  CHECK(last >= life.detected);
  life.start(22 * minute, 0);
  CHECK(life.age() >= 21 * minute);
  CHECK(life.age() < 23 * minute);
  CHECK_FALSE(life.is_to_ceo());
  life.shell->now += 40 * minute;
  life.shell->response->on_clock_set();
  life.shell->settle();
  CHECK(life.age() >= 61 * minute);
}

TEST_CASE("a glitch of ten years for five seconds leaves nothing", "[response]") {
  const Scratch scratch;
  Shell shell(three_checks, scratch / "state");
  shell.begin();
  shell.result("api", Seen::critical);
  const auto before = shell.timeline("shop");
  const std::size_t handed = shell.handed.size();
  shell.set_by = ten_years;
  shell.response->on_clock_set();
  for (int i = 0; i < 5; ++i) {
    shell.now += second;
    shell.result("api", Seen::critical);
  }
  shell.set_by = 0;
  shell.response->on_clock_set();
  shell.now += 30 * second;
  shell.result("api", Seen::critical);
  CHECK(shell.timeline("shop") == before);
  CHECK(shell.handed.size() == handed);
  CHECK(shell.response->now_ns() <= shell.wall() + second);
  CHECK(shell.logs.empty());
}

TEST_CASE("a hundred leaps of less than a minute are time, and no event", "[response]") {
  const Scratch scratch;
  Shell shell(three_checks, scratch / "state");
  shell.begin();
  shell.result("api", Seen::critical);
  for (int i = 0; i < 100; ++i) {
    shell.set_by += (1 + i % 59) * second;
    shell.response->on_clock_set();
  }
  shell.settle();
  const auto events = shell.timeline("shop");
  CHECK(std::ranges::none_of(events, [](const incident::Event& event) { return event.kind == incident::Kind::clock_set; }));
  CHECK(shell.response->now_ns() >= shell.wall());
  CHECK(std::ranges::any_of(shell.handed, [](const Shell::Handed& one) { return one.notifier == "mail"; }));  // the hour is over
}

TEST_CASE("a silence that has begun lasts as long as was said, whatever the wall clock does", "[response]") {
  for (const std::int64_t by : {3 * hour, day}) {
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

TEST_CASE("no check and no task of this life is too old by a step, and what was stored of a task is as old as it is", "[response]") {
  const std::string text = three_checks + R"(
[task.backup]
use = "a.b"
at = "03:00"
[check.night]
use = "a.b"
at = "02:00"
[alert.stale-backup]
p2 = "age(task.backup) > 26h"
[alert.old]
p2 = "api.age > 5m"
[alert.full]
p3 = "night.used > 90"
)";
  const bool is_of_before = GENERATE(false, true);
  CAPTURE(is_of_before);
  World world(text);
  world.run_to(minute, {{"api", Seen::ok}, {"db", Seen::ok}, {"page", Seen::ok}});
  world.task_ends("backup", Seen::ok);
  if (is_of_before) world.restart(false);
  world.result("night", Seen::ok, {{"used", 95}});
  world.run_to(10 * minute, {{"api", Seen::ok}, {"db", Seen::ok}, {"page", Seen::ok}});
  REQUIRE(world.desk().alert("full")->level == Level::p3);
  world.set_clock(27 * hour);
  world.take(world.desk().tick(world.now));
  CHECK((world.desk().alert("stale-backup")->level == Level::p2) == is_of_before);
  CHECK(world.desk().alert("old")->level == Level::none);
  for (const char* name : {"old", "full", "api", "db-down"}) CHECK_FALSE(world.desk().alert(name)->no_data);
  CHECK(world.desk().alert("full")->level == Level::p3);
  world.run_to(20 * minute, {{"api", Seen::ok}, {"db", Seen::ok}, {"page", Seen::ok}});
  CHECK(world.desk().alert("full")->level == Level::p3);
  CHECK(world.desk().alert("full")->unknown_since_ns == 0);
}

TEST_CASE("a store that comes late after a clock that is behind leaps that clock, and it is no time for what is open", "[response]") {
  World world(three_checks);
  world.run_to(10 * minute, {{"db", Seen::ok}});
  world.run_to(20 * minute, {{"db", Seen::critical}});
  REQUIRE(world.live().size() == 1);
  const std::string before = world.live()[0];
  world.restart_blind();
  world.set_by -= 3 * hour;
  world.now -= 3 * hour;
  world.run_to(30 * minute, {{"api", Seen::critical}});
  const auto api = world.desk().incidents().by_alert.find("api");
  REQUIRE(api != world.desk().incidents().by_alert.end());
  const std::string id = api->second;
  const std::int64_t age = world.desk().incidents().find(id)->elapsed.at(world.now);
  world.set_clock(world.held.kept().events.empty() ? 0 : 3 * hour - 10 * minute);  // as the shell does before it recalls
  world.recall();
  CHECK(world.desk().incidents().find(id)->elapsed.at(world.now) == age);
  CHECK(world.desk().incidents().find(before) != nullptr);
}

TEST_CASE("what others judged, and a link, last as long as was said, also where that was between a step and when it is believed",
          "[response]") {
  const bool is_before = GENERATE(true, false);
  CAPTURE(is_before);
  const Scratch scratch;
  Shell shell(three_checks, scratch / "state");
  shell.begin();
  const std::int64_t by = 210 * minute, lasts = 4 * hour;
  const std::string name = "inbound/disk/sda";
  const auto say = [&] {
    response::InboundAlert alert;
    alert.name = name;
    alert.check = "inbound/disk/x";
    alert.level = config::Level::p2;
    alert.reason = "full";
    alert.until_ns = shell.wall() + lasts;
    bool is_answered = false;
    shell.response->inbound({"event", "token:disk", {alert}}, [&](const incident::Reply&) { is_answered = true; });
    REQUIRE(shell.until([&] { return is_answered; }));
  };
  const std::int64_t unset = shell.response->unset_now_ns();
  if (is_before) say();
  shell.set_by = by;
  shell.response->on_clock_set();
  if (!is_before) say();
  shell.now += 5 * minute;
  shell.response->on_clock_set();
  shell.settle();
  REQUIRE(std::abs(shell.response->now_ns() - shell.wall()) < second);
  const std::int64_t left = shell.response->desk().alert(name)->next_ns - shell.response->now_ns();
  CHECK(left <= lasts - 5 * minute);
  CHECK(left > lasts - 6 * minute);
  CHECK(shell.response->unset_now_ns() - unset >= 5 * minute);
  CHECK(shell.response->unset_now_ns() - unset < 6 * minute);
}

TEST_CASE("a start by a clock of years ago makes no task younger than it is", "[response]") {
  const std::string text = three_checks + R"(
[task.backup]
use = "a.b"
at = "03:00"
[alert.stale-backup]
p2 = "age(task.backup) > 26h"
)";
  const Scratch scratch;
  const std::int64_t last_ok = monday - 30 * hour;
  {
    Shell before(text, scratch / "state");
    before.begin();
    before.result("api", Seen::critical);  // an incident of the right time
    store::InstanceState backup;
    backup.id = {"task", "backup"};
    backup.status = 0;
    backup.since = backup.last_run = backup.last_ok = last_ok;
    before.store->observe(backup, {});
    before.settle();
  }
  Shell shell(text, scratch / "state");
  shell.set_by = -6 * 365 * day;
  shell.begin();
  REQUIRE(shell.response->now_ns() >= monday);
  CHECK(shell.response->desk().history().task_last_success_ns("backup") == last_ok);
}
