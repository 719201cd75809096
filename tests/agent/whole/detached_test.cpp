// SPDX-License-Identifier: Apache-2.0
// The key detached = true from conf.d to the process that outlives the agent. What a test has started is ended by it, by its pid.
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "catch.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view granted = "[plugin.\"org.ronda.exec\"]\ngrants = [\"exec\", \"secrets\", \"detached\"]\n";

/// A task that starts a daemon with a session of its own; its result is the daemon's pid. The keys of others on line 4.
std::string task(std::string_view name, std::string_view more) {
  return "[task." + std::string(name) + "]\nuse = \"exec.command\"\ntimeout = \"20s\"\n" + std::string(more) +
         "\ncommand = [\"/bin/sh\", \"-c\", \"setsid sleep 600 </dev/null >/dev/null 2>&1 & "
         "until grep -q sleep /proc/$!/comm; do :; done; echo $!\"]\n";
}

class Daemon {
 public:
  explicit Daemon(int pid) : pid_(pid) { REQUIRE(pid > 1); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() { ::kill(pid_, SIGKILL); }
  int pid() const { return pid_; }
  bool lives() const { return is_alive(pid_); }

 private:
  int pid_;
};

/// Runs a task by hand; the pid that it told.
int run(const WholeAgent& agent, const std::string& name) {
  const Finished done = agent.ronda({"task", "run", name});
  INFO(done.out << done.err);
  CHECK(done.code == 0);
  const json::value explained = agent.get("/v1/explain/" + name);
  return std::stoi("0" + std::string(explained.at("summary").as_string()));
}

/// What the journal says of things left alive.
std::string journal_of(const WholeAgent& agent) {
  std::string out;
  const json::value events = agent.get("/v1/journal");
  for (const json::value& event : events.as_array()) {
    if (event.at("kind") == "run.left_alive") out += json::serialize(event) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("a daemon of a detached task outlives the agent's kill -9, one of another task does not", "[whole]") {
  WholeAgent agent;
  if (GENERATE(false, true)) {
    if (::geteuid() != 0) return skipped("other-users", "only root can start an agent of somebody else");
    agent.become_nobody();
  }
  agent.configure("10.toml", task("promote", "detached = true") + task("other", ""));
  agent.scratch().write("no-trust.toml", granted);
  REQUIRE(agent.start());
  const Daemon stays(run(agent, "promote")), goes(run(agent, "other"));
  CHECK(stays.lives());
  CHECK(goes.lives());  // as long as its runner

  const std::string process = "sleep (pid " + std::to_string(stays.pid()) + ")";
  CHECK(agent.log().find("task/promote is detached and has left alive: " + process) != std::string::npos);
  CHECK(agent.log().find("task/other is detached") == std::string::npos);
  const std::string status = json::serialize(agent.status());
  CHECK(status.find("\"left_alive\":[{\"pid\":" + std::to_string(stays.pid()) + ",\"started\":\"2") != std::string::npos);
  CHECK(status.find("\"command\":\"sleep\"}]") != std::string::npos);
  CHECK(agent.ronda({"explain", "promote"}).out.find("left alive: " + process) != std::string::npos);
  CHECK(eventually([&] { return journal_of(agent).find("task/promote") != std::string::npos; }));
  CHECK(journal_of(agent).find("\\\"pid\\\":" + std::to_string(stays.pid())) != std::string::npos);

  std::vector<pid_t> below = descendants(agent.pid());
  std::erase(below, stays.pid());
  agent.kill_hard();
  CHECK(eventually([&] { return std::ranges::none_of(below, is_alive) && !goes.lives(); }, 2s));
  CHECK(stays.lives());
}

TEST_CASE("a daemon of a detached task outlives a reload that takes it away, and the agent's stop", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", task("promote", "detached = true") + task("other", ""));
  agent.scratch().write("no-trust.toml", granted);
  REQUIRE(agent.start());
  const Daemon stays(run(agent, "promote"));
  agent.configure("10.toml", task("other", ""));
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(stays.lives());
  CHECK(agent.stop() == 0);
  CHECK(stays.lives());
}

TEST_CASE("without the grant a detached instance is refused at its key, and others of the plugin are not", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", task("promote", "detached = true") + task("other", "detached = false"));
  const std::string file = agent.config_directory() + "/10.toml";
  SECTION("which trust.toml does not give by itself") {}
  SECTION("nor with a list that lacks it") {
    agent.scratch().write("no-trust.toml", "[plugin.\"org.ronda.exec\"]\ngrants = [\"exec\", \"secrets\"]\n");
  }
  const Finished judged = agent.ronda({"validate"});
  CHECK(judged.code == 1);
  CHECK(judged.err.find(file + ":4:12: error: `detached = true` is not granted to plugin org.ronda.exec; write grants = "
                               "[\"exec\", \"secrets\", \"detached\"] below [plugin.\"org.ronda.exec\"] in trust.toml\n") !=
        std::string::npos);
  REQUIRE(agent.start());
  const Daemon goes(run(agent, "other"));
  CHECK(agent.ronda({"task", "run", "promote"}).code != 0);
  CHECK(agent.stop() == 0);
  CHECK(eventually([&] { return !goes.lives(); }, 2s));
}

TEST_CASE("a plugin whose manifest does not list detached cannot be granted it", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", "[check.memory]\nuse = \"host.memory\"\nevery = \"1h\"\ndetached = true\n");
  agent.scratch().write("no-trust.toml",
                        "[plugin.\"org.ronda.host\"]\ngrants = [\"state\", \"exec\", \"secrets\", \"net\", \"detached\"]\n");
  const Finished judged = agent.ronda({"validate"});
  CHECK(judged.code == 1);
  CHECK(judged.err.find(agent.config_directory() + "/10.toml:4:12: error: `detached = true` cannot be granted to plugin "
                                                   "org.ronda.host: its manifest does not list it in needs; remove the key\n") !=
        std::string::npos);
}
