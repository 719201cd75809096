// SPDX-License-Identifier: Apache-2.0
// What waits for a check that is critical: what is told of it, of what it waits for, and of its end.
#include "agent/response/desk.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

using Lines = std::vector<std::string>;

/// Like three_checks, with `db` as the only one that `page` and `cart` wait for; `rules` may judge it.
std::string mute_parent(const std::string& rules) {
  const std::string cart =
      "[check.cart]\nuse = \"a.b\"\nevery = \"30s\"\ntimeout = \"10s\"\nservice = \"cash\"\nafter = [\"db\"]\nseverity = "
      "\"p1\"\n[service.cash]\nchecks = [\"cart\"]\nescalation = \"default\"\n";
  const std::size_t begin = three_checks.find("[alert.db-down]"), end = three_checks.find("[service.shop]");
  return three_checks.substr(0, begin) + rules + cart + three_checks.substr(end);
}

const std::map<std::string, Seen> db_is_down = {{"api", Seen::ok}, {"db", Seen::critical}};

}  // namespace

TEST_CASE("what fails because of its parent has no incident of its own", "[response]") {
  World world(three_checks);
  for (const char* check : {"db", "page"}) world.result(check, Seen::ok);
  world.now += 30 * second;
  world.result("db", Seen::critical);
  world.result("page", Seen::critical);
  world.run_to(10 * minute, {{"db", Seen::critical}, {"page", Seen::critical}});
  CHECK(world.desk().incidents().incidents.size() == 1);
  CHECK(world.only().root == "db");
}

TEST_CASE("what waited for a critical check waits for it after a start too", "[response]") {
  World world(three_checks);
  world.result("page", Seen::critical);
  world.result("db", Seen::critical);
  REQUIRE(world.desk().alert("page")->blocked_by == "db");
  const std::size_t events = world.held.events.size();
  world.told.clear();
  world.restart();
  world.take(world.desk().use(world.desk().share_plan(), world.now));
  CHECK(world.desk().alert("page")->blocked_by == "db");
  CHECK(world.held.events.size() == events);
  CHECK(world.told.empty());
}

TEST_CASE("what waits for a check of which nobody is told opens the incident, once over a restart, and names what it waits for",
          "[response]") {
  const bool restarts = GENERATE(false, true);
  World world(mute_parent(""));
  for (const char* check : {"api", "page", "cart", "db"}) world.result(check, Seen::ok);
  world.run_to(minute, {{"api", Seen::ok}, {"db", Seen::critical}});
  CHECK(world.told.empty());  // it may be over before that matters
  world.run_to(4 * minute, db_is_down);
  REQUIRE(world.live().size() == 1);  // of two services, for the same cause
  CHECK(world.only().level == Level::p1);
  REQUIRE(world.only().members.contains("page"));
  CHECK(world.only().members.at("page").blocker == "db");
  CHECK(world.only().members.at("cart").blocked);
  CHECK(incident::headline_of(world.only()) == "cart: blocked by db, which is critical and has no alert that fires");
  const Lines once = {"1m20s open p1 cto log", "1m50s update p1 cto log"};  // that `page` has joined, once all of a moment have
  CHECK(world.told == once);
  if (restarts) world.restart();
  if (restarts) world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.run_to(10 * minute, db_is_down);
  CHECK(world.told == once);
  world.run_to(11 * minute, {{"api", Seen::ok}, {"db", Seen::ok}, {"page", Seen::ok}, {"cart", Seen::ok}});
  CHECK(world.live().empty());
  CHECK(world.told.size() == once.size() + 1);
  CHECK(world.told.back().ends_with("resolve p1 cto log"));
}

TEST_CASE("what waits for a check that an alert tells of, or will, says nothing itself", "[response]") {
  World world(mute_parent("[alert.db-down]\np1 = \"db.status == critical\"\nfor = \"5m\"\n"));
  for (const char* check : {"api", "page", "cart", "db"}) world.result(check, Seen::ok);
  world.run_to(4 * minute, db_is_down);
  CHECK(world.live().empty());
  world.run_to(20 * minute, db_is_down);
  REQUIRE(world.live().size() == 1);
  CHECK(world.only().root == "db");
  for (const auto& [alert, member] : world.only().members) CHECK(member.fires() == (alert == "db-down"));
}

TEST_CASE("an alert of what was waited for that fires later is the cause of what waits", "[response]") {
  World world(mute_parent("[alert.db-slow]\np2 = \"db.duration > 5s\"\n"));
  for (const char* check : {"api", "page", "cart", "db"}) world.result(check, Seen::ok);
  world.run_to(4 * minute, db_is_down);
  REQUIRE(world.live().size() == 1);
  CHECK(world.only().root != "db");
  measure::Result slow;
  slow.check = "db";
  slow.status = Seen::critical;
  slow.since_ns = monday + 30 * second;
  slow.started_ns = slow.ended_ns = world.now;
  slow.duration_ns = 6 * second;
  world.take(world.desk().on_result(slow, world.now));
  CHECK(world.live().size() == 1);
  CHECK(world.only().members.at("db-slow").fires());
  CHECK(world.only().root == "db");
}

TEST_CASE("the time in which nobody watched is not waited", "[response]") {
  World world(mute_parent(""));
  for (const char* check : {"api", "page", "cart", "db"}) world.result(check, Seen::ok);
  world.now += 30 * second;
  world.result("db", Seen::critical);
  world.now += 8 * hour;  // the host slept
  world.take(world.desk().tick(world.now));
  CHECK(world.live().empty());
}

TEST_CASE("what waited, and of which nothing comes, is well where `no_data` says so", "[response]") {
  World world(mute_parent("[alert.till]\np2 = \"cart.status == critical\"\nno_data = \"ok\"\n"));
  for (const char* check : {"api", "page", "cart", "db"}) world.result(check, Seen::ok);
  world.run_to(4 * minute, db_is_down);
  REQUIRE(world.live().size() == 1);
  REQUIRE(world.only().members.at("till").fires());
  world.run_to(10 * minute, {{"api", Seen::ok}, {"db", Seen::ok}});
  CHECK_FALSE(world.only().members.at("till").fires());
  CHECK(world.only().members.at("cart").fires());
}

TEST_CASE("what waits is judged before its end is told, and is no other trouble where it is down itself", "[response]") {
  World world(mute_parent(""));
  for (const char* check : {"api", "page", "cart", "db"}) world.result(check, Seen::ok);
  world.run_to(4 * minute, db_is_down);
  REQUIRE(world.live().size() == 1);
  const std::string id = world.only().id;
  const Lines before = world.told;
  // what it waits for is there again: of itself nothing is known yet
  world.result("db", Seen::ok);
  CHECK(world.told == before);
  REQUIRE(world.live().size() == 1);
  CHECK(world.desk().alert("cart")->blocked_by.empty());
  const bool restarts = GENERATE(false, true);
  if (restarts) world.restart();
  if (restarts) world.take(world.desk().use(world.desk().share_plan(), world.now));
  world.now += 10 * second;
  SECTION("it is well") {
    world.result("cart", Seen::ok);
    CHECK(world.live().size() == 1);  // `page` may be down
    world.result("page", Seen::ok);
    CHECK(world.live().empty());
    CHECK(world.told.size() == before.size() + 1);
    CHECK(world.told.back().ends_with("resolve p1 cto log"));
  }
  SECTION("it is down") {
    world.result("page", Seen::ok);
    world.run_to(8 * minute, {{"api", Seen::ok}, {"db", Seen::ok}, {"page", Seen::ok}, {"cart", Seen::critical}});
    CHECK(world.told == before);
    REQUIRE(world.live().size() == 1);
    CHECK(world.only().id == id);
    CHECK(world.only().members.at("cart").fires());
    CHECK_FALSE(world.only().members.at("cart").blocked);
    CHECK_FALSE(world.only().members.at("page").fires());
    world.run_to(10 * minute, {{"api", Seen::ok}, {"db", Seen::ok}, {"page", Seen::ok}, {"cart", Seen::ok}});
    CHECK(world.live().empty());
    CHECK(world.told.back().ends_with("resolve p1 cto log"));
  }
  SECTION("nothing comes of it") {
    world.result("page", Seen::ok);
    world.run_to(10 * minute, {{"api", Seen::ok}, {"db", Seen::ok}, {"page", Seen::ok}});
    CHECK(world.told == before);
    REQUIRE(world.live().size() == 1);
    CHECK_FALSE(world.only().members.at("cart").blocked);
  }
  SECTION("what it waits for is critical again") {
    world.run_to(8 * minute, db_is_down);
    CHECK(world.told == before);
    REQUIRE(world.live().size() == 1);
    CHECK(world.only().members.at("cart").blocked);
  }
}
