// SPDX-License-Identifier: Apache-2.0
// What the kernel will not let go of, and what dies all the time: neither takes the agent along.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <catch.hpp>

#include "base/clock.hpp"
#include "freezer.hpp"
#include "skip.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;
using plugin::Life;

namespace {

double cpu_seconds_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

TEST_CASE("a runner that cannot be killed is told, gets no second one beside it, and holds up nobody", "[plugin][alone]") {
  const Freezer freezer;
  if (!freezer.is_usable()) {
    return skipped("frozen-runner", "needs root and the freezer of cgroup v1");
  }
  boost::asio::io_context loop;
  Supervised bench(loop), other(loop);
  CHECK(bench.run("ok").fate == Fate::finished);
  const int runner = bench.runner_pid();
  for (const int pid : descendants_of(runner)) freezer.add(pid);
  if (has_pid_namespaces()) freezer.add(runner);
  freezer.freeze();
  const auto start = monotonic();
  CHECK(bench.run("ok", 0, 500ms).fate == Fate::timeout);
  CHECK(monotonic() - start < 1500ms);
  std::vector<std::chrono::nanoseconds> took;
  const auto is_stuck = [&] {
    const auto asked = monotonic();
    CHECK(other.run("ok").fate == Fate::finished);
    took.push_back(monotonic() - asked);
    return bench.status().runners.front().life == Life::stuck;
  };
  REQUIRE(bench.until(is_stuck, 20s));
  CHECK(median_of(took) < 250ms);
  CHECK(*std::ranges::max_element(took) < 2s);
  const std::string told = "a runner cannot be killed (pid " + std::to_string(runner) + "): it is stuck in the kernel";
  CHECK(bench.troubles == std::vector<std::string>{told});
  for (int i = 0; i < 3; ++i) {
    const auto& refused = bench.run("ok");
    CHECK(refused.fate == Fate::unavailable);
    CHECK(refused.cause == "no runner: " + told);
  }
  CHECK(bench.status().runners.size() == 1);
  freezer.thaw();
  CHECK(bench.troubles_over == 0);
  REQUIRE(bench.until([&] { return bench.status().runners.empty(); }, 10s));
  CHECK(bench.troubles_over == 1);
  CHECK(bench.run("ok", 0, 60s).fate == Fate::finished);
}

TEST_CASE("fifty plugins that crash together cost little, are started ever later and fill no log", "[plugin][alone]") {
  constexpr int plugins = 50, seconds = 15;
  boost::asio::io_context loop;
  std::vector<std::unique_ptr<Supervised>> benches;
  std::vector<std::uint32_t> instances;
  for (int i = 0; i < plugins; ++i) {
    benches.push_back(std::make_unique<Supervised>(loop));
    instances.push_back(benches.back()->chaos("segv"));
  }
  const double cpu = cpu_seconds_so_far();
  const auto start = monotonic();
  for (int second = 0; second < seconds; ++second) {
    for (std::size_t i = 0; i < benches.size(); ++i) benches[i]->dispatch(instances[i], 10s);
    const auto until = start + (second + 1) * std::chrono::nanoseconds(1s);
    while (monotonic() < until) benches[0]->turn_for(until - monotonic());
  }
  const double share = (cpu_seconds_so_far() - cpu) / std::chrono::duration<double>(monotonic() - start).count();
  INFO("supervision took " << share << " of a core");
  CHECK(share < 0.2);
  for (const auto& bench : benches) {
    const auto status = bench->status();
    CHECK(status.deaths >= 3);
    CHECK(status.deaths <= 7);  // at once, then after 0, 1, 2, 4, 8 s, unless five have put it into quarantine
    CHECK(status.starts_in <= 5min);
    CHECK(bench->logs.size() <= 1);
    CHECK(bench->troubles.size() <= 1);
  }
}

TEST_CASE("an agent that does not read holds up the plugin and loses nothing", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop);
  std::vector<std::uint32_t> instances;
  for (int i = 0; i < 16; ++i) instances.push_back(bench.chaos("metrics", 1000));
  CHECK(bench.run("ok").fate == Fate::finished);
  // many times what the socket holds, while nobody turns the loop
  std::vector<std::uint64_t> calls;
  for (int round = 0; round < 4; ++round) {
    for (const std::uint64_t id : bench.dispatch_together(instances)) calls.push_back(id);
    bench.turn_for(1ms);
    ::usleep(500'000);
  }
  for (const std::uint64_t id : calls) {
    CHECK(bench.end_of(id, 30s).fate == Fate::finished);
    CHECK(bench.ends[id].size() == 1);
  }
  CHECK(bench.status().deaths == 0);
}
