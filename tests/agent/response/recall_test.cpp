// SPDX-License-Identifier: Apache-2.0
// A store that cannot be read at the start and can be later: what people had before, and what this life found meanwhile.
#include "agent/response/desk.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

using Ids = std::vector<std::string>;

/// An incident of the life before, that somebody has.
std::string taken(World& world) {
  world.result("api", Seen::critical);
  world.command(incident::Verb::ack);
  return world.only().id;
}

}  // namespace

TEST_CASE("what fires in this life and did in the one before is one incident, and who heard of the first hears where it goes on",
          "[response]") {
  World world(one_check_toml + "[alert.api-down]\np1 = \"api.status == critical\"\n");
  const std::string before = taken(world);
  world.now += minute;
  world.restart_blind();
  world.result("api", Seen::critical);
  const std::string again = world.only().id;
  REQUIRE(again != before);
  world.now += minute;
  const std::size_t told = world.told.size();
  world.recall();
  CHECK(world.live() == Ids{again});
  REQUIRE(world.told.size() == told + 1);
  CHECK(world.told.back().find(" resolve p1 cto log") != std::string::npos);
  CHECK(world.order.back().incident == before);
  CHECK(world.order.back().text.body.find("goes on in " + again) != std::string::npos);
  world.recall();  // once more brings nothing
  CHECK(world.told.size() == told + 1);
  const auto incidents = world.desk().incidents().incidents;
  world.restart(false);
  CHECK(world.desk().incidents().incidents == incidents);
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  CHECK(world.live() == Ids{again});
  world.run_to(10 * minute, {{"api", Seen::ok}});
  CHECK(world.live().empty());
}

TEST_CASE("what was taken before and still fires is taken again, without a word", "[response]") {
  World world(one_check_toml + "[alert.api-down]\np1 = \"api.status == critical\"\n");
  const std::string before = taken(world);
  world.restart_blind();
  world.recall();  // before the check has run
  const std::size_t told = world.told.size();
  world.result("api", Seen::critical);
  CHECK(world.only().id == before);
  CHECK(world.only().stage == incident::Stage::acknowledged);
  CHECK(world.told.size() == told);
}

TEST_CASE("what fired before and is well meanwhile ends, as its rule says, and that is told", "[response]") {
  World world(one_check_toml + "[alert.api-down]\np1 = \"api.status == critical\"\n");
  const std::string before = taken(world);
  world.restart_blind();
  world.result("api", Seen::ok);
  CHECK(world.live().empty());
  world.recall();
  world.run_to(10 * minute, {{"api", Seen::ok}});
  CHECK(world.live().empty());
  REQUIRE(world.desk().incidents().find(before) != nullptr);
  CHECK(world.desk().incidents().find(before)->stage == incident::Stage::resolved);
  CHECK(world.told.back().find(" resolve p1 cto log") != std::string::npos);
}

TEST_CASE("what people silenced before is silent again, for what fired meanwhile too", "[response]") {
  World world(one_check_toml + "[alert.api-down]\np1 = \"api.status == critical\"\n");
  incident::SilenceRequest request;
  request.what.checks = {"api"};
  request.owner = {incident::Author::Kind::contact, "cto"};
  request.reason = "work";
  request.for_ns = hour;
  world.take(world.desk().add_silence(*incident::make_silence(request, world.now, 7), world.now));
  world.restart_blind();
  world.result("api", Seen::critical);
  CHECK_FALSE(world.only().is_suppressed());
  world.recall();
  CHECK(world.only().is_suppressed());
  CHECK(world.desk().silences().silences.size() == 1);
}

TEST_CASE("the age of a task that a late store knows is not counted from this start", "[response]") {
  World world(one_check_toml + "[task.dump]\nuse = \"a.b\"\nat = \"*-*-* 02:00\"\n[alert.old]\np2 = \"age(task.dump) > 26h\"\n");
  world.run_to(2 * hour);
  world.task_ends("dump", Seen::ok);
  world.run_to(29 * hour);
  REQUIRE(world.live().size() == 1);
  const std::size_t told = world.told.size();
  world.restart_blind();
  world.recall();
  world.run_to(30 * hour);
  CHECK(world.live().size() == 1);
  CHECK(world.told.size() == told);
}

TEST_CASE("trouble of the agent that this life has seen the end of ends for the life before too", "[response]") {
  World world(one_check_toml);
  world.take(world.desk().on_own_trouble("store", Level::p2, "the store has failed: full", world.now));
  world.restart_blind();
  world.take(world.desk().on_own_trouble("store", Level::p2, "the store has failed: read-only", world.now));
  SECTION("before it is known again") {
    world.take(world.desk().on_own_trouble("store", Level::none, "the store works", world.now));
    world.recall();
  }
  SECTION("after") {
    world.recall();
    world.take(world.desk().on_own_trouble("store", Level::none, "the store works", world.now));
  }
  CHECK(world.live().empty());
  CHECK(world.desk().own_troubles().empty());
}

TEST_CASE("what was said to be over before the store could be read does not come back from it", "[response]") {
  World world(one_check_toml + "[token.prometheus]\nrole = \"reporter\"\ninbox = [\"@alertmanager\"]\n"
                                "sha256 = \"c1f3e0c1a47d0f5b9a7e2c86f0d3b4a5968778695a4b3c2d1e0f9182736455e6\"\n");
  const std::string disk = "inbound/prometheus/disk", cpu = "inbound/prometheus/cpu";
  const auto say = [&](const std::string& name, Level level) {
    world.take(world.desk().on_inbound({"event", "token:prometheus", {{name, name, "shop", level, "it is " + name, 0}}}, world.now));
  };
  say(disk, Level::p2);
  say(cpu, Level::p2);
  world.take(world.desk().on_own_trouble("config", Level::p2, "configuration: 1 error", world.now));
  REQUIRE(world.live().size() == 2);
  world.restart_blind();
  world.now += minute;
  say(disk, Level::none);
  say(cpu, Level::none);
  say(cpu, Level::p1);  // and is not over after all
  world.take(world.desk().on_own_trouble("config", Level::none, "the configuration is active as it stands", world.now));
  world.recall();
  CHECK(world.desk().own_troubles().empty());
  CHECK(world.desk().alert(disk) == nullptr);
  CHECK(world.desk().inbound_count() == 1);
  CHECK(world.desk().incidents().by_alert.size() == 1);
  CHECK(world.desk().incidents().by_alert.contains(cpu));
  CHECK(world.live().size() == 1);
  // nor by the next start
  world.restart();
  CHECK(world.desk().own_troubles().empty());
  CHECK(world.desk().inbound_count() == 1);
  world.run_to(hour);
  CHECK(world.live().size() == 1);
}
