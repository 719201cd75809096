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
