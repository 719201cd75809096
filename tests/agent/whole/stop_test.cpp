// SPDX-License-Identifier: Apache-2.0
// The agent is told to stop while messages are on their way, to a sink that takes its time and to one that takes all and never
// answers.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "sink.hpp"
#include "store_rows.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view two_sinks = R"([check.quick]
use = "exec.nagios"
every = "1s"
command = ["/bin/true"]
[notifier.slow]
use = "webhook"
url = "SLOW"
[notifier.mute]
use = "webhook"
url = "MUTE"
[contact.ana]
channels = [{ notifier = "slow" }, { notifier = "mute" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
)";

/// The number of the attempt that each request of this message was, in the order in which they came.
std::vector<int> attempts_at(const Sink& sink, const std::string& id) {
  std::vector<int> out;
  for (const SinkRequest& one : sink.requests()) {
    if (one.header("Idempotency-Key") == id) out.push_back(json::parse(one.body).at("attempt").to_number<int>());
  }
  return out;
}

std::string first_id_at(const Sink& sink) {
  const auto all = sink.requests();
  return all.empty() ? std::string() : all.front().header("Idempotency-Key");
}

}  // namespace

TEST_CASE("told to stop while messages are sent it is gone within ten seconds, and what nobody answered comes by its id after the start",
          "[whole]") {
  std::atomic<bool> speaks{false};
  const Sink slow([](const SinkRequest&) {
    std::this_thread::sleep_for(2s);  // less than a stop waits for what is on its way
    return http_answer(200);
  });
  const Sink mute([&](const SinkRequest&) {
    while (!speaks) std::this_thread::sleep_for(5ms);
    return http_answer(200);
  });
  // whatever becomes of this test, its sink ends
  const struct LastWord {
    std::atomic<bool>& said;
    ~LastWord() { said = true; }
  } last_word{speaks};
  WholeAgent agent;
  agent.configure("10.toml", replaced(replaced(std::string(two_sinks), "SLOW", slow.base()), "MUTE", mute.base()));
  REQUIRE(agent.start());
  REQUIRE(agent.ask("POST", "/v1/events", R"({"alert": "A1", "status": "firing", "level": "p1"})").status == 200);
  REQUIRE(eventually([&] { return !slow.requests().empty() && !mute.requests().empty(); }));
  const std::string at_slow = first_id_at(slow), at_mute = first_id_at(mute);
  REQUIRE_FALSE(at_slow.empty());
  REQUIRE_FALSE(at_mute.empty());
  const std::vector<pid_t> below = descendants(agent.pid());
  REQUIRE_FALSE(below.empty());
  const auto told = std::chrono::steady_clock::now();
  agent.signal(SIGTERM);
  CHECK(agent.wait(30s) == 0);
  CHECK(std::chrono::steady_clock::now() - told <= 10s);
  CHECK(eventually([&] { return std::ranges::none_of(below, is_alive); }, 2s));

  // what was answered while it waited is known to be delivered, the other is owed, with the attempt that it had
  const auto stored = [&] { return column(agent, "SELECT id || ' ' || (state < 2) || ' ' || attempts FROM outbox ORDER BY notifier"); };
  CHECK(stored() == std::vector<std::string>{at_mute + " 1 1", at_slow + " 0 1"});
  CHECK(column(agent, "SELECT state FROM outbox WHERE notifier = 'slow'") == std::vector<std::string>{"2"});
  CHECK(column(agent, "PRAGMA integrity_check") == std::vector<std::string>{"ok"});

  speaks = true;
  REQUIRE(agent.start());
  CHECK(eventually([&] { return attempts_at(mute, at_mute).size() == 2; }));
  const auto is_delivered = [&] {
    const json::value all = agent.get("/v1/outbox");
    return all.is_array() && !all.as_array().empty() &&
           std::ranges::all_of(all.as_array(), [](const json::value& one) { return one.at("state") == json::value("delivered"); });
  };
  CHECK(eventually(is_delivered));
  CHECK(agent.stop() == 0);
  CHECK(attempts_at(mute, at_mute) == std::vector<int>{1, 2});
  CHECK(attempts_at(slow, at_slow) == std::vector<int>{1});
  CHECK(column(agent, "SELECT count(*) FROM outbox WHERE state <> 2") == std::vector<std::string>{"0"});
  CHECK(agent.log().find("set aside") == std::string::npos);
}
