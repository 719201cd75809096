// SPDX-License-Identifier: Apache-2.0
// A plugin that takes what it can get: limits hold, worn runners are replaced, nothing is left behind.
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <catch.hpp>
#include <set>

#include "skip.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

std::size_t own_descriptors() {
  std::size_t count = 0;
  DIR* const dir = ::opendir("/proc/self/fd");
  while (::readdir(dir) != nullptr) ++count;
  ::closedir(dir);
  return count;
}

}  // namespace

TEST_CASE("a plugin that leaks is replaced between two calls, without a failed call", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest small;
  small.memory_bytes = std::int64_t{256} << 20;
  Supervised bench(loop, small);
  const auto instance = bench.chaos("leak", 8);
  std::set<int> runners;
  for (int i = 0; i < 60; ++i) {
    const auto& end = bench.run(instance);
    REQUIRE(end.fate == Fate::finished);
    REQUIRE(end.outcome.end == wire::End::reported);
    runners.insert(bench.runner_pid());
    bench.turn_for(100ms);
  }
  CHECK(runners.size() > 1);
  CHECK(bench.status().deaths == 0);
  CHECK(bench.has_log("limit(memory): runner "));
}

TEST_CASE("memory beyond the limit fails the call, and the next has a fresh runner", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest small;
  small.memory_bytes = std::int64_t{128} << 20;
  Supervised bench(loop, small);
  const auto& end = bench.run("leak", 4096);
  CHECK(end.outcome.end == wire::End::failed);
  CHECK(end.outcome.summary == "std::bad_alloc");
  const auto& next = bench.run("leak", 32);
  CHECK(next.fate == Fate::finished);
  CHECK(next.outcome.end == wire::End::reported);
}

TEST_CASE("descriptors and threads that are used up do not outlive the runner's next call", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest small;
  small.fds = 64;
  small.pids = 64;
  small.memory_bytes = std::int64_t{256} << 20;
  Supervised bench(loop, small);
  bench.run("files");
  bench.turn_for(1100ms);
  bench.run("ok");
  CHECK(bench.run("exec").outcome.summary == "exit 0 from a child\n");
  // who recycles it says of what it had too much
  CHECK(bench.has_log("limit(fd): runner "));
  CHECK_FALSE(bench.has_log("limit(threads)"));
  CHECK_THAT(bench.status().last_trouble, Catch::StartsWith("limit(fd): "));
  bench.run("threads", 300);
  bench.turn_for(1100ms);
  bench.run("ok");
  CHECK(bench.run("exec").outcome.summary == "exit 0 from a child\n");
  CHECK(bench.has_log("limit(threads): runner "));
  CHECK_THAT(bench.status().last_trouble, Catch::StartsWith("limit(threads): "));
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("a thread that a library makes without a size costs little of the limit", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest small;
  small.memory_bytes = std::int64_t{64} << 20;
  Supervised bench(loop, small);
  // at 8 MiB each, eight of them would be too many
  CHECK(bench.run("threads", 40).outcome.end == wire::End::reported);
}

TEST_CASE("a fork bomb stays below the runner and goes with it", "[plugin]") {
  boost::asio::io_context loop;
  PluginUnderTest small;
  small.pids = 32;
  Supervised bench(loop, small), other(loop);
  CHECK(other.run("ok").fate == Fate::finished);
  const auto& end = bench.run("fork-bomb", 300);
  CHECK(end.fate == Fate::finished);
  const auto all = descendants_of(bench.runner_pid());
  CHECK(all.size() >= 250);
  CHECK(other.run("ok").fate == Fate::finished);
  bench.supervisor().retire();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }));
  CHECK(bench.until([&] { return std::ranges::none_of(all, is_alive); }, 5s));
}

TEST_CASE("a daemon that a plugin starts ends with its runner, however that ends", "[plugin]") {
  const bool crashes = GENERATE(false, true);
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.run("daemon");
  const auto all = descendants_of(bench.runner_pid());
  REQUIRE_FALSE(all.empty());
  if (crashes) {
    bench.run("segv");
  } else {
    bench.supervisor().retire();
    REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }));
    CHECK(bench.status().deaths == 0);  // what a child of the plugin does with itself is no crash of the runner
  }
  CHECK(bench.until([&] { return std::ranges::none_of(all, is_alive); }, 5s));
}

TEST_CASE("processes that fork faster than anybody looks end with their runner too", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  const std::string comet = "ronda-" + std::to_string(::getpid());
  CHECK(bench.run("comet", ::getpid()).fate == Fate::finished);
  CHECK(bench.until([&] { return has_process(comet); }, 5s));
  bench.supervisor().retire();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }, 10s));
  CHECK_FALSE(has_process(comet));
}

TEST_CASE("whoever kills the keeper from outside ends the plugin and what it has started", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.dispatch(bench.chaos("exec-long"), 60s);
  REQUIRE(bench.until([&] { return descendants_of(bench.runner_pid()).size() >= 2; }));
  const auto all = descendants_of(bench.runner_pid());
  ::kill(bench.runner_pid(), SIGKILL);
  CHECK(bench.until([&] { return std::ranges::none_of(all, is_alive); }, 5s));
}

TEST_CASE("a gigabyte of output is cut, and the loop goes on meanwhile", "[plugin]") {
  const auto* mode = GENERATE("flood-out", "flood-err");
  boost::asio::io_context loop;
  Supervised bench(loop), other(loop);
  const auto call = bench.dispatch(bench.chaos(mode, 1024), 60s);
  std::size_t rounds = 0;
  while (!bench.ends.contains(call)) {
    REQUIRE(other.run("ok").fate == Fate::finished);
    ++rounds;
  }
  CHECK(bench.end_of(call).fate == Fate::finished);
  CHECK(rounds > 0);
  std::size_t bytes = 0;
  for (const auto& line : bench.logs) bytes += line.size();
  CHECK(bytes < std::size_t{80} << 10);
}

namespace {

/// What `self` says of the process but for its numbers.
std::string surroundings(const std::string& said) {
  return said.substr(std::min(said.find(" cwd "), said.size()));
}

}  // namespace

TEST_CASE("what a call changes that is every call's is put back before the next one, told, and its runner replaced", "[plugin]") {
  struct Row {
    const char *mode, *what;
  };
  const auto row = GENERATE(values<Row>({{"chdir", "the working directory"},
                                         {"umask", "the umask"},
                                         {"environment", "LANG and TZ"},
                                         {"setlocale", "the locale"},
                                         {"sigpipe", "the handling of SIGPIPE"},
                                         {"ignore-term", "the handling of SIGTERM"},
                                         {"own-handlers", "the handling of SIGSEGV and the handling of SIGCHLD"}}));
  CAPTURE(row.mode);
  boost::asio::io_context loop;
  PluginUnderTest one_thread;
  one_thread.concurrency = 1;
  Supervised bench(loop, one_thread);
  const auto self = bench.chaos("self");
  const std::string before = bench.run(self).outcome.summary;
  CHECK_THAT(before, Catch::Contains(" cwd / umask 63 lang C.UTF-8 tz  locale C sigpipe ignored "));
  const int first = bench.runner_pid();

  // one that is in the runner already when the call ends, then one of the next runner
  const auto calls = bench.dispatch_together({bench.chaos(row.mode), self}, 20s, true);
  CHECK(bench.end_of(calls[0]).outcome.end == wire::End::reported);
  CHECK(surroundings(bench.end_of(calls[1]).outcome.summary) == surroundings(before));
  CHECK(bench.has_log("changed " + std::string(row.what) + ", which every call shares"));
  CHECK(surroundings(bench.run(self).outcome.summary) == surroundings(before));
  REQUIRE(bench.until([&] { return bench.status().runners.size() == 1; }));
  CHECK(bench.runner_pid() != first);
  CHECK(bench.status().deaths == 0);
  CHECK_THAT(bench.status().last_trouble, Catch::StartsWith("a call changed what is every call's"));
}

TEST_CASE("a runner whose calls change nothing that is every call's is kept", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  bench.run("ok");
  const int first = bench.runner_pid();
  // each of them puts back itself what it changes, or only starts a program
  for (const char* mode : {"ok", "exec", "exec-umask", "self"}) bench.run(mode);
  CHECK(bench.runner_pid() == first);
  CHECK_FALSE(bench.has_log("which every call shares"));
}

TEST_CASE("the mask of a program is not what a call has made of its runner's", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  CHECK(bench.run("exec-umask").outcome.summary == "Umask:\t0077\n");
}

TEST_CASE("a full disk, a changed directory, mask and environment stay in the runner", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  for (const char* mode :
       {"disk", "chdir", "umask", "environment", "block-signals", "ignore-term", "own-handlers", "setlocale", "sigpipe"}) {
    INFO(mode);
    CHECK(bench.run(mode, 8).fate == Fate::finished);
  }
  const auto said = bench.run("self").outcome.summary;
  CHECK_THAT(said, Catch::Contains(" cwd / umask 63 lang C.UTF-8"));
  bench.supervisor().retire();
  CHECK(bench.until([&] { return bench.supervisor().is_empty(); }, 10s));
  Supervised fresh(loop);
  if (!is_root()) return skipped("runner-uid", "only root gives a runner another uid");
  CHECK_THAT(said, Catch::StartsWith(has_pid_namespaces() ? "uid 65534 groups 0 pid 2 ppid 1 " : "uid 65534 groups 0 pid "));
  // its parent is the keeper, which as another user's it cannot touch
  CHECK(fresh.run("kill-parent").fate == Fate::finished);
}

TEST_CASE("many runners come and go without a trace in the agent", "[plugin]") {
  boost::asio::io_context loop;
  const std::size_t before = own_descriptors();
  for (int i = 0; i < 60; ++i) {
    Supervised bench(loop);
    CHECK(bench.run(i % 3 == 0 ? "segv" : "ok").fate == (i % 3 == 0 ? Fate::crashed : Fate::finished));
    bench.supervisor().retire();
    REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }));
  }
  CHECK(own_descriptors() <= before + 3);
  CHECK(descendants_of(::getpid()).empty());
}
