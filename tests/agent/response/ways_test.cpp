// SPDX-License-Identifier: Apache-2.0
// That messages do not go where the configuration says is a trouble of the agent's own.
#include "agent/response/desk.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

const std::string lost = R"(
[agent]
last_resort = ["mail"]
[notifier.log]
use = "logfile"
[notifier.mail]
use = "smtp"
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
[alert.api]
p1 = "api.status == critical"
p3 = "api.status == warning"
[service.shop]
title = "The shop"
checks = ["api"]
escalation = "shop"
[contact.cto]
channels = [{ notifier = "log" }]
[contact.dba]
channels = [{ notifier = "mail", to = "dba@example.com" }]
[oncall.later]
members = ["cto"]
start = "2099-01-01"
tz = "UTC"
[escalation.shop.p1]
steps = [{ from = "0m", notify = ["later"], repeat = ["15m"] }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["cto"] }]
)";

using Names = std::vector<std::string>;

std::string level_of(const World& world, const std::string& service) {
  for (const auto& [id, one] : world.desk().incidents().incidents) {
    if (one.service == service && one.is_live()) return std::string(config::level_name(one.level));
  }
  return "none";
}

}  // namespace

TEST_CASE("that only the last resort hears of a service is a P2 of the agent until its people are reached again", "[response]") {
  World world(lost);
  world.result("api", Seen::critical);
  CHECK(world.told == Names{"0s open p1  mail", "0s open p2 cto log"});
  CHECK(world.desk().own_troubles() == Names{"route/shop"});
  CHECK(level_of(world, "ronda") == "p2");
  world.run_to(20 * minute);  // said once
  CHECK(world.desk().own_troubles() == Names{"route/shop"});
  world.restart();
  CHECK(world.desk().own_troubles() == Names{"route/shop"});
  SECTION("by another configuration") {
    world.use(with_other(lost, "2099-01-01", "2025-01-01"));
  }
  SECTION("because one is on call") {
    world.take(
        world.desk().override_oncall({"O-1", "later", "cto", {}, "stands in", world.now, world.now, world.now + hour, 0, {}}, world.now));
    CHECK(world.desk().own_troubles() == Names{"route/shop"});
    world.run_to(31 * minute);  // the next repeat is theirs
  }
  CHECK(world.desk().own_troubles().empty());
  CHECK(level_of(world, "ronda") == "none");
}

TEST_CASE("that nobody can be told is a P1 of the agent", "[response]") {
  World world(lost);
  world.use(lost, {{"log", false, true}, {"mail", false, true}});
  world.result("api", Seen::critical);
  CHECK(world.desk().own_troubles() == Names{"route/ronda", "route/shop"});
  CHECK(level_of(world, "ronda") == "p1");
  CHECK(world.told.empty());
  world.use(with_other(lost, "2099-01-01", "2025-01-01"));
  CHECK(world.desk().own_troubles().empty());
}

TEST_CASE("where nobody is configured for a level the last resort is who is meant", "[response]") {
  World world(lost);
  world.result("api", Seen::warning);
  CHECK(world.told == Names{"0s open p3  mail"});
  CHECK(world.desk().own_troubles().empty());
}

TEST_CASE("what nobody can hear is decided once, and told when somebody can", "[response][unheard]") {
  const std::string text = with_other(with_other(lost, "2099-01-01", "2025-01-01"), "last_resort = [\"mail\"]\n", "");
  World world(text);
  world.use(text, {});  // no notifier at all
  world.result("api", Seen::critical);
  const auto said = [&] {
    return std::ranges::count_if(world.troubles, [](const std::string& one) { return one.ends_with("no notifier can be used"); });
  };
  const auto before = said();
  REQUIRE(before > 0);
  const auto incidents = world.desk().incidents().incidents;
  for (const auto& [id, one] : incidents) {
    for (int i = 0; i < 5; ++i) {
      incident::Command command;
      command.verb = incident::Verb::note;
      command.incident = id;
      command.author = {incident::Author::Kind::contact, "cto"};
      command.text = "still looking";
      world.take(world.desk().command(command, ++world.now));
    }
  }
  CHECK(said() == before);
  world.run_to(16 * minute);  // a repeat is another step
  CHECK(said() > before);
  CHECK(world.told.empty());
  world.use(text);
  CHECK(std::ranges::count_if(world.told, [](const std::string& line) { return line.ends_with(" p1 cto log"); }) > 0);
}

TEST_CASE("that messages are lost is heard while all else is silenced, and by name the rest of what the agent says is not", "[response]") {
  World world(lost);
  const auto silence = [&](std::vector<std::string> words, std::uint64_t random) {
    incident::SilenceRequest request;
    request.what = *incident::parse_matcher(words);
    request.owner = {incident::Author::Kind::contact, "dba"};
    request.reason = "known";
    request.for_ns = 10 * hour;
    world.take(world.desk().add_silence(*incident::make_silence(request, world.now, random), world.now));
  };
  silence({"alert=ronda/store"}, 8);
  world.take(world.desk().on_own_trouble("store", Level::p2, "the store has failed: full", world.now));
  CHECK(world.told.empty());
  REQUIRE(world.only().is_suppressed());
  silence({"level=p2", "alert=ronda/route/shop"}, 7);
  silence({"level=p2"}, 9);
  world.run_to(minute, {{"api", Seen::ok}});
  world.told.clear();
  world.result("api", Seen::critical);
  CHECK(world.desk().own_troubles() == Names{"route/shop", "store"});
  for (const auto& [id, one] : world.desk().incidents().incidents) CHECK_FALSE(one.is_suppressed());
  CHECK(std::ranges::count(world.told, "1m open p2 cto log") == 1);
}
