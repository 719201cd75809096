// SPDX-License-Identifier: Apache-2.0
// What an agent does with a host that is not as it should be when it starts, and whom it tells.
#include <sys/stat.h>

#include <filesystem>

#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view one_check = "[check.one]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/true\"]\n";

std::string config_word(const WholeAgent& agent) {
  const json::value status = agent.status();
  const json::value& word = status.at("agent").at("config");
  return word.is_string() ? std::string(word.as_string()) : std::string();
}

}  // namespace

TEST_CASE("a conf.d that is not there or not to be trusted at the start is told by status until a reload mends it", "[whole]") {
  const bool is_there = GENERATE(false, true);
  CAPTURE(is_there);
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  const std::string away = agent.scratch() / "away";
  if (is_there)
    ::chmod(agent.config_directory().c_str(), 0777);
  else
    fs::rename(agent.config_directory(), away);
  REQUIRE(agent.start());
  CHECK(agent.status().at("agent").at("state").as_string() == "degraded");
  CHECK(config_word(agent).starts_with("1 error in the configuration; the agent runs without what is wrong: "));
  CHECK(config_word(agent).find(agent.config_directory()) != std::string::npos);
  const Finished status = agent.ronda({"status"});
  CHECK(status.code == 1);
  CHECK(status.out.find("  config: 1 error in the configuration; ") != std::string::npos);
  CHECK(agent.log().find((is_there ? " error " : " error opening ") + agent.config_directory()) != std::string::npos);
  CHECK(agent.log().find("error error:") == std::string::npos);
  if (is_there)
    ::chmod(agent.config_directory().c_str(), 0755);
  else
    fs::rename(away, agent.config_directory());
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(config_word(agent).empty());
  CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  CHECK(agent.stop() == 0);
}
