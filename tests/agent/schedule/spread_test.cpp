// SPDX-License-Identifier: Apache-2.0
#include "schedule/spread.hpp"

#include <algorithm>

#include "support.hpp"

using namespace ronda;
using namespace ronda::schedule;
using namespace std::chrono_literals;

TEST_CASE("a phase never changes between versions", "[schedule]") {
  const std::uint64_t hash = spread_hash("db1", "check", "api-status");
  CHECK(hash == 0x374c695cdb15c0a6);
  CHECK(phase_of(hash, 30s) == 6480ms);
  CHECK(shared_phase_of(hash, 30s) == 6000ms);
}

TEST_CASE("phases that share wake-ups lie on one raster, finer for short intervals, and never before their share", "[schedule]") {
  Random random(test_seed(9));
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t hash = random();
    const Nanos interval(pick(random, 1, 100'000'000'000));
    const Nanos fine = phase_of(hash, interval), shared = shared_phase_of(hash, interval);
    REQUIRE((shared >= 0ns && shared <= fine && fine - shared <= interval / 20));
    if (interval >= 20s) REQUIRE(shared % 1s == 0ns);
    if (interval >= 10s) REQUIRE(shared % 500ms == 0ns);
    if (interval >= 1s) REQUIRE(shared % (Nanos(1s) / 32) == 0ns);
  }
  CHECK(shared_phase_of(std::uint64_t{1} << 63, 30ms) == 15ms);
}

TEST_CASE("host, kind and name each change the phase, and their borders count", "[schedule]") {
  const std::uint64_t hash = spread_hash("a", "bc", "d");
  CHECK(hash != spread_hash("b", "bc", "d"));
  CHECK(hash != spread_hash("a", "b", "cd"));
  CHECK(hash != spread_hash("ab", "c", "d"));
  CHECK(hash != spread_hash("a", "bc", "e"));
}

TEST_CASE("ten thousand checks of one interval fall evenly on it", "[schedule]") {
  const Nanos interval = GENERATE(Nanos(10s), Nanos(60s), Nanos(1h), Nanos(500ms));
  std::vector<int> buckets(100);
  for (int i = 0; i < 10'000; ++i) {
    const Nanos phase = phase_of(spread_hash("host", "check", "check-" + std::to_string(i)), interval);
    REQUIRE((phase >= 0ns && phase < interval));
    ++buckets[std::size_t(phase * 100 / interval)];
  }
  CHECK(*std::ranges::min_element(buckets) > 50);
  CHECK(*std::ranges::max_element(buckets) < 150);
}

TEST_CASE("the grid's next instant is strictly after, less than an interval away, and on the phase", "[schedule]") {
  Random random(test_seed(5));
  for (int i = 0; i < 10'000; ++i) {
    const Nanos interval(pick(random, 1, 4'000'000'000'000)), phase(pick(random, 0, interval.count() - 1));
    const Nanos after(pick(random, 0, 1'000'000'000'000'000));
    const Nanos next = grid_after(after, interval, phase);
    if (next <= after || next > after + interval || (next - phase) % interval != 0ns) CHECK(next == after);
  }
  CHECK(grid_after(0s, 10s, 3s) == 3s);
  CHECK(grid_after(3s, 10s, 3s) == 13s);
  CHECK(grid_after(-1s, 10s, 3s) == 3s);
}

TEST_CASE("the first runs: one at once, the rest within a tenth of the interval and five seconds", "[schedule]") {
  std::vector<FirstRun> runs;
  for (int i = 0; i < 1'000; ++i) {
    runs.push_back({spread_hash("h", "check", std::to_string(i)), i % 2 == 0 ? Nanos(10s) : Nanos(1h)});
  }
  const auto delays = first_run_delays(runs);
  CHECK(std::ranges::count(delays, 0ns) == 1);
  for (std::size_t i = 0; i < runs.size(); ++i) REQUIRE(delays[i] <= (i % 2 == 0 ? Nanos(1s) : Nanos(5s)));
  CHECK(*std::ranges::max_element(delays) > 4s);
  CHECK(first_run_delays({}).empty());
  CHECK(first_run_delays(std::vector<FirstRun>{{1, 10s}}) == std::vector<Nanos>{0ns});
}
