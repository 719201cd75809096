// SPDX-License-Identifier: Apache-2.0
// kill -9 while samples are written and rolled up: each second is in its five minutes and its hour, and only once.
#include <algorithm>
#include <cstdlib>
#include <random>

#include "agent/store/killed.hpp"
#include "agent/store/samples_support.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::store;
using namespace ronda::store::test;

namespace {

constexpr std::int64_t raw_kept = 48 * 3600;  // seconds

/// How many roll-ups there are; each has every second of its time once.
std::int64_t check_rollups(Store& store, SampleLevel level, std::int64_t length, std::int64_t end) {
  std::int64_t next = samples_begin, count = 0;
  for (std::int64_t from = samples_begin - 1; from < end; from += day) {
    const auto all = samples(store, level, from, from + day);
    REQUIRE(all.size() == 1);
    for (const Rollup& one : all[0].rollups) {
      const std::int64_t seconds = length / second, first = (one.from_ns - samples_begin) / second;
      REQUIRE(one.from_ns == next);
      REQUIRE(one.count == static_cast<std::uint64_t>(seconds));
      REQUIRE(one.first == static_cast<double>(first));
      REQUIRE(one.last == static_cast<double>(first + seconds - 1));
      REQUIRE(one.increase == static_cast<double>(seconds - 1));
      REQUIRE(one.sum == static_cast<double>(seconds * (2 * first + seconds - 1) / 2));
      REQUIRE(one.sketch.count() == one.count);
      next += length;
      ++count;
    }
  }
  return count;
}

void check_samples(const std::string& state, std::int64_t acknowledged) {
  Options options = options_at(state);
  options.wall_ns = [acknowledged] { return at_number(acknowledged); };
  const auto store = *Store::open(std::move(options));
  CHECK(store->report().notices.empty());
  const std::int64_t last = last_number(*store);
  REQUIRE(last >= acknowledged);
  std::int64_t next = -1;
  for (std::int64_t from = samples_begin - 1; from < at_number(last); from += day) {
    const auto all = samples(*store, SampleLevel::raw, from, from + day);
    if (all.empty() && next < 0) continue;  // older than what is kept
    REQUIRE(all.size() == 1);
    CHECK(all[0].key == counted_series());
    for (const Point& point : all[0].points) {
      if (next < 0) {
        next = (point.at_ns - samples_begin) / second;
        REQUIRE(next <= std::max<std::int64_t>(last - raw_kept, 0));
      }
      REQUIRE(point == Point{at_number(next), static_cast<double>(next)});
      ++next;
    }
  }
  REQUIRE(next == last + 1);
  // at any time what there is of them is right, and in the end there are all: what was due when it was killed is made now
  const auto fives = [&] { return check_rollups(*store, SampleLevel::five_minutes, five_minutes_ns, at_number(last)); };
  const auto hours = [&] { return check_rollups(*store, SampleLevel::hours, hour_ns, at_number(last)); };
  const std::int64_t due = std::max<std::int64_t>(acknowledged - 15, 0) / 300;
  CHECK(wait_for([&] { return fives() >= due && hours() >= due / 12; }));
}

void kill_sample_writers(int rounds, int checked_every) {
  const Scratch scratch;
  const std::string state = scratch / "state";
  std::mt19937 random(std::random_device{}());
  std::int64_t acknowledged = -1;
  for (int round = 1; round <= rounds; ++round) {
    Killed writer(RONDA_BINARY_DIR "/tests/agent/store/sample_writer", {state, std::to_string(std::max<std::int64_t>(acknowledged, 0))});
    REQUIRE(writer.read_some());
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 60'000);
    while (std::chrono::steady_clock::now() < end && writer.read_some()) {
    }
    writer.kill();
    const std::size_t whole = writer.said().rfind('\n');  // what is behind it may be cut in its number
    const std::size_t line = writer.said().rfind("sample ", whole);
    REQUIRE((whole != std::string::npos && line != std::string::npos));
    const std::int64_t told = std::atoll(writer.said().c_str() + line + 7);
    INFO("round " << round << ": " << told << " after " << acknowledged);
    REQUIRE(told > acknowledged);
    acknowledged = told;
    if (round % checked_every == 0) check_samples(state, acknowledged);
  }
}

}  // namespace

TEST_CASE("30 kills of an agent that rolls up samples lose none that was acknowledged and count none twice", "[store]") {
  kill_sample_writers(30, 3);
}

TEST_CASE("500 kills of an agent that rolls up samples lose none that was acknowledged and count none twice", "[store][.long]") {
  kill_sample_writers(500, 50);
}
