// SPDX-License-Identifier: Apache-2.0
// State that a plugin commits while its agent or its runner is killed.
#include <signal.h>

#include <filesystem>
#include <random>
#include <thread>

#include "catch.hpp"
#include "subject_plugin.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

// most of each second it commits one batch after the other: the same number under twenty keys
const std::string commits = R"(
  const auto before = kv().all("b/");
  if (!before) return ronda::unknown("all: ", before.error());
  const long first = before->empty() ? 0 : std::atol(before->begin()->second.c_str());
  bool whole = before->empty() || before->size() == 20;
  for (const auto& entry : *before) whole = whole && std::atol(entry.second.c_str()) == first;
  if (!whole) return ronda::critical("torn");
  long last = first;
  for (const auto end = clock().mono() + std::chrono::milliseconds(800); clock().mono() < end && !c.cancelled();) {
    const std::string value = ronda::text(last + 1, " ", std::string(5000, 'b'));
    for (int key = 0; key < 20; ++key) kv().put(ronda::text("b/", key), value);
    const auto kept = kv().commit();
    if (!kept) return ronda::unknown("commit: ", kept.error());
    ++last;
  }
  return ronda::ok("whole ", last);
)";

/// What the last run that the agent knows of had committed; -1: none, or it did not end well.
long committed(const WholeAgent& agent) {
  const json::value one = agent.check("subject");
  if (!one.is_object() || !one.at("summary").is_string()) return -1;
  const std::string summary(one.at("summary").as_string());
  return summary.starts_with("whole ") ? std::atol(summary.c_str() + 6) : -1;
}

}  // namespace

TEST_CASE("of a batch that a plugin was committing all is there or nothing, whenever its agent or its runner was killed", "[whole]") {
  WholeAgent agent;
  put_subject(agent.copy_plugins(), subject_with(commits));
  agent.configure("10.toml", subject_check + "timeout = \"20s\"\n");
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  long known = 0;
  REQUIRE(agent.start());
  for (int round = 0; round < 6; ++round) {
    INFO("round " << round);
    // a run of this life found all batches whole, and none older than what was known before
    const bool goes_on = eventually([&] { return committed(agent) > known; });
    INFO(agent.check("subject"));
    REQUIRE(goes_on);
    known = committed(agent);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1000));
    if (round % 2 == 0) {
      for (const pid_t pid : descendants(agent.pid())) ::kill(pid, SIGKILL);
      continue;
    }
    agent.kill_hard();
    std::filesystem::remove(agent.state_directory() + "/starts");  // so many quick ends are ours
    REQUIRE(agent.start());
  }
  CHECK(eventually([&] { return committed(agent) > known; }));
  CHECK(agent.stop() == 0);
}
