// SPDX-License-Identifier: Apache-2.0
// A plugin is upgraded below an agent whose slots are due or run: its file is renamed into place, and SIGHUP sent.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "skip.hpp"
#include "slot_account.hpp"
#include "store_rows.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

/// What the agent has of the plugin exec now, and the process that runs it; -1: none does.
struct RunningExec {
  std::string sha256;
  pid_t worker = -1;
};

RunningExec running_exec(const WholeAgent& agent) {
  const json::object plugin = agent.plugin("org.ronda.exec");
  RunningExec out;
  if (!plugin.contains("sha256")) return out;
  out.sha256 = std::string(plugin.at("sha256").as_string());
  const json::array& runners = plugin.at("runners").as_array();
  if (!runners.empty()) out.worker = runners.at(0).at("pid").to_number<pid_t>();
  return out;
}

/// Every second second from `first` on, a program that writes down when it begins and when it ends.
std::string each_other_second(const std::string& head, int first, const std::string& takes_s, const std::string& file) {
  return head + "at = \"*-*-* *:*:" + std::to_string(first) + "/2\"\ncommand = [\"/bin/sh\", \"-c\", \"echo begin >>$0; sleep " + takes_s +
         "; echo end >>$0\", \"" + file + "\"]\n\n";
}

std::int64_t lines_that_say(const std::string& path, std::string_view what) {
  std::istringstream in(read_file(path));
  std::int64_t out = 0;
  for (std::string line; std::getline(in, line);) out += line == what ? 1 : 0;
  return out;
}

/// Sleeps until a slot of an even second is due at any moment.
void sleep_almost_to_even_second() {
  const auto now = std::chrono::system_clock::now();
  const auto last = std::chrono::floor<std::chrono::seconds>(now);
  const auto next = last + std::chrono::seconds(last.time_since_epoch().count() % 2 == 0 ? 2 : 1);
  std::this_thread::sleep_for(next - now - 5ms);
}

/// As long as the task's program, and started as often, without an agent: where that takes much longer the machine is busy.
class Neighbour {
 public:
  explicit Neighbour(std::string output)
      : works_([this, output = std::move(output)](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const auto begun = std::chrono::steady_clock::now();
            wait_program(start_program({"/bin/sh", "-c", "sleep 0.6"}, output, output), 60s);
            longest_ = std::max(longest_, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun));
            std::this_thread::sleep_for(400ms);
          }
        }) {}

  double longest_s() {
    works_.request_stop();
    if (works_.joinable()) works_.join();
    return longest_.count();
  }

 private:
  std::chrono::duration<double> longest_{0};
  std::jthread works_;
};

}  // namespace

TEST_CASE("a plugin file renamed into place and taken by SIGHUP while slots are due or run: each slot runs once, to its end", "[whole]") {
  constexpr std::size_t upgrades = 6;
  WholeAgent agent;
  const std::string object = agent.copy_plugins() + "/exec.so", built = read_file(object);
  const std::string even = agent.open_directory() + "/even", odd = agent.open_directory() + "/odd";
  agent.configure("10.toml", each_other_second("[task.even]\nuse = \"exec.command\"\n", 0, "0.6", even) +
                                 each_other_second("[check.odd]\nuse = \"exec.nagios\"\n", 1, "0.4", odd));
  REQUIRE(agent.start());
  const pid_t pid = agent.pid();
  Neighbour neighbour(agent.scratch() / "neighbour");
  int met = 0;
  for (std::size_t upgrade = 1; upgrade <= upgrades; ++upgrade) {
    INFO("upgrade " << upgrade);
    pid_t old_worker = -1;
    REQUIRE(eventually([&] { return is_alive(old_worker = running_exec(agent).worker); }));
    REQUIRE(eventually([&] { return lines_that_say(even, "end") == lines_that_say(even, "begin"); }));
    const std::string before = running_exec(agent).sha256,
                      fresh = agent.scratch().write("plugins/exec.new", built + std::to_string(upgrade));
    const std::int64_t begun = lines_that_say(even, "begin");
    const bool runs = upgrade % 2 == 1;
    if (runs)
      REQUIRE(eventually([&] { return lines_that_say(even, "begin") > begun; }));
    else
      sleep_almost_to_even_second();
    const std::int64_t ended = lines_that_say(even, "end");
    std::filesystem::rename(fresh, object);
    agent.signal(SIGHUP);
    REQUIRE(eventually([&] { return running_exec(agent).sha256 != before; }));
    // the new code is there, and a run of the old one still goes on
    if (runs && lines_that_say(even, "end") == ended) ++met;
    // it ends with that run, and the next slots bring a runner of the new code
    CHECK(eventually([&] { return !is_alive(old_worker); }));
  }
  REQUIRE(eventually([&] { return is_alive(running_exec(agent).worker); }));
  CHECK(agent.pid() == pid);
  CHECK(agent.stop() == 0);
  CHECK(agent.log().find("outcome unknown") == std::string::npos);
  const double longest_s = neighbour.longest_s();
  const bool busy = longest_s > 1;
  if (busy)
    skipped("busy-machine",
            "a program of 0.6 s took " + std::to_string(longest_s) + " s: slots whose run before had not ended are let pass");
  CHECK((busy || met >= 1));
  for (const std::string& name : std::vector<std::string>{"even", "odd"}) {
    const SlotAccount slots = slots_of(agent, name, 2);
    INFO(name << ": "
              << Catch::StringMaker<std::vector<std::string>>::convert(column(
                     agent, "SELECT (scheduled / 1000000000) || ' ' || state || ' ' || outcome FROM slot WHERE name = '" + name +
                                "' UNION SELECT (first / 1000000000) || ' missed ' || reason FROM missed WHERE name = '" + name + "'")));
    CHECK(slots.said.size() + 1 >= upgrades);
    for (const auto& [second, times] : slots.said) {
      INFO("second " << second);
      CHECK(times == 1);
    }
    // with a reason of their own: the run of the slot before had not ended
    const auto skipped_slots = column(agent, "SELECT count(*) FROM slot WHERE state = 3 AND name = '" + name + "'");
    CHECK((slots.others == 0 || (busy && skipped_slots == std::vector<std::string>{std::to_string(slots.others)})));
    CHECK(slots.done + slots.others == static_cast<std::int64_t>(slots.said.size()));
    const std::string& book = name == "even" ? even : odd;
    CHECK(lines_that_say(book, "begin") == slots.done);
    CHECK(lines_that_say(book, "end") == slots.done);
  }
}
