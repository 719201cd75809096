// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "skip.hpp"
#include "store_rows.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

std::string configuration(const WholeAgent& agent) {
  const std::string& open = agent.open_directory();
  return "[check.slow]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/sh\", \"-c\", \"sleep 600 & "
         "wait\"]\n"
         "[check.quick]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/true\"]\n"
         "[task.at-seconds]\nuse = \"exec.command\"\nat = \"*-*-* *:*:*\"\n"
         "command = [\"/bin/bash\", \"-c\", \"echo $EPOCHSECONDS >>$0\", \"" +
         open +
         "/at-seconds\"]\n"
         "[check.job]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n";
}

std::map<std::string, int> count_lines(const std::string& path) {
  std::istringstream in(read_file(path));
  std::map<std::string, int> out;
  for (std::string line; std::getline(in, line);) ++out[line];
  return out;
}

/// One life: reports are posted until the kill; the number of those that were acknowledged.
int live_and_die(WholeAgent& agent, std::chrono::milliseconds life) {
  REQUIRE(agent.start());
  const auto until = std::chrono::steady_clock::now() + life;
  int acknowledged = 0;
  while (std::chrono::steady_clock::now() < until) {
    if (agent.ask("POST", "/v1/inbox/job", R"({"event": "success"})").status == 202) ++acknowledged;
    std::this_thread::sleep_for(5ms);
  }
  const std::vector<pid_t> below = descendants(agent.pid());
  agent.kill_hard();
  CHECK(eventually([&] { return std::ranges::none_of(below, is_alive); }, 2s));
  // so many quick ends would have it run no task
  std::filesystem::remove(agent.state_directory() + "/starts");
  return acknowledged;
}

void lives(int rounds) {
  WholeAgent agent;
  agent.configure("10.toml", configuration(agent));
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::int64_t acknowledged = 0;
  for (int round = 0; round < rounds; ++round) {
    acknowledged += live_and_die(agent, std::chrono::milliseconds(std::uniform_int_distribution(0, 1500)(random)));
    CHECK(agent.log().find("set aside") == std::string::npos);
  }
  CHECK(column(agent, "PRAGMA integrity_check") == std::vector<std::string>{"ok"});

  // what was acknowledged has been counted by a run or still waits in the inbox; the next life counts it
  REQUIRE(agent.start());
  const auto counted = [&] {
    const json::value job = agent.check("job");
    const json::value* runs = job.is_object() ? job.at("metrics").as_object().if_contains("runs") : nullptr;
    return runs == nullptr ? std::int64_t{-1} : runs->at("value").to_number<std::int64_t>();
  };
  agent.ask("POST", "/v1/inbox/job", R"({"event": "success"})");
  CHECK(eventually([&] { return counted() >= acknowledged + 1; }));
  INFO("acknowledged " << acknowledged << ", counted " << counted());
  CHECK(counted() >= acknowledged + 1);
  CHECK(counted() <= acknowledged + 1 + rounds);  // one a life may have been stored while its answer was lost
  CHECK(agent.stop() == 0);

  int started = 0;
  for (const auto& [second, times] : count_lines(agent.open_directory() + "/at-seconds")) {
    started += times;
    INFO("second " << second);
    CHECK(times <= 3);  // a late start may fall into its neighbour's second
  }
  const auto slots = column(agent, "SELECT count(*) FROM slot WHERE name = 'at-seconds'");
  CHECK(started > 0);
  CHECK(started <= std::stoi(slots.at(0)));
}

}  // namespace

TEST_CASE(
    "killed at any moment the agent comes back: store whole, nobody left behind, no slot twice, no report "
    "lost",
    "[whole]") {
  lives(20);
}

TEST_CASE("whatever signal ends the agent, nobody is left behind two seconds later, without privileges either", "[whole]") {
  const bool as_nobody = GENERATE(false, true);
  const int number = GENERATE(SIGKILL, SIGSEGV, SIGABRT, SIGBUS, SIGQUIT, SIGTERM);
  if (as_nobody && ::geteuid() != 0) return skipped("other-users", "the rows before are just that");
  CAPTURE(as_nobody, number);
  WholeAgent agent;
  if (as_nobody) agent.become_nobody();
  agent.configure("10.toml", configuration(agent));
  REQUIRE(agent.start());
  // the runner of the check that hangs, its shell, and what that started
  std::vector<pid_t> below;
  const auto sleeps = [](pid_t pid) { return read_file("/proc/" + std::to_string(pid) + "/comm") == "sleep\n"; };
  REQUIRE(eventually([&] { return std::ranges::any_of(below = descendants(agent.pid()), sleeps); }));
  agent.signal(number);
  CHECK(agent.wait() == (number == SIGTERM ? 0 : 128 + number));
  CHECK(eventually([&] { return std::ranges::none_of(below, is_alive); }, 2s));
}

TEST_CASE("killed at any moment, two hundred times", "[.long]") {
  lives(200);
}
