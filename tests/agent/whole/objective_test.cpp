// SPDX-License-Identifier: Apache-2.0
// An objective of a whole agent: its budget burns into an incident, a kill neither forgets nor ends that, people see it by
// every door, and what its store holds can be judged again.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

/// Of so strict a promise a second of failure is the budget of days.
constexpr std::string_view configuration = R"([check.door]
use = "exec.nagios"
every = "1s"
command = ["/bin/sh", "-c", "test ! -e OPEN/broken || { echo broken; exit 2; }; echo fine"]
[alert.door-down]
p2 = "door.status == critical"
for = "3s"
[slo.door]
objective = "99.999%"
window = "7d"
good = "door.status == ok"
min_bad = "0s"
title = "The door opens"
[contact.ana]
name = "Ana"
channels = [{ notifier = "paper" }]
[notifier.paper]
use = "command"
command = ["/bin/sh", "-c", "echo $RONDA_EVENT >> OPEN/heard"]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ana"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ana"] }]
)";

std::string with_place(std::string text, const std::string& open) {
  constexpr std::string_view mark = "OPEN";
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += open.size()) text.replace(at, mark.size(), open);
  return text;
}

json::object slo_of(const WholeAgent& agent) {
  const json::value all = agent.get("/v1/slos");
  return all.is_array() && all.as_array().size() == 1 ? all.as_array().front().as_object() : json::object();
}

/// `ronda` as the agent's own user: to root this configuration has an error, a command that would run as root.
Finished as_agent(const WholeAgent& agent, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv;
  if (::geteuid() == 0) argv = {"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"};
  argv.push_back(ronda_program());
  for (const std::string& option : agent.options()) argv.push_back(option);
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::string base = agent.open_directory() + "/said";
  std::filesystem::remove(base + ".out");  // it would be added to
  std::filesystem::remove(base + ".err");
  const pid_t pid = start_program(argv, base + ".out", base + ".err");
  const int code = wait_program(pid, 60s);
  return {code, read_file(base + ".out"), read_file(base + ".err")};
}

std::string level_of(const WholeAgent& agent) {
  const json::object slo = slo_of(agent);
  return slo.contains("level") && slo.at("level").is_string() ? std::string(slo.at("level").as_string()) : std::string();
}

}  // namespace

TEST_CASE("an objective burns into an incident, over a kill, and everybody sees what is left of it", "[whole]") {
  WholeAgent agent;
  if (::geteuid() == 0) agent.become_nobody();
  agent.configure("10.toml", with_place(std::string(configuration), agent.open_directory()));
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("door") == "ok"; }));
  std::ofstream(agent.open_directory() + "/broken") << "yes";
  REQUIRE(eventually([&] { return agent.check_status("door") == "critical"; }));
  REQUIRE(eventually([&] { return level_of(agent) == "p1"; }, 90s));
  CHECK(slo_of(agent).at("incident").is_string());
  const auto budget_left = [&] { return slo_of(agent).at("budget_left").to_number<double>(); };
  REQUIRE(eventually([&] { return budget_left() < 0; }, 90s));  // the page comes before all of it is gone
  std::filesystem::remove(agent.open_directory() + "/broken");
  REQUIRE(eventually([&] { return agent.check_status("door") == "ok"; }));
  std::this_thread::sleep_for(1500ms);  // samples are written within a second

  agent.kill_hard();
  std::filesystem::remove(agent.state_directory() + "/starts");
  REQUIRE(agent.start());
  // the first look after it: what was is read back, else all of the budget would be there again
  REQUIRE(eventually([&] { return slo_of(agent).contains("known") && slo_of(agent).at("known").as_bool(); }, 90s));
  CHECK(level_of(agent) == "p1");
  CHECK(slo_of(agent).at("budget_left").to_number<double>() < 0);

  const Finished slo = agent.ronda({"slo", "door"});
  INFO(slo.out << slo.err);
  CHECK(slo.code == 0);
  CHECK(slo.out.find("99.999% in 7d") != std::string::npos);
  CHECK(slo.out.find("burns") != std::string::npos);
  const Finished list = agent.ronda({"alert", "list", "--firing"});
  CHECK(list.out.find("slo/door") != std::string::npos);
  for (const char* name : {"slo/door", "door"}) {
    const Finished explained = agent.ronda({"explain", name});
    CHECK(explained.code == 0);
    if (std::string_view(name) == "door") continue;  // the check has the name too
    INFO(explained.out);
    CHECK(explained.out.find("burns 14.4 times what 99.999% in 7d allows, in 1h and in 5m") != std::string::npos);
  }
  CHECK(agent.ronda({"status"}).out.find("objectives") != std::string::npos);
  CHECK(agent.ronda({"slo", "nobody"}).code == 2);

  // what each alert fires for, and its state, over the socket
  const json::value rules = agent.get("/v1/rules");
  REQUIRE(rules.is_array());
  REQUIRE(rules.as_array().size() == 2);
  const json::object& of_check = rules.as_array()[0].as_object();
  CHECK(of_check.at("name").as_string() == "door-down");
  CHECK(of_check.at("of").as_string() == "conditions");
  CHECK(of_check.at("checks") == json::array{"door"});
  const json::value only_level = json::object{{"level", "p2"}, {"condition", "door.status == critical"}, {"for", "3s"}, {"clear", nullptr}};
  CHECK(of_check.at("levels") == json::array{only_level});
  CHECK(of_check.at("no_data").as_string() == "unknown");
  CHECK(of_check.at("explain").as_string() == "/v1/explain/door-down");
  const json::object& of_slo = rules.as_array()[1].as_object();
  CHECK(of_slo.at("name").as_string() == "slo/door");
  CHECK(of_slo.at("of").as_string() == "objective");
  CHECK(of_slo.at("levels").as_array().size() == 3);
  CHECK(of_slo.at("state").at("level").as_string() == "p1");
  CHECK(agent.get(of_slo.at("explain").as_string().c_str()).at("name").as_string() == "slo/door");
  const Finished listed = agent.ronda({"rules", "list"});
  INFO(listed.out << listed.err);
  CHECK(listed.code == 0);
  CHECK(listed.out.find("door.status == critical  for 3s") != std::string::npos);

  // what fired is found again in the store, by the rules that stand on disk
  const Finished tested = as_agent(agent, {"rules", "backtest", "door-down", "--since", "1h", "--output", "json"});
  INFO(tested.out << tested.err);
  REQUIRE(tested.code == 0);
  const json::value parsed = json::parse(tested.out);
  const json::array& alerts = parsed.as_object().at("alerts").as_array();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts.front().as_object().at("fired").as_int64() == 1);
  CHECK(alerts.front().as_object().at("results").as_int64() > 5);
  CHECK(as_agent(agent, {"rules", "backtest", "door-up"}).code == 2);
  CHECK(as_agent(agent, {"rules", "backtest", "--since", "yesterday"}).code == 2);
  const Finished burned = as_agent(agent, {"rules", "backtest", "slo/door", "--since", "1h", "--output", "json"});
  INFO(burned.out << burned.err);
  REQUIRE(burned.code == 0);
  const json::value objectives = json::parse(burned.out);
  const json::object& burn = objectives.at("alerts").as_array().front().as_object();
  CHECK(burn.at("fired").as_int64() == 1);
  CHECK(burn.at("reached").at("p1").as_int64() == 1);
  CHECK(burn.at("results").as_int64() > 5);
  CHECK(burn.at("not_known").as_array().empty());
  CHECK(as_agent(agent, {"rules", "backtest", "--from", "2020-01-01 00:00", "--to", "2020-01-02 00:00"}).code == 3);
  CHECK(agent.stop() == 0);
  CHECK(as_agent(agent, {"rules", "backtest", "door-down"}).code == 3);
}
