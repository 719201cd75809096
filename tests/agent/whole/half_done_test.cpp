// SPDX-License-Identifier: Apache-2.0
// A task that the agent's death ended is one that did not end well, for those who are told of that too.
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view configuration = R"([task.dump]
use = "exec.command"
at = "*-*-* *:*:0/2"
timeout = "10m"
severity = "p2"
command = ["/bin/sh", "-c", "echo run >> OPEN/runs; sleep 600"]
[notifier.paper]
use = "command"
command = ["/bin/sh", "-c", "echo $RONDA_EVENT $RONDA_LEVEL >> OPEN/heard"]
[contact.ana]
channels = [{ notifier = "paper", to = "ana" }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ana"] }]
)";

std::ptrdiff_t lines(const std::string& path, std::string_view line) {
  std::istringstream in(read_file(path));
  std::ptrdiff_t out = 0;
  for (std::string one; std::getline(in, one);) out += one == line ? 1 : 0;
  return out;
}

}  // namespace

TEST_CASE("a task in the middle of which the agent is killed raises its alert after the restart, once over two kills", "[whole]") {
  WholeAgent agent;
  if (::geteuid() == 0) agent.become_nobody();
  agent.configure("10.toml", replaced(std::string(configuration), "OPEN", agent.open_directory()));
  const std::string runs = agent.open_directory() + "/runs", heard = agent.open_directory() + "/heard";
  for (int life = 1; life <= 2; ++life) {
    INFO("life " << life);
    REQUIRE(agent.start());
    // the second life runs it anew, and is killed as well
    REQUIRE(eventually([&] { return lines(runs, "run") == life; }));
    if (life == 2) {
      REQUIRE(eventually([&] { return agent.firing("task.dump").contains("level"); }));
      CHECK(eventually([&] { return lines(heard, "open p2") == 1; }));
      // known to be delivered, or the next life rightly sends it once more
      REQUIRE(eventually([&] {
        const json::value all = agent.get("/v1/outbox");
        return all.is_array() && !all.as_array().empty() &&
               std::ranges::all_of(all.as_array(), [](const json::value& one) { return one.at("state") == json::value("delivered"); });
      }));
    }
    agent.kill_hard();
  }
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return lines(runs, "run") == 3; }));
  CHECK(agent.firing("task.dump").contains("level"));
  CHECK(lines(heard, "open p2") == 1);
  const json::value incidents = agent.get("/v1/incidents");
  REQUIRE(incidents.is_array());
  CHECK(incidents.as_array().size() == 1);
  CHECK(agent.log().find("task/dump: outcome unknown: the agent ended while it ran") != std::string::npos);
  agent.kill_hard();
}
