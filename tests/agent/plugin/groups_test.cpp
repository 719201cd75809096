// SPDX-License-Identifier: Apache-2.0
// Runners in control groups of this machine: what they take is limited together with what they start, and nothing gets
// out. Skipped, with the reason, where this test may not make groups.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "plugin/cgroups.hpp"
#include "skip.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;

namespace {

/// The groups of an agent that is this test.
class LiveGroups {
 public:
  explicit LiveGroups(boost::asio::io_context& loop) : groups(loop, {.tell = [this](std::string_view text) { told.emplace_back(text); }}) {}
  /// Whether memory and tasks can both be limited here.
  explicit operator bool() const { return groups.text().find("(memory, pids") != std::string::npos; }

  plugin::Cgroups groups;
  std::vector<std::string> told;
};

/// The directories that the groups of a process are, below each mount.
std::vector<std::string> groups_of(int pid) {
  std::vector<std::string> out;
  std::ifstream in("/proc/" + std::to_string(pid) + "/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    const std::string controller = line.substr(first + 1, second - first - 1);
    if (line.find("/ronda-") != std::string::npos) out.push_back("/sys/fs/cgroup/" + controller + line.substr(second + 1));
  }
  return out;
}

std::chrono::nanoseconds processor_time_of(const std::vector<int>& processes) {
  std::chrono::nanoseconds out{0};
  for (const int pid : processes) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text{std::istreambuf_iterator<char>(in), {}};
    std::istringstream fields(text.substr(text.rfind(')') + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    long user = 0, system = 0;
    fields >> user >> system;
    out += std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
  }
  return out;
}

bool none_is_left(const std::vector<std::string>& groups) {
  return std::ranges::none_of(groups, [](const std::string& group) { return std::filesystem::exists(group); });
}

}  // namespace

TEST_CASE("a burst of memory meets the limit of the group, is called that, and the next has a fresh runner", "[plugin]") {
  boost::asio::io_context loop;
  LiveGroups live(loop);
  if (!live) return skipped("control-groups", live.groups.text());
  PluginUnderTest small;
  small.grants = {"state", "threads"};
  small.memory_bytes = std::int64_t{96} << 20;
  small.cgroups = &live.groups;
  small.group = {small.memory_bytes, 64, 0};
  Supervised bench(loop, small);
  CHECK(bench.run("leak", 16).fate == Fate::finished);
  CHECK(bench.status().runners.at(0).limited.ends_with(": memory 96MiB, 64 tasks"));
  const auto groups = groups_of(bench.runner_pid());
  CHECK(groups.size() == (live.groups.version() == plugin::CgroupVersion::v1 ? 2 : 1));
  const auto& end = bench.run("leak", 10'240);
  CHECK(end.fate == Fate::limit);
  CHECK(text_of(end) == "limit(memory): it and what it started wanted more than the 96MiB of its control group");
  CHECK(bench.until([&] { return none_is_left(groups); }, 5s));
  CHECK(bench.run("leak", 16).fate == Fate::finished);
  CHECK(live.told.empty());
}

TEST_CASE("what spins has its share of a core and no more, status tells of it, and its deadline ends it", "[plugin][alone]") {
  boost::asio::io_context loop;
  LiveGroups live(loop);
  if (live.groups.text().find("cpu)") == std::string::npos)
    return skipped("control-groups", "no group for processors: " + live.groups.text());
  PluginUnderTest greedy;
  greedy.cgroups = &live.groups;
  greedy.group.cores = 0.1;
  Supervised bench(loop, greedy);
  CHECK(bench.run("ok").fate == Fate::finished);
  const auto groups = groups_of(bench.runner_pid());
  REQUIRE(groups.size() == 1);
  const auto processes = descendants_of(bench.runner_pid());
  const auto begin = monotonic();
  const auto used_before = processor_time_of(processes);
  const auto call = bench.dispatch(bench.chaos("busy"), 1500ms);
  CHECK(bench.end_of(call).fate == Fate::timeout);
  const auto used = processor_time_of(processes) - used_before, took = monotonic() - begin;
  // a quota of 10 ms more at the start, another in the period that is cut, and clock ticks
  CHECK(used < took / 10 + 60ms);
  CHECK(bench.status().runners.at(0).limited.find(": cpu 10% (held back ") != std::string::npos);
  CHECK(bench.until([&] { return none_is_left(groups); }, 10s));
  CHECK(live.told.empty());
}

TEST_CASE("memory of programs counts for the group of who starts them, and costs the program first", "[plugin]") {
  boost::asio::io_context loop;
  LiveGroups live(loop);
  if (!live) return skipped("control-groups", live.groups.text());
  PluginUnderTest small;
  small.cgroups = &live.groups;
  small.group = {std::int64_t{96} << 20, 64};
  Supervised bench(loop, small);
  const auto& end = bench.run("exec-swell");
  CHECK(end.fate == Fate::finished);
  CHECK(end.outcome.summary == "exit 137");
  CHECK(bench.run("ok").fate == Fate::finished);
  CHECK(bench.status().deaths == 0);
  // a runner that somebody kills later did not end by that
  bench.turn_for(2100ms);
  const auto call = bench.dispatch(bench.chaos("slow", 10'000));
  bench.turn_for(50ms);
  ::kill(bench.runner_pid(), SIGKILL);
  CHECK(text_of(bench.end_of(call)).find("killed by SIGKILL") != std::string::npos);
}

TEST_CASE("a fork bomb meets the limit of the group, root's too, and the whole group is killed", "[plugin]") {
  boost::asio::io_context loop;
  LiveGroups live(loop);
  if (!live) return skipped("control-groups", live.groups.text());
  PluginUnderTest small;
  small.pids = 48;
  small.cgroups = &live.groups;
  small.group = {0, 64};
  small.as_root = GENERATE(false, true);
  Supervised bench(loop, small), other(loop);
  const auto& end = bench.run("fork-bomb", 300);
  CHECK(end.fate == Fate::finished);
  const auto all = descendants_of(bench.runner_pid());
  CHECK(all.size() < 64);
  CHECK(all.size() > 32);
  CHECK(other.run("ok").fate == Fate::finished);
  const auto groups = groups_of(bench.runner_pid());
  CHECK(groups.size() == 1);
  bench.supervisor().retire();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }));
  CHECK(bench.until([&] { return std::ranges::none_of(all, is_alive) && none_is_left(groups); }, 5s));
}

TEST_CASE("a daemon whose keeper is killed is still in the group and ends with it", "[plugin]") {
  boost::asio::io_context loop;
  LiveGroups live(loop);
  if (!live) return skipped("control-groups", live.groups.text());
  PluginUnderTest small;
  small.pid_namespace = false;  // as of all plugins with the grant exec
  small.cgroups = &live.groups;
  small.group = {std::int64_t{256} << 20, 64};
  Supervised bench(loop, small);
  bench.run("daemon");
  const auto all = descendants_of(bench.runner_pid());
  REQUIRE(all.size() >= 2);
  const auto groups = groups_of(bench.runner_pid());
  ::kill(bench.runner_pid(), SIGKILL);
  CHECK(bench.until([&] { return std::ranges::none_of(all, is_alive) && none_is_left(groups); }, 5s));
}

TEST_CASE("what forks faster than anybody looks cannot leave its group", "[plugin]") {
  boost::asio::io_context loop;
  LiveGroups live(loop);
  if (!live) return skipped("control-groups", live.groups.text());
  PluginUnderTest small;
  small.pid_namespace = false;
  small.cgroups = &live.groups;
  small.group = {std::int64_t{256} << 20, 64};
  Supervised bench(loop, small);
  const std::string comet = "ronda-" + std::to_string(::getpid());
  CHECK(bench.run("comet", ::getpid()).fate == Fate::finished);
  CHECK(bench.until([&] { return has_process(comet); }, 5s));
  const auto groups = groups_of(bench.runner_pid());
  ::kill(bench.runner_pid(), SIGKILL);  // nobody is there to reap it
  REQUIRE_FALSE(groups.empty());
  // what is dead has its name until the init of this host has reaped it
  CHECK(bench.until([&] { return none_is_left(groups) && !has_process(comet); }, 10s));
}

TEST_CASE("threads that are used up do not outlive the runner's next call in a group either", "[plugin]") {
  boost::asio::io_context loop;
  LiveGroups live(loop);
  if (!live) return skipped("control-groups", live.groups.text());
  PluginUnderTest small;
  small.pids = 64;
  small.cgroups = &live.groups;
  small.group = {0, 64 + 16};
  Supervised bench(loop, small);
  bench.run("threads", 300);
  bench.turn_for(1100ms);
  bench.run("ok");
  CHECK(bench.run("exec").outcome.summary == "exit 0 from a child\n");
}

TEST_CASE("many runners come and go without a group left", "[plugin]") {
  boost::asio::io_context loop;
  LiveGroups live(loop);
  if (!live) return skipped("control-groups", live.groups.text());
  PluginUnderTest plugin;
  plugin.cgroups = &live.groups;
  plugin.group = {std::int64_t{256} << 20, 64};
  std::vector<std::string> groups;
  for (int i = 0; i < 12; ++i) {
    Supervised bench(loop, plugin);
    CHECK(bench.run(i % 3 == 0 ? "segv" : "ok").fate == (i % 3 == 0 ? Fate::crashed : Fate::finished));
    if (bench.runner_pid() > 0) std::ranges::copy(groups_of(bench.runner_pid()), std::back_inserter(groups));
  }
  CHECK_FALSE(groups.empty());
  const auto until = monotonic() + 5s;
  while (!live.groups.is_tidy() && monotonic() < until) loop.restart(), loop.run_for(10ms);
  CHECK(none_is_left(groups));
  CHECK(live.told.empty());
}

TEST_CASE("what an agent that was killed has left goes as soon as it is empty, without another start", "[plugin]") {
  int told[2] = {-1, -1};
  REQUIRE(::pipe2(told, O_CLOEXEC) == 0);
  const Descriptor from_it(told[0]);
  const pid_t former = ::fork();
  if (former == 0) {                // a life that ends while its runner goes on
    const pid_t runner = ::fork();  // before there are locks to inherit
    while (runner == 0) ::pause();
    boost::asio::io_context loop;
    plugin::Cgroups groups(loop, {});
    const auto group = groups.add(runner, {std::int64_t{96} << 20, 64, 0.5});
    const auto written = ::write(told[1], &runner, sizeof runner);
    ::kill(::getpid(), written == sizeof runner ? SIGKILL : SIGTERM);
  }
  ::close(told[1]);
  pid_t runner = -1;
  REQUIRE(::read(from_it.get(), &runner, sizeof runner) == sizeof runner);
  REQUIRE(::waitpid(former, nullptr, 0) == former);
  const auto groups = groups_of(runner);
  boost::asio::io_context loop;
  LiveGroups live(loop);
  const auto gone_within = [&](std::chrono::milliseconds limit) {
    for (const auto until = monotonic() + limit; !none_is_left(groups) && monotonic() < until;) loop.restart(), loop.run_for(20ms);
    return none_is_left(groups);
  };
  if (live) CHECK(!groups.empty());
  CHECK((groups.empty() || !gone_within(0ms)));
  CHECK(is_alive(runner));
  ::kill(runner, SIGKILL);
  CHECK(gone_within(8s));
}
