// SPDX-License-Identifier: Apache-2.0
// A store that cannot be read when the agent starts.
#include <sys/resource.h>

#include "catch.hpp"
#include "database_lock.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

std::string task_status(const WholeAgent& agent, const std::string& name) {
  const json::value status = agent.status();
  if (!status.is_object()) return {};
  for (const json::value& one : status.at("tasks").as_array()) {
    if (one.at("name") == json::value(name)) return std::string(one.at("status").as_string());
  }
  return {};
}

}  // namespace

TEST_CASE("a limit of the file size that comes while the agent runs ends nothing", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml",
                  "[check.job]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n"
                  "[check.beside]\nuse = \"exec.nagios\"\nevery = \"200ms\"\ncommand = [\"/bin/true\"]\n");
  REQUIRE(agent.start());
  const auto store_state = [&] { return agent.status().at("agent").at("store").at("state"); };
  const auto post = [&] {
    return agent.ask("POST", "/v1/inbox/job", R"({"event": "log", "text": ")" + std::string(50'000, 'x') + "\"}").status;
  };
  const auto runs = [&] { return agent.get("/v1/explain/beside").at("runs").to_number<int>(); };
  rlimit before{};
  const rlimit tight{1 << 20, RLIM_INFINITY};
  REQUIRE(::prlimit(agent.pid(), RLIMIT_FSIZE, &tight, &before) == 0);
  CHECK(eventually([&] { return post() != 202; }));
  CHECK(store_state() != "ok");
  const int ran = runs();
  CHECK(eventually([&] { return runs() > ran + 2; }));
  REQUIRE(::prlimit(agent.pid(), RLIMIT_FSIZE, &before, nullptr) == 0);
  CHECK(eventually([&] { return store_state() == "ok" && post() == 202; }));
  CHECK(agent.stop() == 0);
}

TEST_CASE("what could not be remembered at the start is remembered once the store is well", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", "[task.once]\nuse = \"exec.command\"\ncommand = [\"/bin/sh\", \"-c\", \"echo ran >>$0\", \"" +
                                 agent.open_directory() +
                                 "/runs\"]\n[check.job]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n");
  REQUIRE(agent.start());
  REQUIRE(agent.ronda({"task", "run", "once"}).code == 0);
  REQUIRE(agent.stop() == 0);
  {
    const DatabaseLock lock(agent.state_directory() + "/ronda.db");
    REQUIRE(agent.start());
    CHECK(task_status(agent, "once") == "pending");
    CHECK(agent.status().at("agent").at("store").at("state") == "failed");
  }
  CHECK(eventually([&] { return agent.status().at("agent").at("store").at("state") == "ok"; }));
  CHECK(eventually([&] { return task_status(agent, "once") == "ok"; }));
  CHECK(agent.get("/v1/explain/once").at("runs").to_number<int>() == 0);
  CHECK(read_file(agent.open_directory() + "/runs") == "ran\n");
  CHECK(agent.stop() == 0);
}
