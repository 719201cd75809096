// SPDX-License-Identifier: Apache-2.0
// What a quarantine is worth: it outlives the agent, and ends by another configuration or by an operator's word.
#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

std::string bad_check(std::string_view interval) {
  return "[check.bad]\nuse = \"chaos.check\"\nmode = \"segv\"\nevery = \"" + std::string(interval) + "\"\n";
}

json::object chaos_of(const WholeAgent& agent) {
  return agent.plugin("org.ronda.chaos");
}

/// The agent's own alert about it, which has opened an incident.
bool is_told(const WholeAgent& agent) {
  const json::object alert = agent.firing("ronda/plugin/org.ronda.chaos");
  return !alert.empty() && alert.at("level") == "p2" && alert.at("incident").is_string();
}

bool is_held(const WholeAgent& agent) {
  const json::value check = agent.check("bad");
  return check.is_object() && check.at("quarantine").is_string();
}

std::int64_t deaths(const WholeAgent& agent) {
  const json::object chaos = chaos_of(agent);
  const json::value* count = chaos.if_contains("deaths");
  return count == nullptr ? -1 : count->to_number<std::int64_t>();
}

/// A fresh agent whose one check crashed until it was put into quarantine.
void crash_until_held(WholeAgent& agent) {
  std::filesystem::copy_file(RONDA_BINARY_DIR "/tests/plugins/chaos.so", agent.copy_plugins() + "/chaos.so");
  agent.configure("10.toml", bad_check("500ms"));
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return is_held(agent); }, 60s));
  CHECK(deaths(agent) == 5);
  CHECK(eventually([&] { return is_told(agent); }));
}

}  // namespace

TEST_CASE("a quarantine outlives the agent", "[whole]") {
  WholeAgent agent;
  crash_until_held(agent);
  const std::string since(chaos_of(agent).at("quarantines").at(0).at("since").as_string());
  REQUIRE(agent.stop() == 0);
  REQUIRE(agent.start());
  // due every half second: a runner that was started would be dead by the second
  REQUIRE(eventually([&] { return agent.get("/v1/explain/bad").at("runs").to_number<int>() >= 3; }));
  CHECK(is_held(agent));
  CHECK(is_told(agent));
  CHECK(deaths(agent) == 0);
  CHECK(agent.check("bad").at("summary").as_string().starts_with("unavailable: in quarantine after repeated failures: "));
  CHECK(chaos_of(agent).at("quarantines").at(0).at("subject") == "check/bad");
  CHECK(chaos_of(agent).at("quarantines").at(0).at("since").as_string() == since);

  SECTION("people are told") {
    CHECK(agent.ronda({"status"}).out.find("quarantined: check/bad since " + since) != std::string::npos);
    const Finished why = agent.ronda({"plugin", "why", "org.ronda.chaos"});
    CHECK(why.code == 1);
    CHECK(why.out.find("held      check/bad is in quarantine since " + since) != std::string::npos);
  }
  SECTION("a reload that does not touch it leaves it") {
    agent.configure("20.toml", "[check.good]\nuse = \"chaos.check\"\nmode = \"ok\"\nevery = \"500ms\"\n");
    REQUIRE(agent.ronda({"reload"}).code == 0);
    CHECK(eventually([&] { return agent.check_status("good") == "ok"; }));
    CHECK(is_held(agent));
    CHECK(is_told(agent));
    CHECK(deaths(agent) == 0);
  }
  SECTION("another configuration of the instance ends it, also for the next start") {
    agent.configure("10.toml", bad_check("30d"));
    REQUIRE(agent.ronda({"reload"}).code == 0);
    CHECK_FALSE(is_held(agent));
    CHECK_FALSE(is_told(agent));
    agent.ronda({"check", "bad"});
    CHECK(deaths(agent) == 1);
    REQUIRE(agent.stop() == 0);
    REQUIRE(agent.start());
    CHECK_FALSE(is_held(agent));
  }
  SECTION("it leaves with the instance") {
    agent.configure("10.toml", "[check.good]\nuse = \"chaos.check\"\nmode = \"ok\"\nevery = \"500ms\"\n");
    REQUIRE(agent.ronda({"reload"}).code == 0);
    CHECK_FALSE(is_told(agent));
  }
  SECTION("an operator's word ends it, also for the next start") {
    agent.configure("10.toml", bad_check("500ms"));
    CHECK(agent.ronda({"plugin", "clear", "bad"}).code == 0);
    CHECK_FALSE(is_held(agent));
    CHECK_FALSE(is_told(agent));
    CHECK(eventually([&] { return deaths(agent) >= 1; }));
    REQUIRE(agent.stop() == 0);
    REQUIRE(agent.start());
    CHECK(eventually([&] { return deaths(agent) >= 1; }));
  }
  CHECK(agent.stop() == 0);
}

TEST_CASE("a quarantine of another configuration or another file is not taken up at the start", "[whole]") {
  WholeAgent agent;
  crash_until_held(agent);
  REQUIRE(agent.stop() == 0);
  SECTION("another configuration") {
    agent.configure("10.toml", bad_check("600ms"));
  }
  SECTION("another file") {
    std::ofstream(agent.scratch() / "plugins/chaos.so", std::ios::binary | std::ios::app) << "A";  // behind the last section: another hash
  }
  REQUIRE(agent.start());
  CHECK_FALSE(is_told(agent));  // what it told in its former life ends too
  CHECK(eventually([&] { return deaths(agent) >= 1; }));
  CHECK(agent.stop() == 0);
}

TEST_CASE("who would clear an instance that its plugin holds is told so; a plugin goes by its file's name too", "[whole]") {
  WholeAgent agent;
  std::filesystem::copy_file(RONDA_BINARY_DIR "/tests/plugins/chaos.so", agent.copy_plugins() + "/chaos.so");
  std::string checks;
  for (int i = 0; i < 5; ++i)
    checks += "[check.bad-" + std::to_string(i) + "]\nuse = \"chaos.check\"\nmode = \"segv\"\nevery = \"500ms\"\n";
  agent.configure("10.toml", checks);
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return chaos_of(agent).at("state") == "quarantined"; }, 60s));
  CHECK(std::string(chaos_of(agent).at("quarantines").at(0).at("reason").as_string()).find(" (by check/bad-") != std::string::npos);
  const Finished refused = agent.ronda({"plugin", "clear", "bad-0"});
  CHECK(refused.code == 1);
  CHECK(refused.err.find("bad-0 is in no quarantine; its plugin org.ronda.chaos is: ") != std::string::npos);
  CHECK(chaos_of(agent).at("state") == "quarantined");
  CHECK(agent.ronda({"plugin", "clear", "chaos"}).code == 0);
  CHECK(chaos_of(agent).at("state") != "quarantined");
  CHECK(agent.stop() == 0);
}
