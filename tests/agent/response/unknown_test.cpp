// SPDX-License-Identifier: Apache-2.0
// What nothing is known of: who is told, and when; and what is not looked at before its past is read.
#include "agent/response/desk.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

using Lines = std::vector<std::string>;

std::string shop_with(const std::string& alert) {
  return one_check_toml + "[alert.api]\n" + alert;
}

}  // namespace

TEST_CASE("a check that falls silent reaches a person one level below what may be hidden, once", "[response]") {
  World world(shop_with("p1 = \"api.status == critical\"\n"));
  world.run_to(5 * minute, {{"api", Seen::ok}});
  world.run_to(5 * minute + 45 * second);
  CHECK(world.told.empty());
  world.run_to(20 * minute);
  REQUIRE(world.told.size() == 1);
  CHECK(world.told.front().ends_with(" open p2 cto log"));
  CHECK(world.only().title.find("nothing is known") != std::string::npos);
  CHECK(world.desk().alert("api")->level == Level::none);
  SECTION("and it ends when it is known again") {
    world.run_to(21 * minute, {{"api", Seen::ok}});
    CHECK(world.only().stage == incident::Stage::resolved);
    CHECK(world.told.size() == 2);
  }
  SECTION("what then turns out to be wrong raises the same incident") {
    world.run_to(21 * minute, {{"api", Seen::critical}});
    CHECK(world.only().level == Level::p1);
  }
  SECTION("over a restart nobody is told again") {
    world.restart(false);
    world.run_to(40 * minute);
    CHECK(world.told.size() == 1);
  }
  SECTION("what a person resolved does not come back by itself") {
    world.command(incident::Verb::resolve, "cto", "the host is gone", true);
    const auto told = world.told.size();
    world.run_to(60 * minute);
    CHECK(world.told.size() == told);
    CHECK(world.only().stage == incident::Stage::resolved);
  }
}

TEST_CASE("what runs at two in the morning is not missed before two in the morning", "[response][slot]") {
  const std::string nightly = "every = \"30s\"";
  std::string text = shop_with("p1 = \"api.status == critical\"\n");
  text.replace(text.find(nightly), nightly.size(), "at = \"*-*-* 02:00\"");
  World world(text);
  const Seen seen = GENERATE(Seen::ok, Seen::critical);
  CAPTURE(seen);
  world.run_to(2 * hour + 10 * second);
  world.result("api", seen);
  const std::size_t told = seen == Seen::ok ? 0 : 1;
  REQUIRE(world.told.size() == told);
  const auto level = world.desk().alert("api")->level;
  SECTION("the agent starts anew, often") {
    for (int i = 3; i < 24; i += 4) {
      world.run_to(i * hour);
      world.restart(false);
    }
    world.run_to(26 * hour);
    CHECK(world.told.size() == told);
    CHECK_FALSE(world.desk().alert("api")->no_data);
    CHECK(world.desk().alert("api")->level == level);
    SECTION("its slot brings the next result") {
      world.run_to(26 * hour + 10 * second);
      world.result("api", Seen::ok);
      CHECK(world.desk().alert("api")->level == Level::none);
      CHECK(world.told.size() == 2 * told);  // its end
    }
    SECTION("its slot passes, and its grace") {
      world.run_to(26 * hour + 99 * second);
      CHECK_FALSE(world.desk().alert("api")->no_data);
      world.run_to(26 * hour + 5 * minute);
      CHECK(world.desk().alert("api")->no_data);
      if (seen == Seen::ok) CHECK(world.told.size() == 1);
    }
  }
  SECTION("no agent runs at its slot, and it is not made up for") {
    world.now += 25 * hour;
    world.restart(false);
    world.run_to(world.now - monday + 90 * second);
    CHECK_FALSE(world.desk().alert("api")->no_data);
    world.run_to(world.now - monday + 5 * minute);
    CHECK(world.desk().alert("api")->no_data);
  }
}

TEST_CASE("time in which nobody watched is none in which nothing was known", "[response]") {
  World world(shop_with("p1 = \"api.status == critical\"\nfor = \"5m\"\n"));
  world.run_to(minute, {{"api", Seen::ok}});
  world.run_to(4 * minute, {{"api", Seen::unknown}});
  REQUIRE(world.told.empty());
  SECTION("no agent ran for an hour") {
    world.now += hour;
    world.restart(false);
    world.run_to(world.now - monday + 4 * minute);
    CHECK(world.told.empty());
    world.run_to(world.now - monday + 2 * minute);
    CHECK(world.told.size() == 1);
  }
  SECTION("no agent ran for a moment") {
    world.restart(false);
    world.run_to(8 * minute);
    CHECK(world.told.empty());
    world.run_to(10 * minute);
    CHECK(world.told.size() == 1);
  }
  SECTION("the host slept") {
    const bool comes_back = GENERATE(true, false);
    CAPTURE(comes_back);
    world.now += 2 * minute;  // longer than its check may be late, shorter than its `for`
    world.take(world.desk().tick(world.now));
    world.run_to(world.now - monday + 4 * minute);
    CHECK(world.told.empty());
    if (comes_back) world.result("api", Seen::ok);
    world.run_to(world.now - monday + 70 * second);
    CHECK(world.told.size() == (comes_back ? 0 : 1));
  }
  SECTION("a tick was late, as on a busy host") {
    world.now += 55 * second;
    world.take(world.desk().tick(world.now));
    world.run_to(7 * minute);
    CHECK(world.told.size() == 1);
  }
}

TEST_CASE("a status that is unknown hides an outage, so it is told as well", "[response]") {
  World world(shop_with("p1 = \"api.status == critical\"\n"));
  world.run_to(minute, {{"api", Seen::ok}});
  world.run_to(90 * second, {{"api", Seen::unknown}});
  world.run_to(2 * minute, {{"api", Seen::ok}});
  CHECK(world.told.empty());
  world.run_to(5 * minute, {{"api", Seen::unknown}});
  REQUIRE(world.told.size() == 1);
  CHECK(world.told.front().ends_with(" open p2 cto log"));
}

TEST_CASE("what nothing is known of is what `no_data` says", "[response]") {
  struct Row {
    const char* no_data;
    Lines told;
  };
  const Row row = GENERATE(Row{"ok", {}}, Row{"p1", {"open p1 cto log"}}, Row{"unknown", {"open p2 cto log"}});
  World world(shop_with("p1 = \"api.status == critical\"\nno_data = \"" + std::string(row.no_data) + "\"\n"));
  world.run_to(2 * minute, {{"api", Seen::ok}});
  world.run_to(30 * minute);
  INFO(row.no_data);
  REQUIRE(world.told.size() == row.told.size());
  for (std::size_t i = 0; i < row.told.size(); ++i) CHECK(world.told[i].ends_with(row.told[i]));
}

TEST_CASE("it is not told before what holds would have to hold for", "[response]") {
  World world(shop_with("p1 = \"api.status == critical\"\nfor = \"10m\"\n"));
  world.run_to(minute, {{"api", Seen::ok}});
  world.run_to(10 * minute);
  CHECK(world.told.empty());
  world.run_to(13 * minute);
  CHECK(world.told.size() == 1);
}

TEST_CASE("an error rate of fewer than `min_samples` is no error rate, and no reason to call anybody", "[response]") {
  World world(shop_with("p1 = \"avg(api.error_rate, 10m) > 0.05\"\nmin_samples = 17\n"));
  const auto run = [&](int times, std::int64_t apart) {
    for (int i = 0; i < times; ++i) {
      world.run_to(world.now - monday + apart);
      world.result("api", Seen::ok, {{"error_rate", 0.5}});
    }
  };
  run(60, 40 * second);  // at most 15 of them in ten minutes
  CHECK(world.desk().alert("api")->level == Level::none);
  CHECK(world.told.empty());
  run(20, 10 * second);
  CHECK(world.desk().alert("api")->level == Level::p1);
}

TEST_CASE("a rule looks when what was known before the start is there, and not before", "[response]") {
  World world(shop_with("p1 = \"api.status == critical\"\n"));
  world.desk().wait_for_samples();
  world.run_to(5 * second);
  world.result("api", Seen::critical);
  CHECK(world.told.empty());
  CHECK((world.desk().alert("api") == nullptr || world.desk().alert("api")->looked_ns == 0));
  world.take(world.desk().begin_looking(world.now));
  CHECK(world.told == Lines{"5s open p1 cto log"});
  CHECK(world.desk().begin_looking(world.now).decision.empty());
}

TEST_CASE("what was counted before a restart does not end because nothing is counted yet", "[response]") {
  const bool waits = GENERATE(true, false);  // false: what would be without it
  World world(shop_with("p1 = \"count(api.status == critical, 30m) >= 3\"\n"));
  world.run_to(2 * minute, {{"api", Seen::critical}});
  world.run_to(4 * minute, {{"api", Seen::ok}});
  REQUIRE(world.desk().alert("api")->level == Level::p1);
  std::vector<store::Point> before;
  for (int i = 1; i <= 8; ++i) before.push_back({monday + i * 30 * second, i <= 4 ? 2.0 : 0.0});
  world.restart(false);
  if (waits) world.desk().wait_for_samples();
  world.run_to(4 * minute + 40 * second, {{"api", Seen::ok}});
  world.desk().history().restore({"api", "status", {}, "", store::Shape::gauge}, before, {}, {});
  world.take(world.desk().begin_looking(world.now));
  world.run_to(5 * minute, {{"api", Seen::ok}});
  const auto is_end = [](const std::string& line) { return line.find(" resolve ") != std::string::npos; };
  CHECK(std::ranges::any_of(world.told, is_end) != waits);
  world.run_to(40 * minute, {{"api", Seen::ok}});
  CHECK(world.desk().alert("api")->level == Level::none);
}

namespace {

const std::string dump_toml = one_check_toml + "[task.dump]\nuse = \"a.b\"\nat = \"*-*-* 02:00\"\n";

}  // namespace

TEST_CASE("the age of a task is known over a restart, and ends when the task succeeds", "[response][slot]") {
  World world(dump_toml + "[alert.old]\np2 = \"age(task.dump) > 26h\"\n");
  world.restart(false);
  world.run_to(2 * hour);
  world.task_ends("dump", Seen::ok);
  world.run_to(10 * hour);
  world.restart(false);  // and from here on it is dead
  world.run_to(28 * hour);
  CHECK(world.told.empty());
  world.run_to(29 * hour);
  CHECK(world.told == Lines{"1d4h open p2 cto log"});
  world.restart(false);
  world.run_to(30 * hour);
  CHECK(world.told.size() == 1);
  world.task_ends("dump", Seen::ok);
  CHECK(world.only().stage == incident::Stage::resolved);
}

TEST_CASE("a task that never succeeded counts from when it is known", "[response][slot]") {
  const std::string text = dump_toml + "[alert.old]\np2 = \"age(task.dump) > 26h\"\n";
  World world(text);
  const auto restart = [&] {
    world.restart(false);
    world.use(text);  // as every start ends
  };
  restart();
  SECTION("it never ran") {
    world.run_to(25 * hour);
    CHECK(world.told.empty());
  }
  SECTION("it failed, and the agent starts anew, often") {
    for (int i = 0; i < 25; ++i) {
      world.run_to(i * hour + minute);
      if (i == 0) world.task_ends("dump", Seen::critical);
      restart();
    }
    CHECK(world.told.empty());
  }
  world.run_to(27 * hour);
  CHECK(world.told.size() == 1);
}

TEST_CASE("a task with `severity` is told when its last run did not end well", "[response][slot]") {
  const std::string when = GENERATE(as<std::string>{}, "at = \"*-*-* 02:00\"", "");  // without: by hand alone
  const Seen wrong = GENERATE(Seen::critical, Seen::unknown);    // failed; timed out
  CAPTURE(when, wrong);
  World world(one_check_toml + "[task.dump]\nuse = \"a.b\"\nservice = \"shop\"\nseverity = \"p2\"\n" + when + "\n");
  world.restart(false);
  world.run_to(5 * minute);  // nothing is missed before it ran
  world.task_ends("dump", Seen::ok);
  world.run_to(2 * hour);
  CHECK(world.told.empty());
  world.task_ends("dump", wrong);
  CHECK(world.told == Lines{"2h open p2 cto log"});
  CHECK(world.only().service == "shop");
  CHECK(world.only().root == "task.dump");
  for (int i = 3; i < 24; i += 4) {
    world.run_to(i * hour);
    world.restart(false);
  }
  CHECK(world.only().stage == incident::Stage::open);
  CHECK(world.desk().alert("task.dump")->level == Level::p2);
  world.run_to(26 * hour);
  world.task_ends("dump", Seen::ok);
  CHECK(world.only().stage == incident::Stage::resolved);
  CHECK(std::ranges::count_if(world.told, [](const std::string& line) { return line.find(" open ") != std::string::npos; }) == 1);
}
