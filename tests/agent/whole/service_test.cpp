// SPDX-License-Identifier: Apache-2.0
// The agent towards what started it: the service manager's protocol, signals, one agent to a state directory.
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/clock.hpp"
#include "catch.hpp"
#include "notify_socket.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view one_check = "[check.one]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/echo\", \"fine\"]\n";

int runs_of(const WholeAgent& agent, const std::string& name) {
  const json::value explained = agent.get("/v1/explain/" + name);
  return explained.is_object() ? explained.at("runs").to_number<int>() : -1;
}

}  // namespace

TEST_CASE("the service manager is told of start, reload, life and stop", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", std::string(one_check) + "\n[check.environment]\nuse = \"exec.nagios\"\ncommand = [\"/usr/bin/env\"]\n" +
                                 "\n[task.long]\nuse = \"exec.command\"\ncommand = [\"/bin/sleep\", \"3\"]\n");
  NotifySocket manager(agent.scratch() / "notify");
  REQUIRE(agent.start({}, {"NOTIFY_SOCKET=" + (agent.scratch() / "notify"), "WATCHDOG_USEC=400000"}));
  const int ready = manager.await("READY=1\nSTATUS=");
  REQUIRE(ready >= 0);
  CHECK(manager.messages()[static_cast<std::size_t>(ready)].find("3 instances") != std::string::npos);
  CHECK(eventually([&] { return manager.count("WATCHDOG=1") >= 3; }));

  // a reload: begun with the instant that systemd compares with, ended in any case
  const auto before = std::chrono::duration_cast<std::chrono::microseconds>(monotonic()).count();
  agent.signal(SIGHUP);
  const int reloading = manager.await("RELOADING=1\nMONOTONIC_USEC=");
  REQUIRE(reloading > ready);
  const std::string& text = manager.messages()[static_cast<std::size_t>(reloading)];
  const auto told = std::stoll(text.substr(text.find("USEC=") + 5));
  CHECK(told >= before);
  CHECK(told <= std::chrono::duration_cast<std::chrono::microseconds>(monotonic()).count());
  const int again = manager.await("READY=1\nSTATUS=reload #1: 3 kept", static_cast<std::size_t>(reloading));
  CHECK(again > reloading);
  agent.configure("20.toml", "[check.bad]\nuse = 5\n");
  CHECK(agent.ronda({"reload"}).code == 1);
  CHECK(manager.await("READY=1\nSTATUS=reload #2: refused", static_cast<std::size_t>(again)) > again);

  // no child learns of the socket
  const std::string environment = agent.ronda({"check", "environment"}).out;
  CHECK(environment.find("NOTIFY_SOCKET") == std::string::npos);
  CHECK(environment.find("WATCHDOG") == std::string::npos);

  // a changing task may finish, and the manager is told to wait for it
  const pid_t asks = start_program({ronda_program(), "--socket", agent.socket(), "task", "run", "long"}, agent.scratch() / "task.out",
                                   agent.scratch() / "task.err");
  REQUIRE(eventually([&] { return agent.status().at("agent").at("in_flight").to_number<int>() == 1; }));
  CHECK(agent.ronda({"status"}).out.find("\n  a restart now waits up to 1m30s, then interrupts long\n") != std::string::npos);
  CHECK(agent.stop() == 0);
  const int stopping = manager.find("STOPPING=1\nSTATUS=waits for 1 runs");
  REQUIRE(stopping >= 0);
  CHECK(manager.find("EXTEND_TIMEOUT_USEC=95000000", static_cast<std::size_t>(stopping)) >= 0);
  CHECK(wait_program(asks, 30s) == 0);
}

TEST_CASE("while it stops the watchdog is still fed", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", "[task.long]\nuse = \"exec.command\"\ncommand = [\"/bin/sleep\", \"3\"]\n");
  NotifySocket manager(agent.scratch() / "notify");
  REQUIRE(agent.start({}, {"NOTIFY_SOCKET=" + (agent.scratch() / "notify"), "WATCHDOG_USEC=400000"}));
  const pid_t asks = start_program({ronda_program(), "--socket", agent.socket(), "task", "run", "long"}, agent.scratch() / "task.out",
                                   agent.scratch() / "task.err");
  REQUIRE(eventually([&] { return agent.status().at("agent").at("in_flight").to_number<int>() == 1; }));
  CHECK(agent.stop() == 0);
  const int stopping = manager.find("STOPPING=1");
  REQUIRE(stopping >= 0);
  CHECK(manager.find("WATCHDOG=1", static_cast<std::size_t>(stopping)) >= 0);
  wait_program(asks, 30s);
}

TEST_CASE("without a task that runs it stops at once, whatever its checks do", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml",
                  "[check.stuck]\nuse = \"exec.nagios\"\nevery = \"1h\"\ntimeout = \"10m\"\ncommand = "
                  "[\"/bin/sleep\", \"900\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.status().at("agent").at("in_flight").to_number<int>() == 1; }));
  const auto below = descendants(agent.pid());
  CHECK_FALSE(below.empty());
  agent.signal(SIGTERM);
  CHECK(agent.wait(20s) == 0);  // promised within 10 s
  CHECK(eventually([&] { return std::ranges::none_of(below, is_alive); }, 5s));
}

TEST_CASE("a second agent on the same state is refused and names the first", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("one") == "ok"; }));
  CHECK(agent.stop() == 0);
  REQUIRE(agent.start());
  CHECK(agent.check_status("one") == "ok");  // remembered, not run again: it is younger than its interval
  CHECK(runs_of(agent, "one") == 0);
  const Finished second = agent.ronda({"run"});
  CHECK(second.code == 1);
  CHECK(second.err.find("in use by another agent, pid " + std::to_string(agent.pid())) != std::string::npos);
  CHECK(agent.answers());
  SECTION("also when the lock file is gone, or names nobody") {
    std::filesystem::remove(agent.state_directory() + "/lock");
    for (int i = 0; i < 2; ++i) {  // the refused one leaves an empty file behind
      const Finished third = agent.ronda({"run"});
      CHECK(third.code == 1);
      CHECK(third.err.find("in use by another agent, pid " + std::to_string(agent.pid())) != std::string::npos);
    }
    CHECK(agent.ronda({"check", "one"}).code == 0);
  }
  SECTION("a copy of the store is not put back under it either") {
    const std::string copy = agent.scratch() / "copy.db";
    CHECK(agent.ronda({"state", "backup", copy}).code == 0);
    const Finished restore = agent.ronda({"state", "restore", copy});
    CHECK(restore.code == 1);
    CHECK(restore.err.find("pid " + std::to_string(agent.pid())) != std::string::npos);
    CHECK(agent.stop() == 0);
    CHECK(agent.ronda({"state", "restore", copy}).code == 0);
    REQUIRE(agent.start());
    CHECK(agent.check_status("one") == "ok");
  }
}

TEST_CASE("a socket that a dead agent left is replaced, anything else in its place is not", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  agent.kill_hard();
  REQUIRE(std::filesystem::is_socket(agent.socket()));
  CHECK(agent.ronda({"status"}).code == 3);
  REQUIRE(agent.start());
  CHECK(agent.stop() == 0);
  CHECK_FALSE(std::filesystem::exists(agent.socket()));

  agent.scratch().write("ronda.sock", "precious");
  agent.launch();
  CHECK(eventually([&] { return agent.log().find("exists and is no socket") != std::string::npos; }));
  CHECK(read_file(agent.socket()) == "precious");
  agent.kill_hard();

  // a link is not followed, even where it leads to a socket that nobody listens on
  std::filesystem::remove(agent.socket());
  const std::string target = agent.scratch() / "target";
  { const NotifySocket dead(target); }
  REQUIRE(std::filesystem::is_socket(target));
  std::filesystem::create_symlink(target, agent.socket());
  agent.launch();
  CHECK(eventually([&] { return agent.log().rfind("exists and is no socket") != agent.log().find("exists and is no socket"); }));
  CHECK(std::filesystem::is_symlink(agent.socket()));
}

TEST_CASE("USR1 runs every check now", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", std::string(one_check) + "[check.two]\nuse = \"exec.nagios\"\nevery = \"2h\"\ncommand = [\"/bin/true\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return runs_of(agent, "one") == 1 && runs_of(agent, "two") == 1; }));
  agent.signal(SIGUSR1);
  CHECK(eventually([&] { return runs_of(agent, "one") == 2 && runs_of(agent, "two") == 2; }));
}

TEST_CASE("signals during start and stop end nothing but what they are meant to", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  agent.launch();
  for (int i = 0; i < 200 && !agent.answers(); ++i) {
    // before it has handlers a signal ends it like any program; the log's first line is later than that
    if (!agent.log().empty()) agent.signal(i % 2 == 0 ? SIGHUP : SIGUSR1);
  }
  REQUIRE(eventually([&] { return agent.answers(); }));
  for (int i = 0; i < 50; ++i) agent.signal(SIGHUP);
  agent.signal(SIGTERM);
  for (int i = 0; i < 50; ++i) agent.signal(SIGHUP);
  CHECK(agent.wait() == 0);
}

TEST_CASE("a SIGHUP before the agent has begun is served once it has", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  REQUIRE(agent.stop() == 0);
  // so much to remember that the agent begins long after it is there
  sqlite3* database = nullptr;
  REQUIRE(::sqlite3_open_v2((agent.state_directory() + "/ronda.db").c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  const auto* const fill =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)"
      "INSERT INTO slot SELECT 'check', 'gone' || i, 1, 1, 1, '' FROM n";
  CHECK(::sqlite3_exec(database, fill, nullptr, nullptr, nullptr) == SQLITE_OK);
  ::sqlite3_close(database);
  agent.log_to(agent.scratch() / "second.log");
  agent.configure("20.toml", "[check.two]\nuse = 5\n");
  agent.launch();
  REQUIRE(eventually([&] { return agent.log().find("20.toml:2:7:") != std::string::npos; }));  // read, and soon waiting for the store
  agent.configure("20.toml", "[check.two]\nuse = \"exec.nagios\"\nevery = \"2h\"\ncommand = [\"/bin/true\"]\n");
  agent.signal(SIGHUP);
  REQUIRE(agent.log().find(" runs: ") == std::string::npos);
  REQUIRE(eventually([&] { return agent.answers(); }));
  CHECK(eventually([&] { return runs_of(agent, "two") == 1; }));
  CHECK(agent.check_status("one") == "ok");
  CHECK(agent.stop() == 0);
}

TEST_CASE("a signal to the whole process group does not take the runners away", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  agent.lead_group();
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("one") == "ok"; }));
  REQUIRE(::getpgid(agent.pid()) == agent.pid());
  const auto below = descendants(agent.pid());
  REQUIRE_FALSE(below.empty());
  for (const pid_t runner : below) {
    CHECK(::getpgid(runner) != agent.pid());
    ::kill(runner, SIGHUP);
    ::kill(-::getpgid(runner), SIGHUP);
  }
  ::kill(-agent.pid(), SIGHUP);
  CHECK(eventually([&] { return agent.log().find("reload #1: 1 kept") != std::string::npos; }));
  CHECK(agent.ronda({"check", "one"}).code == 0);
  for (const pid_t runner : below) CHECK(is_alive(runner));
  CHECK(descendants(agent.pid()) == below);
  CHECK(is_alive(agent.pid()));
}

TEST_CASE("safe mode: only plugins of the system directory, and no task by itself", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", std::string(one_check) +
                                 "[task.each-second]\nuse = \"exec.command\"\nat = \"*-*-* *:*:*\"\ncommand "
                                 "= [\"/bin/sh\", \"-c\", \"echo ran >>$0\", \"" +
                                 agent.open_directory() + "/task\"]\n");
  REQUIRE(agent.start({"--safe-mode"}));
  CHECK(eventually([&] { return agent.check_status("one") == "ok"; }));
  CHECK(agent.status().at("agent").at("safe_mode").as_bool());
  // two seconds and more of slots that are not taken
  REQUIRE(eventually([&] { return agent.get("/v1/explain/each-second").at("skips").to_number<int>() >= 2; }));
  CHECK_FALSE(std::filesystem::exists(agent.open_directory() + "/task"));
  CHECK(agent.ronda({"explain", "each-second"}).out.find("safe mode") != std::string::npos);
  CHECK(agent.ronda({"status"}).out.find("safe mode") != std::string::npos);
}

TEST_CASE("explain says which count began with the agent and which goes on over its restarts", "[whole]") {
  WholeAgent agent;
  const std::string file = agent.open_directory() + "/there";
  const auto touch = [&] { std::ofstream(file) << "x"; };
  touch();
  agent.configure(
      "10.toml",
      "[check.job]\nuse = \"exec.nagios\"\nevery = \"30d\"\ncommand = [\"/bin/sh\", \"-c\", \"echo $0; test -e $0\", \"" + file + "\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("job") == "ok"; }));
  const json::value well = agent.get("/v1/explain/job");
  CHECK(well.at("failures").to_number<int>() == 0);
  CHECK(well.at("last_ok") == well.at("last_run"));
  std::filesystem::remove(file);
  CHECK(agent.ronda({"check", "job"}).code == 1);
  CHECK(agent.ronda({"check", "job"}).code == 1);
  const json::value before = agent.get("/v1/explain/job");
  CHECK(before.at("runs").to_number<int>() == 3);
  CHECK(before.at("failures").to_number<int>() == 2);
  CHECK(before.at("runs_since") == agent.status().at("agent").at("started"));
  REQUIRE(agent.stop() == 0);

  REQUIRE(agent.start());
  const json::value after = agent.get("/v1/explain/job");
  CHECK(after.at("runs").to_number<int>() == 0);
  CHECK(after.at("failures").to_number<int>() == 2);
  CHECK(after.at("last_ok") == well.at("last_run"));
  CHECK(after.at("runs_since") == agent.status().at("agent").at("started"));
  CHECK(after.at("runs_since") != before.at("runs_since"));
  const std::string text = agent.ronda({"explain", "job"}).out;
  INFO(text);
  CHECK(text.find("\nruns      0, not run 0 times, since the agent's start (") != std::string::npos);
  CHECK(text.find("\nfailures  2 in a row, over restarts of the agent; last ok ") != std::string::npos);
  CHECK(agent.stop() == 0);
}
