// SPDX-License-Identifier: Apache-2.0
// A whole agent is killed at each of its durable system calls and before each message that it sends, one after the other, in the
// life of one alert: by itself, among people who silence, note and reload, and where each message takes the fallback. Whatever the point,
// an agent that starts on what is left there goes on: what was accepted holds, was received in order and once, and nobody is left behind.
#include <signal.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>

#include "catch.hpp"
#include "skip.hpp"
#include "story.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

/// How messages go, and what else happens.
struct Scenario {
  const char* name;
  KillBench::Way way;
  Story::Plot plot;
};

constexpr std::array<Scenario, 3> scenarios = {{
    {"plain", KillBench::Way::straight, Story::Plot::plain},
    {"busy", KillBench::Way::straight, Story::Plot::busy},
    {"fallback", KillBench::Way::by_fallback, Story::Plot::plain},
}};

/// The agent is killed where a thread of it is about to make its `when`-th call of that name.
struct Point {
  Scenario scenario;
  std::string call;
  bool of_files = false;
  int when = 0;
};

std::string calls_of(bool of_files) {
  return of_files ? "pwrite64,fdatasync,fsync,ftruncate,rename,unlink" : "sendto,sendmsg";
}

/// Of each call how often the thread that makes it most makes it, in a life that nobody ends.
std::map<std::string, int> count_calls(const Scenario& scenario, bool of_files) {
  KillBench bench({"a"}, 0, scenario.way);
  bench.agent().lead_by(traced(bench.agent(), calls_of(of_files), of_files, {"-ff", "-o", bench.agent().scratch() / "calls"}));
  REQUIRE(bench.start());
  REQUIRE(Story(bench, scenario.plot).go_on());
  CHECK(bench.agent().stop() == 0);
  std::map<std::string, int> most;
  for (const auto& entry : std::filesystem::directory_iterator(bench.agent().scratch().path())) {
    if (!entry.path().filename().string().starts_with("calls.")) continue;
    std::map<std::string, int> calls;  // of one thread
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      const std::size_t end = line.find('(');
      if (end != std::string::npos && !line.starts_with("-") && !line.starts_with("+")) ++calls[line.substr(0, end)];
    }
    for (const auto& [call, count] : calls) most[call] = std::max(most[call], count);
  }
  return most;
}

/// At most `most` of each call, spread over all there are from a random one on.
std::vector<Point> find_points(const Scenario& scenario, int most, std::mt19937& random) {
  std::vector<Point> out;
  for (const bool of_files : {true, false}) {
    for (const auto& [call, count] : count_calls(scenario, of_files)) {
      const int stride = std::max(1, (count + most - 1) / most), first = 1 + static_cast<int>(random() % static_cast<unsigned>(stride));
      std::cout << scenario.name << ": " << call << ": " << count << (stride == 1 ? ", each" : ", one of " + std::to_string(stride))
                << std::endl;
      for (int when = first; when <= count; when += stride) out.push_back({scenario, call, of_files, when});
    }
  }
  return out;
}

/// False: the agent came to its end before that point.
bool check_point(const Point& point) {
  INFO(point.scenario.name << ": " << point.call << " " << point.when);
  KillBench bench({"a"}, 0, point.scenario.way);
  const std::string inject = "inject=" + point.call + ":signal=KILL:when=" + std::to_string(point.when);
  bench.agent().lead_by(traced(bench.agent(), point.call, point.of_files, {"-o", "/dev/null", "-e", inject}));
  Story story(bench, point.scenario.plot);
  if (bench.start() && story.go_on()) bench.agent().signal(SIGTERM);
  const int code = bench.agent().wait();
  bench.note_end();
  CHECK((code == 0 || code == 128 + SIGKILL));
  CHECK(story.end() == "");
  return code != 0;
}

/// Until they are all done, or for so long.
void check_points(const std::vector<Point>& points, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::size_t done = 0, killed = 0;
  for (const Point& point : points) {
    if (std::chrono::steady_clock::now() > end) break;
    ++done;
    killed += check_point(point) ? 1 : 0;
  }
  std::cout << "of " << points.size() << " points " << done << " were tried, at " << killed << " of them the agent was killed" << std::endl;
  CHECK(killed * 10 >= done * 9);  // two lives are not the same to the last call
}

}  // namespace

TEST_CASE("killed at a few of its durable calls and sends an agent goes on where it was", "[whole]") {
  if (!may_trace()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  const unsigned seed = seed_of_run();
  INFO("RONDA_TEST_SEED=" << seed);
  std::mt19937 random(seed);
  std::vector<Point> points;  // of one scenario, another one each time
  std::ranges::sample(find_points(scenarios[random() % scenarios.size()], 1000, random), std::back_inserter(points), 5, random);
  check_points(points, 15s);
}

TEST_CASE("killed at each of its durable calls and sends an agent goes on where it was", "[.long]") {
  if (!may_trace()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  const unsigned seed = seed_of_run();
  INFO("RONDA_TEST_SEED=" << seed);
  std::mt19937 random(seed);
  std::vector<Point> points;
  for (const Scenario& scenario : scenarios) std::ranges::copy(find_points(scenario, 80, random), std::back_inserter(points));
  std::ranges::shuffle(points, random);  // where time is short, some of each
  check_points(points, 570s);
}
