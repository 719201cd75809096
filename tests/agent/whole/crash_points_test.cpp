// SPDX-License-Identifier: Apache-2.0
// A whole agent is killed at each of its durable system calls and before each message that it sends, one after the other, in plots
// that each have something to lose (plots.hpp). Whatever the point, an agent that starts on what is left there goes on: what was
// accepted holds, was received in order and once, what somebody was told that it is done is, and nobody is left behind.
#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "catch.hpp"
#include "plots.hpp"
#include "skip.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr int most_points = 110;  // of one plot

/// The agent is killed where a thread of it is about to make its `when`-th call of that name.
struct Point {
  std::string call;
  bool of_files = false;
  int when = 0;
};

std::string calls_of(bool of_files) {
  return of_files ? "pwrite64,fdatasync,fsync,ftruncate,rename,renameat2,unlink" : "sendto,sendmsg";
}

/// A plot, and what its lives begin with.
class Scene {
 public:
  explicit Scene(Plot plot) : plot_(std::move(plot)) {
    if (plot_.before.empty()) return;
    const auto begun = std::chrono::steady_clock::now();
    KillBench bench(plot_.cast, 0);
    REQUIRE(bench.start());
    Story story(bench, plot_);
    const bool is_ready = story.prepare();
    INFO(plot_.name << ", before it: " << story.stuck());
    REQUIRE(is_ready);
    CHECK(bench.agent().stop() == 0);
    if (plot_.alter) plot_.alter(bench);
    kept_.emplace(bench);
    std::this_thread::sleep_until(begun + plot_.rest);  // a time limit of the plot passes meanwhile
  }
  const Plot& plot() const { return plot_; }
  void begin(KillBench& bench) const {
    if (kept_) kept_->put_into(bench);
  }
  std::vector<std::string> below_strace(const KillBench& bench, const std::string& calls, bool of_files,
                                        const std::vector<std::string>& more) const {
    return traced(bench.agent(), calls, of_files && !plot_.is_everywhere, more);
  }

 private:
  Plot plot_;
  std::optional<Kept> kept_;
};

/// What was received, and what the agent said: for whoever has to find out why.
std::string seen(const KillBench& bench) {
  return read_file(bench.agent().scratch() / "received") + bench.agent().log();
}

/// Of each call how often the thread that makes it most makes it, in a life that nobody ends.
std::map<std::string, int> count_calls(const Scene& scene, bool of_files) {
  KillBench bench(scene.plot().cast, 0);
  scene.begin(bench);
  bench.agent().lead_by(scene.below_strace(bench, calls_of(of_files), of_files, {"-ff", "-o", bench.agent().scratch() / "calls"}));
  REQUIRE(bench.start());
  Story story(bench, scene.plot());
  const bool is_told = story.go_on();
  INFO(scene.plot().name << ": " << story.stuck() << "\n" << seen(bench));
  REQUIRE(is_told);
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

/// All there are, or so many: of the calls that there are most of some are left out then, spread from a random one on.
std::vector<Point> find_points(const Scene& scene, int most, std::mt19937& random) {
  std::map<std::pair<bool, std::string>, int> counts;
  for (const bool of_files : {true, false}) {
    for (const auto& [call, count] : count_calls(scene, of_files)) counts[{of_files, call}] = count;
  }
  const auto stride = [](int count, int each) { return std::max(1, (count + each - 1) / each); };
  const auto total = [&](int each) {
    int out = 0;
    for (const auto& [call, count] : counts) out += count / stride(count, each);
    return out;
  };
  int each = most;
  while (each > 1 && total(each) > most) --each;
  std::vector<Point> out;
  for (const auto& [call, count] : counts) {
    const int step = stride(count, each), first = 1 + static_cast<int>(random() % static_cast<unsigned>(step));
    std::cout << scene.plot().name << ": " << call.second << ": " << count << (step == 1 ? ", each" : ", one of " + std::to_string(step))
              << std::endl;
    for (int when = first; when <= count; when += step) out.push_back({call.second, call.first, when});
  }
  return out;
}

/// False: the agent came to its end before that point.
bool check_point(const Scene& scene, const Point& point) {
  INFO(scene.plot().name << ": " << point.call << " " << point.when);
  KillBench bench(scene.plot().cast, 0);
  scene.begin(bench);
  const std::string inject = "inject=" + point.call + ":signal=KILL:when=" + std::to_string(point.when);
  bench.agent().lead_by(scene.below_strace(bench, point.call, point.of_files, {"-o", "/dev/null", "-e", inject}));
  Story story(bench, scene.plot());
  if (bench.start() && story.go_on()) bench.agent().signal(SIGTERM);
  INFO("what does not come in the first life: " << story.stuck());
  const int code = bench.agent().wait();
  bench.note_end();
  CHECK((code == 0 || code == 128 + SIGKILL));
  const std::string wrong = story.end();
  INFO((wrong.empty() ? "" : seen(bench)));
  CHECK(wrong == "");
  return code != 0;
}

/// Until they are all done, or for so long.
void check_points(const Scene& scene, const std::vector<Point>& points, std::chrono::seconds limit) {
  const auto begun = std::chrono::steady_clock::now();
  std::size_t done = 0, killed = 0;
  const auto say = [&] {
    const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
    std::cout << scene.plot().name << ": of " << points.size() << " points " << done << " were tried in " << took.count() << " s, at "
              << killed << " of them the agent was killed" << std::endl;
  };
  for (const Point& point : points) {
    if (std::chrono::steady_clock::now() > begun + limit) break;
    ++done;
    killed += check_point(scene, point) || check_point(scene, point) ? 1 : 0;  // two lives are not the same to the last call
    if (done % 20 == 0) say();
  }
  say();
  CHECK(killed * 10 >= done * 9);
}

/// An agent that did this to its store in the end is found out.
void check_plant(const Scene& scene, const Plant& plant) {
  INFO(scene.plot().name << ": " << plant.mistake);
  KillBench bench(scene.plot().cast, 0);
  scene.begin(bench);
  REQUIRE(bench.start());
  Story story(bench, scene.plot());
  const bool is_told = story.go_on() && eventually([&] { return bench.is_drained(); });
  INFO(story.stuck());
  REQUIRE(is_told);
  bench.kill_agent();
  REQUIRE(bench.plant(plant.statement) >= 1);
  const std::string wrong = story.end(3s);
  INFO(wrong);
  CHECK(wrong.find(plant.found) != std::string::npos);
}

/// RONDA_PLOT, else all.
std::vector<Plot> chosen_plots() {
  const char* name = std::getenv("RONDA_PLOT");
  return name == nullptr ? all_plots() : std::vector<Plot>{plot_named(name)};
}

}  // namespace

TEST_CASE("killed at a few of its durable calls and sends an agent goes on where it was", "[whole]") {
  if (!may_trace()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  const unsigned seed = seed_of_run();
  INFO("RONDA_TEST_SEED=" << seed);
  std::mt19937 random(seed);
  std::vector<Plot> plots = chosen_plots();
  if (plots.size() > 1) std::erase_if(plots, [](const Plot& one) { return one.rest > 0s; });
  const Scene scene(plots[random() % plots.size()]);  // another one each time
  std::vector<Point> points;
  std::ranges::sample(find_points(scene, 1000, random), std::back_inserter(points), 5, random);
  check_points(scene, points, 15s);
  check_plant(scene, scene.plot().plants.front());
}

TEST_CASE("killed at each of its durable calls and sends an agent goes on where it was", "[.long]") {
  if (!may_trace()) return skipped("tracing", "there is no strace, or this user may not trace processes here");
  const unsigned seed = seed_of_run();
  INFO("RONDA_TEST_SEED=" << seed);
  std::mt19937 random(seed);
  for (const Plot& plot : chosen_plots()) {
    const Scene scene(plot);
    std::vector<Point> points = find_points(scene, most_points, random);
    std::ranges::shuffle(points, random);  // where time is short, some of each
    check_points(scene, points, 1500s);
  }
}

TEST_CASE("what an agent has forgotten at the end of a plot, or does once more, is found out", "[.long]") {
  for (const Plot& plot : chosen_plots()) {
    const Scene scene(plot);
    for (const Plant& plant : plot.plants) check_plant(scene, plant);
  }
}

TEST_CASE("there are the plots that ctest knows, each with mistakes that it finds", "[whole]") {
  std::string names;
  for (const Plot& plot : all_plots()) {
    names += (names.empty() ? "" : " ") + plot.name;
    INFO(plot.name);
    CHECK_FALSE(plot.plants.empty());
  }
  CHECK(names == RONDA_PLOTS);
}
