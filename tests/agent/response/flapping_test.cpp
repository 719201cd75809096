// SPDX-License-Identifier: Apache-2.0
// What comes and goes: it calls twice, and whoever has to be called is called once it stays.
#include "agent/response/desk.hpp"

using namespace ronda;
using namespace ronda::test;
using Lines = std::vector<std::string>;

namespace {

/// Results each 30 s until that long after monday: so many bad ones, then so many good ones, and again.
void alternate(World& world, int bad, int good, std::int64_t until, Seen worst = Seen::critical, Seen best = Seen::ok) {
  for (int i = 0; world.now < monday + until; ++i) {
    world.result("api", i % (bad + good) < bad ? worst : best);
    world.run_to(world.now - monday + 30 * second);
  }
}

std::string told_by(const World& world) {
  std::string out;
  for (const std::string& line : world.told) out += line + "\n";
  return out;
}

std::size_t calls(const World& world) {
  return static_cast<std::size_t>(
      std::ranges::count_if(world.told, [](const std::string& line) { return line.find(" open ") != std::string::npos; }));
}

}  // namespace

TEST_CASE("what comes and goes for a day calls twice, whatever its ladder repeats and whomever that climbs to", "[response]") {
  World world(three_checks);
  const auto [bad, good] = GENERATE(std::pair(1, 1), std::pair(2, 1), std::pair(1, 3), std::pair(10, 10), std::pair(19, 19),
                                    std::pair(25, 15), std::pair(30, 30));
  CAPTURE(bad, good);
  const bool restarts = GENERATE(false, true);
  alternate(world, bad, good, restarts ? 8 * hour : 24 * hour);
  if (restarts) {
    world.restart();
    alternate(world, bad, good, 24 * hour);
  }
  INFO(told_by(world));
  CHECK(calls(world) == 2);
  CHECK(world.told.size() <= 5);  // both ends, and what the ladder repeats of what is bad for a quarter of an hour each time
}

TEST_CASE("what came and went and then stays calls again, and its ladder goes on", "[response]") {
  World world(three_checks);
  alternate(world, 1, 1, 3 * hour);
  CHECK(calls(world) == 2);
  world.told.clear();
  world.run_to(3 * hour + 5 * minute, {{"api", Seen::critical}});
  CHECK(world.told.empty());
  world.run_to(5 * hour, {{"api", Seen::critical}});
  INFO(told_by(world));
  CHECK(told_by(world).find(" ceo ") != std::string::npos);
}

TEST_CASE("what came and went and then is well is over once it has been still", "[response]") {
  World world(three_checks);
  alternate(world, 1, 1, 3 * hour);
  world.told.clear();
  world.run_to(4 * hour, {{"api", Seen::ok}});
  INFO(told_by(world));
  CHECK(world.only().stage == incident::Stage::resolved);
  CHECK(world.told.size() == 1);
}

TEST_CASE("what is bad and worse by turns, and never well, does not pause its ladder", "[response]") {
  World world(with_other(three_checks, "[alert.db-down]",
                         "[alert.api-bad]\np1 = \"api.status == critical\"\np2 = \"api.status == warning\"\n[alert.db-down]"));
  alternate(world, 1, 1, 2 * hour, Seen::critical, Seen::warning);
  INFO(told_by(world));
  CHECK_FALSE(world.only().is_flapping);
  CHECK(told_by(world).find(" open p1 ceo mail") != std::string::npos);
}

TEST_CASE("a moment's recovery pauses nothing of what is broken for good", "[response]") {
  World world(three_checks);
  alternate(world, 3, 1, 2 * minute);
  world.run_to(90 * minute, {{"api", Seen::critical}});
  INFO(told_by(world));
  CHECK_FALSE(world.only().is_flapping);
  CHECK(std::ranges::count(world.told, "2m30s open p1 cto log") == 1);
  CHECK(std::ranges::count(world.told, "16m update p1 cto log") == 1);
  CHECK(std::ranges::count(world.told, "1h1m open p1 ceo mail") == 1);
}

TEST_CASE("what came and went while it was hidden is called when it comes out", "[response]") {
  World world(three_checks);
  world.result("api", Seen::ok);
  incident::SilenceRequest request;
  request.what.checks = {"api"};
  request.owner = {incident::Author::Kind::contact, "cto"};
  request.reason = "a new release";
  request.for_ns = 30 * minute;
  world.take(world.desk().add_silence(*incident::make_silence(request, world.now, 7), world.now));
  alternate(world, 1, 1, 20 * minute);
  CHECK(calls(world) == 0);
  world.run_to(40 * minute, {{"api", Seen::critical}});
  INFO(told_by(world));
  CHECK(calls(world) == 1);
}

TEST_CASE("what is broken for good beside what comes and goes is called, and what only is noticed beside it is not", "[response]") {
  const std::string text = with_other(three_checks, "[alert.db-down]", "[alert.disk]\np3 = \"db.status == warning\"\n[alert.db-down]");
  World world(text);
  for (int i = 0; world.now < monday + 2 * hour; ++i) {
    world.result("api", i % 2 == 0 ? Seen::critical : Seen::ok);
    world.result("db", Seen::warning);
    world.run_to(world.now - monday + 30 * second);
  }
  CHECK(calls(world) <= 2);
  CHECK(told_by(world).find(" ceo ") == std::string::npos);
  world.told.clear();
  for (int i = 0; world.now < monday + 5 * hour; ++i) {
    world.result("api", i % 2 == 0 ? Seen::critical : Seen::ok);
    world.result("page", Seen::critical);
    world.run_to(world.now - monday + 30 * second);
  }
  INFO(told_by(world));
  CHECK(told_by(world).find(" ceo ") != std::string::npos);
}

TEST_CASE("what came and went and gives no results any more pauses nothing", "[response]") {
  World world(three_checks);
  alternate(world, 1, 1, 3 * hour);
  REQUIRE(world.only().is_flapping);
  world.told.clear();
  world.run_to(5 * hour);
  INFO(told_by(world));
  CHECK(told_by(world).find(" ceo ") != std::string::npos);
}

TEST_CASE("who gives back what comes and goes has somebody called once", "[response]") {
  World world(three_checks);
  alternate(world, 1, 1, hour);
  world.command(incident::Verb::ack);
  alternate(world, 1, 1, 100 * minute);
  world.told.clear();
  REQUIRE(world.only().is_flapping);
  world.command(incident::Verb::unack, "ceo");
  INFO(told_by(world));
  CHECK(world.told == Lines{"1h40m open p1 cto log"});
  CHECK(world.only().is_flapping);
  alternate(world, 1, 1, 4 * hour);
  CHECK(world.told.size() == 1);
}

TEST_CASE("who gives back what came and went and is well by now has nobody called, and it is over once it has been still", "[response]") {
  World world(three_checks);
  alternate(world, 1, 1, hour);
  world.command(incident::Verb::ack);
  alternate(world, 1, 1, 100 * minute);
  world.run_to(115 * minute, {{"api", Seen::ok}});
  REQUIRE(world.only().is_flapping);
  REQUIRE_FALSE(world.only().any_fires());
  world.told.clear();
  world.command(incident::Verb::unack, "ceo");
  INFO(told_by(world));
  CHECK(world.told.empty());
  CHECK(world.only().is_flapping);
  world.run_to(4 * hour, {{"api", Seen::ok}});
  CHECK(world.only().stage == incident::Stage::resolved);
  CHECK(calls(world) == 0);
}
