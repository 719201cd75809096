// SPDX-License-Identifier: Apache-2.0
// Plugins that misbehave in every way at once must cost nobody else anything: neither time nor results.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>

#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

struct Villain {
  const char *name, *mode;
  int n;
};

// each a plugin of its own, so that none ends what another is at
constexpr std::array<Villain, 8> villains{{{"spin1", "busy", 0},
                                           {"spin2", "busy", 0},
                                           {"hangs", "hang", 0},
                                           {"forks", "fork-bomb", 200},
                                           {"flood", "flood-out", 256},
                                           {"leaks", "leak", 64},
                                           {"crash", "segv", 0},
                                           {"noise", "garbage", 4000}}};
constexpr int good_checks = 50;

/// A copy of chaos under another id, with procedures of its own: of the same length, in every place.
void add_villain(const std::string& plugins, const Villain& villain) {
  std::string bytes = read_file(RONDA_BINARY_DIR "/tests/plugins/chaos.so");
  const std::string_view chaos = "chaos";
  for (std::size_t at = bytes.find(chaos); at != std::string::npos; at = bytes.find(chaos, at))
    bytes.replace(at, chaos.size(), villain.name);
  const std::string path = plugins + "/" + villain.name + ".so";
  std::ofstream(path, std::ios::binary) << bytes;
  ::chmod(path.c_str(), 0644);
}

std::string check_of(const Villain& villain) {
  return "[check." + std::string(villain.name) + "]\nuse = \"" + villain.name + ".check\"\nevery = \"1s\"\ntimeout = \"3s\"\nmode = \"" +
         villain.mode + "\"\nn = " + std::to_string(villain.n) + "\n";
}

/// Seconds since midnight of "2026-11-24T03:04:05.678Z".
double second_of_day(const json::value& instant) {
  const std::string text(instant.as_string());
  return std::stoi(text.substr(11, 2)) * 3600 + std::stoi(text.substr(14, 2)) * 60 + std::stod(text.substr(17, 6));
}

/// Of the runs that the agent itself tells of, by when they were due: from that to their end, without the work, in seconds.
using Waits = std::map<std::string, double>;

void look(const WholeAgent& agent, const std::string& name, Waits& waits) {
  const json::value explained = agent.get("/v1/explain/" + name);
  if (!explained.is_object() || explained.at("running").as_bool()) return;
  const json::array& trail = explained.at("trail").as_array();
  if (trail.size() < 3) return;
  const double took = second_of_day(trail.at(2).at("at")) - second_of_day(trail.at(0).at("at"));
  waits[name + " " + std::string(trail.at(0).at("at").as_string())] =
      (took < -43200 ? took + 86400 : took) - explained.at("duration_s").to_number<double>();
}

}  // namespace

TEST_CASE("while plugins spin, hang, fork, flood, leak, crash and answer garbage, the checks of others are right and on time", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  std::string text;
  for (int i = 0; i < good_checks; ++i)
    text += "[check.good" + std::to_string(i) + "]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/echo\", \"well\"]\n";
  agent.configure("10-good.toml", text);
  text.clear();
  for (const Villain& villain : villains) {
    add_villain(plugins, villain);
    text += check_of(villain);
  }
  agent.configure("20-bad.toml", text);
  REQUIRE(agent.start());
  const pid_t pid = agent.pid();

  // fifty programs and eight runners at once, at the start: a turn may come while the first run still waits for a processor
  std::vector<json::value> skipped_before;
  for (int i = 0; i < good_checks; ++i) {
    const std::string name = "good" + std::to_string(i);
    REQUIRE(eventually([&] { return agent.check_status(name) == "ok"; }));
    skipped_before.push_back(agent.get("/v1/explain/" + name).at("skips"));
  }

  Waits waits;
  std::size_t most_processes = 0;
  const auto until = std::chrono::steady_clock::now() + 25s;
  while (std::chrono::steady_clock::now() < until) {
    for (int i = 0; i < good_checks; ++i) look(agent, "good" + std::to_string(i), waits);
    most_processes = std::max(most_processes, descendants(pid).size());
  }

  CHECK(agent.pid() == pid);
  CHECK(is_alive(pid));
  const json::value status = agent.status();
  REQUIRE(status.is_object());
  CHECK(status.at("agent").at("pid").to_number<pid_t>() == pid);
  for (int i = 0; i < good_checks; ++i) {
    const json::value explained = agent.get("/v1/explain/good" + std::to_string(i));
    INFO(explained);
    CHECK(explained.at("status") == "ok");
    CHECK(explained.at("failures") == 0);
    CHECK(explained.at("skips") == skipped_before[static_cast<std::size_t>(i)]);
  }
  // all runs by schedule, those of the villains too
  const json::value lateness = status.at("agent").at("lateness");
  INFO("as status tells it " << lateness);
  CHECK(lateness.at("samples").to_number<int>() >= 1000);
  CHECK(lateness.at("p99_s").to_number<double>() <= 0.25);
  std::vector<double> sorted;
  for (const auto& [run, wait] : waits) sorted.push_back(wait);
  std::ranges::sort(sorted);
  REQUIRE(sorted.size() >= 300);
  const double p99 = sorted[(sorted.size() - 1) * 99 / 100];
  INFO("of " << sorted.size() << " runs of others p99 " << p99 << " s, at most " << sorted.back() << " s");
  CHECK(p99 <= 0.25);

  // and they were at it
  for (const char* name : {"spin1", "spin2", "hangs"}) {
    INFO(name);
    CHECK(agent.plugin("org.ronda." + std::string(name)).at("trouble").as_string().find("did not come back") != json::string::npos);
  }
  CHECK(agent.plugin("org.ronda.crash").at("deaths").to_number<int>() >= 3);
  CHECK(agent.plugin("org.ronda.noise").at("deaths").to_number<int>() >= 3);
  // it takes as many of its runs as fit into what a runner may have, and with two that spin each of them takes long
  const auto leak_is_told = [&] { return agent.plugin("org.ronda.leaks").at("trouble").is_string(); };
  const bool is_told = eventually(leak_is_told, 60s);
  INFO(agent.plugin("org.ronda.leaks") << "\n" << agent.get("/v1/explain/leaks"));
  CHECK(is_told);
  CHECK(most_processes >= 200);
  CHECK(agent.check("flood").at("status") != "pending");
  CHECK(agent.stop() == 0);
}
