// SPDX-License-Identifier: Apache-2.0
// Runners over time: back-off, quarantine, probes, idleness, replacement, the end of the agent itself.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "base/clock.hpp"
#include "skip.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

bool is_serving(const Supervised& bench) {
  const auto status = bench.status();
  return !status.runners.empty() && status.runners.back().life == plugin::Life::serving;
}

}  // namespace

TEST_CASE("an instance that crashes five times is quarantined, the others are not", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto bad = bench.chaos("segv"), good = bench.chaos("ok");
  for (int i = 0; i < 5; ++i) CHECK(bench.run(bad, 60s).fate == Fate::crashed);
  CHECK(bench.supervisor().is_quarantined(bad));
  CHECK_FALSE(bench.supervisor().is_quarantined(good));
  REQUIRE(bench.troubles.size() == 1);
  CHECK_THAT(bench.troubles[0], Catch::StartsWith("quarantined after 5 failures in 10 minutes; the last: killed by SIGSEGV"));
  const auto& refused = bench.run(bad);
  CHECK(refused.fate == Fate::unavailable);
  CHECK_THAT(refused.cause, Catch::StartsWith("in quarantine after repeated failures: killed by SIGSEGV"));
  CHECK(bench.run(good, 60s).fate == Fate::finished);
  bench.supervisor().clear_quarantine(bad);
  CHECK(bench.run(bad, 60s).fate == Fate::crashed);
}

TEST_CASE("five instances that crash once each quarantine the plugin; clearing it helps", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) {
    const std::uint32_t id = bench.chaos("abort");
    names.push_back("check/instance-" + std::to_string(id));
    CHECK(bench.run(id, 60s).fate == Fate::crashed);
  }
  CHECK(bench.status().quarantined);
  const auto& held = bench.run("ok");
  CHECK(held.fate == Fate::unavailable);
  // who did it is named, a few of them
  const std::string by = " (by " + names[0] + ", " + names[1] + ", " + names[2] + " and 2 more)";
  CHECK_THAT(held.cause, Catch::StartsWith("in quarantine after repeated failures: killed by SIGABRT") && Catch::EndsWith(by));
  REQUIRE(bench.troubles.size() == 1);
  CHECK_THAT(bench.troubles[0], Catch::EndsWith(by));
  bench.supervisor().clear_quarantine(plugin::RestartPolicy::whole_plugin);
  CHECK(bench.run("ok", 0, 60s).fate == Fate::finished);
}

TEST_CASE("a runner that dies again and again is started later and later", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.run("segv");
  CHECK(bench.status().starts_in == 0ns);
  bench.run("segv");
  CHECK(bench.status().starts_in > 0ns);
  CHECK(bench.status().starts_in <= 1s);
  // a call that cannot wait so long is told so, one that can is run
  CHECK(bench.run("ok", 0, 1ms).fate == Fate::unavailable);
  CHECK(bench.run("ok", 0, 10s).fate == Fate::finished);
}

TEST_CASE("a probe always has an answer", "[plugin]") {
  struct Row {
    const char* mode;
    bool ok;
    const char* error;
  };
  const auto row = GENERATE(values<Row>({{"ok", true, ""},
                                         {"create-throw", false, "create does not want to"},
                                         {"create-segv", false, "killed by SIGSEGV"},
                                         {"destroy-segv", false, "killed by SIGSEGV"},
                                         {"create-hang", false, "create and destroy did not come back within 10s"},
                                         {"destroy-hang", false, "create and destroy did not come back within 10s"}}));
  INFO(row.mode);
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos(row.mode);
  bench.supervisor().probe(instance);
  REQUIRE(bench.until([&] { return bench.probed.contains(instance); }));
  CHECK(bench.probed[instance].first == row.ok);
  CHECK_THAT(bench.probed[instance].second, Catch::StartsWith(row.error));
  CHECK(bench.run("ok", 0, 20s).fate == Fate::finished);
}

TEST_CASE("an idle runner leaves and the next call has a new one", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.supervisor().set_idle_limit(300ms);
  const auto instance = bench.chaos("ok");
  CHECK(bench.run(instance).fate == Fate::finished);
  const int first = bench.runner_pid();
  REQUIRE(bench.until([&] { return bench.status().runners.empty(); }, 10s));
  CHECK_FALSE(is_alive(first));
  CHECK(bench.status().deaths == 0);
  CHECK(bench.run(instance).fate == Fate::finished);
  CHECK(bench.status().starts_in == 0ns);
}

TEST_CASE("a plugin that is replaced finishes what it was given, also what waited", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest two;
  two.concurrency = 2;
  Supervised bench(loop, two);
  std::vector<std::uint32_t> instances;
  for (int i = 0; i < 6; ++i) instances.push_back(bench.chaos("slow", 300));
  const auto calls = bench.dispatch_together(instances);
  REQUIRE(bench.until([&] { return is_serving(bench); }));
  for (const auto instance : instances) bench.supervisor().forget(instance);
  bench.supervisor().retire();
  CHECK(bench.run("ok").cause == "the plugin is being replaced");
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }));
  for (const auto id : calls) {
    REQUIRE(bench.ends[id].size() == 1);
    CHECK(bench.ends[id][0].outcome.summary == "did slow");
  }
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("an instance that is forgotten while it runs is destroyed after that, and can come back", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("slow", 500);
  const auto call = bench.dispatch(instance);
  REQUIRE(bench.until([&] { return is_serving(bench); }));
  bench.turn_for(100ms);
  bench.supervisor().forget(instance);
  CHECK(bench.end_of(call).outcome.summary == "did slow");
  CHECK(bench.run(instance).outcome.summary == "did slow");
  bench.supervisor().forget(instance);
  CHECK(bench.run(instance).outcome.summary == "did slow");
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("a destructor that hangs or crashes does not hold up a replacement", "[plugin]") {
  const auto* mode = GENERATE("destroy-hang", "destroy-segv");
  INFO(mode);
  boost::asio::io_context loop;
  Supervised bench(loop);
  CHECK(bench.run(mode).outcome.summary == "no mode " + std::string(mode));
  bench.supervisor().retire();
  CHECK(bench.until([&] { return bench.supervisor().is_empty(); }, 10s));
}

TEST_CASE("a stop that cannot wait interrupts every call, and each is told", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest two;
  two.concurrency = 2;
  Supervised bench(loop, two);
  std::vector<std::uint32_t> instances;
  for (int i = 0; i < 5; ++i) instances.push_back(bench.chaos("hang"));
  const auto calls = bench.dispatch_together(instances, 60s);
  REQUIRE(bench.until([&] { return is_serving(bench); }));
  bench.supervisor().kill_all();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }, 10s));
  for (const auto id : calls) CHECK(bench.ends[id].size() == 1);
}

// ---- the agent itself dies ------------------------------------------------------------------

// Not a test by itself: the process that the next one starts and kills.
TEST_CASE("agent that will be killed", "[.doomed]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.run("daemon");
  for (const char* mode : {"hang-no-term", "exec-long", "busy", "slow"}) bench.dispatch(bench.chaos(mode, 60'000), 60s);
  REQUIRE(bench.until([&] { return is_serving(bench); }));
  bench.turn_for(500ms);
  std::cout << "ready" << std::endl;
  bench.turn_for(60s);
}

TEST_CASE("nothing is left two seconds after the agent was killed", "[plugin]") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
  const pid_t agent = ::fork();
  if (agent == 0) {
    ::dup2(pipe[1], 1);
    ::execl("/proc/self/exe", "test_runners", "[.doomed]", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(pipe[1]);
  std::string said;
  std::array<char, 256> buffer{};
  for (ssize_t got = 1; got > 0 && said.find("ready") == std::string::npos;) {
    got = ::read(pipe[0], buffer.data(), buffer.size());
    if (got > 0) said.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(pipe[0]);
  REQUIRE_THAT(said, Catch::Contains("ready"));
  const auto all = descendants_of(agent);
  CHECK(all.size() >= 3);  // the runner, its daemon, its child
  ::kill(agent, SIGKILL);
  ::waitpid(agent, nullptr, 0);
  const auto limit = monotonic() + 2s;
  while (std::ranges::any_of(all, is_alive) && monotonic() < limit) ::usleep(20'000);
  for (const int pid : all) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/comm");
    std::string name;
    std::getline(in, name);
    INFO(pid << " " << name);
    CHECK_FALSE(is_alive(pid));
  }
}

namespace {

/// What the command wrote.
std::string said_by(const std::string& command) {
  FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), got);
  ::pclose(pipe);
  return text;
}

}  // namespace

TEST_CASE("a debugger that looks into a runner names the plugin's function", "[plugin][alone]") {
  if (::access("/usr/bin/gdb", X_OK) != 0) {
    return skipped("debugger", "there is no /usr/bin/gdb");
  }
  // also after calls that came one after the other, and some at once: a runner that was quiet has the next on its first thread
  // (decision 0091). On a machine with more to do than it can, one of these may not
  constexpr int runners = 8;
  int named = 0;
  for (int runner = 0; runner < runners; ++runner) {
    boost::asio::io_context loop;
    Supervised bench(loop);
    if (runner % 2 == 1) {
      for (int i = 0; i < 4; ++i) bench.dispatch(bench.chaos("slow", 50));
    }
    for (int i = 0; i < 20; ++i) CHECK(bench.run("ok").fate == Fate::finished);
    bench.turn_for(400ms);  // of two calls without a pause between them the second is another thread's
    bench.dispatch(bench.chaos("hang"), 120s);
    bench.turn_for(200ms);
    // the number that `ronda status` shows
    const std::string attached = "timeout 60 gdb -p " + std::to_string(bench.status().runners.front().pid) + " -batch -ex ";
    const auto start = monotonic();
    const std::string text = said_by(attached + "bt 2>&1 </dev/null");
    const auto took = monotonic() - start;
    if (text.find("ptrace: Operation not permitted") != std::string::npos)
      return skipped("debugger", "this user may not trace processes here");
    INFO(text);
    CHECK(took < 10s);
    const bool is_named = text.find("hang_for_ever") != std::string::npos;
    named += is_named ? 1 : 0;
    if (!is_named) CHECK(said_by(attached + "'thread apply all bt' 2>&1 </dev/null").find("hang_for_ever") != std::string::npos);
  }
  CHECK(named >= runners - 1);
}

TEST_CASE("the last instance is destroyed when it and its plugin leave in one turn", "[plugin][alone]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("destroy-kv");
  REQUIRE(bench.run(instance).fate == Fate::finished);
  const auto start = monotonic();
  bench.supervisor().forget(instance);
  bench.supervisor().retire();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }, 10s));
  CHECK(bench.has_log("destroy reads this"));
  CHECK(monotonic() - start < 1500ms);
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("a destructor that asks the agent is answered while the runner leaves", "[plugin][alone]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  for (int i = 0; i < 3; ++i) REQUIRE(bench.run(bench.chaos("destroy-kv")).fate == Fate::finished);
  const auto start = monotonic();
  bench.supervisor().retire();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }, 10s));
  CHECK(std::ranges::count_if(bench.logs, [](const std::string& line) { return line.find("destroy reads this") != std::string::npos; }) ==
        3);
  CHECK(monotonic() - start < 2500ms);
  CHECK(bench.status().deaths == 0);
}
