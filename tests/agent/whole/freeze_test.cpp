// SPDX-License-Identifier: Apache-2.0
// Runners that are stopped, cannot be killed or hang when they are to leave: the agent reloads and ends in time all the same.
#include <signal.h>

#include <set>

#include "catch.hpp"
#include "freezer.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr auto stop_most = 10s, reload_most = 30s;  // on a busy machine; what is held up here would be so for a minute or for ever

std::string chaos_check(const std::string& name, const std::string& mode, const std::string& timeout = "1s") {
  return "[check." + name + "]\nuse = \"chaos.check\"\nmode = \"" + mode + "\"\nevery = \"1s\"\ntimeout = \"" + timeout + "\"\n";
}

std::string exec_check(const std::string& name, const std::string& text) {
  return "[check." + name + "]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/echo\", \"" + text + "\"]\n";
}

using Span = std::chrono::steady_clock::duration;

Span took(const std::function<void()>& what) {
  const auto start = std::chrono::steady_clock::now();
  what();
  return std::chrono::steady_clock::now() - start;
}

bool says(const WholeAgent& agent, const std::string& check, const std::string& text) {
  return eventually([&] {
    const json::value one = agent.check(check);
    return one.is_object() && one.at("summary").is_string() && one.at("summary").as_string().find(text) != json::string::npos;
  });
}

/// The processes of the one runner of chaos: first its keeper, which would go on with what is stopped.
std::vector<pid_t> runner_of_chaos(const WholeAgent& agent) {
  const json::object plugin = agent.plugin("org.ronda.chaos");
  if (!plugin.contains("runners") || plugin.at("runners").as_array().empty()) return {};
  const json::value& runner = plugin.at("runners").at(0);
  return {runner.at("keeper").to_number<pid_t>(), runner.at("pid").to_number<pid_t>()};
}

bool none_alive(const std::vector<pid_t>& pids) {
  return std::ranges::none_of(pids, is_alive);
}

void begin(WholeAgent& agent, const std::string& more) {
  std::filesystem::copy_file(RONDA_BINARY_DIR "/tests/plugins/chaos.so", agent.copy_plugins() + "/chaos.so");
  agent.configure("10.toml", more);
  agent.configure("20.toml", exec_check("other", "one"));
  REQUIRE(agent.start());
}

void stop_in_time(WholeAgent& agent) {
  int code = -1;
  CHECK(took([&] { code = agent.stop(); }) < stop_most);
  CHECK(code == 0);
}

/// What is frozen by then costs neither this nor the other plugin anything.
void reload_meanwhile(const WholeAgent& agent, const std::string& chaos) {
  agent.configure("10.toml", chaos);
  agent.configure("20.toml", exec_check("other", "two"));
  Finished reload;
  const Span span = took([&] { reload = agent.ronda({"reload"}); });
  CHECK(span < reload_most);
  if (span > 1s) WARN("this machine is busy: the reload took " << std::chrono::duration<double>(span).count() << " s");
  CHECK(reload.code == 0);
  CHECK(says(agent, "other", "two"));
}

}  // namespace

TEST_CASE("a runner that is stopped from outside holds up neither a reload nor the end of the agent", "[whole]") {
  WholeAgent agent;
  const auto* timeout = GENERATE("1s", "60s");  // runs end by their own deadline, or are cut off
  begin(agent, chaos_check("held", "ok", timeout));
  REQUIRE(says(agent, "held", "did ok"));
  const std::vector<pid_t> runner = runner_of_chaos(agent);
  REQUIRE(runner.size() == 2);
  for (const pid_t pid : runner) ::kill(pid, SIGSTOP);
  REQUIRE(eventually([&] { return agent.get("/v1/explain/held").at("running").as_bool(); }));
  reload_meanwhile(agent, GENERATE(as<bool>(), false, true) ? std::string() : chaos_check("held", "ok", timeout) + "n = 1\n");
  stop_in_time(agent);
  CHECK(eventually([&] { return none_alive(runner); }, 2s));
}

TEST_CASE("a runner that cannot be killed is an incident within 30 s and holds up neither a reload nor the end", "[whole]") {
  const Freezer freezer;
  if (!freezer.is_usable()) {
    return skipped("frozen-runner", "needs root and the freezer of cgroup v1");
  }
  WholeAgent agent;
  begin(agent, chaos_check("held", "ok"));
  REQUIRE(says(agent, "held", "did ok"));
  const std::vector<pid_t> runner = runner_of_chaos(agent);
  REQUIRE(runner.size() == 2);
  for (const pid_t pid : runner) freezer.add(pid);
  freezer.freeze();
  const auto is_told = [&] { return agent.firing("ronda/plugin/org.ronda.chaos").contains("incident"); };
  CHECK(eventually(is_told, 30s));
  CHECK(agent.firing("ronda/plugin/org.ronda.chaos").at("reason").as_string().find("cannot be killed") != json::string::npos);
  reload_meanwhile(agent, chaos_check("held", "ok") + chaos_check("more", "ok"));
  SECTION("it ends when it can be killed after all") {
    freezer.thaw();
    CHECK(eventually([&] { return !is_told(); }));
    CHECK(says(agent, "more", "did ok"));
  }
  SECTION("the agent leaves without it") {}
  stop_in_time(agent);
  freezer.thaw();
  CHECK(eventually([&] { return none_alive(runner); }, 2s));
}

TEST_CASE("what hangs when it is destroyed holds up no reload", "[whole]") {
  WholeAgent agent;
  const std::string stays = chaos_check("stays", "ok");
  begin(agent, stays + chaos_check("goes", "destroy-hang"));
  REQUIRE(says(agent, "stays", "did ok"));
  REQUIRE(says(agent, "goes", "no mode"));
  const std::vector<pid_t> runner = runner_of_chaos(agent);
  REQUIRE(runner.size() == 2);
  SECTION("one instance leaves: the others of its plugin go on") {
    reload_meanwhile(agent, stays);
    const auto runs = agent.get("/v1/explain/stays").at("runs").to_number<int>();
    CHECK(eventually([&] { return agent.get("/v1/explain/stays").at("runs").to_number<int>() >= runs + 3; }));
    CHECK(agent.check_status("stays") == "ok");
  }
  SECTION("the last one leaves: its runner is killed") {
    reload_meanwhile(agent, {});
    CHECK(eventually([&] { return none_alive(runner); }, 10s));
  }
  stop_in_time(agent);
  CHECK(eventually([&] { return none_alive(runner); }, 2s));
}
