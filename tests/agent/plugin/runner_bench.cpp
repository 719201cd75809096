// SPDX-License-Identifier: Apache-2.0
// What a trivial call costs through supervisor and runner. Not a test: run it by its tag, [.bench].
#include <sys/resource.h>
#include <unistd.h>
#include <boost/asio/io_context.hpp>

#include <array>
#include <catch.hpp>
#include <cstdio>
#include <fstream>

#include "base/clock.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

/// Fields 14 and 15 of its stat, in clock ticks.
double cpu_seconds_of(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(in, text);
  unsigned long user = 0, system = 0;
  std::sscanf(text.c_str() + text.rfind(')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

TEST_CASE("trivial calls at a steady rate", "[.bench]") {
  const auto batch = GENERATE(1, 10, 100);
  boost::asio::io_context loop;
  Supervised bench(loop);
  const auto instance = bench.chaos("ok");
  bench.run(instance);
  const auto below = descendants_of(bench.runner_pid());
  const int worker = below.empty() ? bench.runner_pid() : below.front();
  std::vector<std::uint32_t> instances;
  for (int i = 0; i < batch; ++i) instances.push_back(bench.chaos("ok"));
  const double own = own_cpu_seconds(), other = cpu_seconds_of(worker);
  const auto start = monotonic();
  constexpr int rate = 10'000;
  const int rounds = rate * 3 / batch;
  std::uint64_t last = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto due = start + std::chrono::nanoseconds(1'000'000'000LL * batch / rate * round);
    if (const auto wait = due - monotonic(); wait > 0ns) bench.turn_for(wait);
    last = bench.dispatch_together(instances, 20s, true).back();
  }
  bench.end_of(last);
  const double took = std::chrono::duration<double>(monotonic() - start).count();
  const double calls = static_cast<double>(rounds) * batch;
  std::printf("batches of %d: %.0f calls/s, agent %.1f us, runner %.1f us of CPU a call\n", batch, calls / took,
              (own_cpu_seconds() - own) / calls * 1e6, (cpu_seconds_of(worker) - other) / calls * 1e6);
}
