// SPDX-License-Identifier: Apache-2.0
// What people do by hand, on one whole agent: maintenance, another one on call, a test of the way, a dead letter once more;
// and the agent's own sign of life at a real HTTP server.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "sink.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view configuration = R"([check.door]
use = "exec.nagios"
every = "1s"
severity = "p1"
command = ["/bin/sh", "-c", "test ! -e OPEN/broken || { echo broken; exit 2; }; echo fine"]
[notifier.paper]
use = "command"
command = ["/bin/sh", "-c", "echo $RONDA_EVENT $RONDA_TO >> OPEN/heard"]
[notifier.cut]
use = "command"
command = ["/bin/sh", "-c", "test -e OPEN/joined || { echo no line >&2; exit 1; }; echo $RONDA_EVENT $RONDA_TO >> OPEN/heard"]
[contact.ana]
name = "Ana"
channels = [{ notifier = "paper", to = "ana" }]
[contact.bo]
name = "Bo"
channels = [{ notifier = "paper", to = "bo" }, { notifier = "cut", to = "bo-by-night", levels = ["p4"] }]
[contact.cy]
name = "Cy"
[group.all]
members = ["ana", "bo", "cy"]
[oncall.ops]
members = ["ana"]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["ops"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ops"] }]
)";

class House {
 public:
  House() {
    if (::geteuid() == 0) agent_.become_nobody();
    agent_.configure("10.toml", replaced(std::string(configuration), "OPEN", agent_.open_directory()));
  }
  WholeAgent& agent() { return agent_; }
  void put(const std::string& name) const { std::ofstream(agent_.open_directory() + "/" + name) << "yes"; }
  std::size_t heard(const std::string& line) const {
    std::istringstream lines(read_file(agent_.open_directory() + "/heard"));
    std::size_t out = 0;
    for (std::string one; std::getline(lines, one);) out += one == line ? 1 : 0;
    return out;
  }
  void kill_and_start() {
    agent_.kill_hard();
    std::filesystem::remove(agent_.state_directory() + "/starts");
    REQUIRE(agent_.start());
  }
  /// `ronda` as the agent's own user: to root this configuration has an error, a command that would run as root.
  Finished as_own_user(const std::vector<std::string>& words) const {
    std::vector<std::string> argv = {ronda_program()};
    for (const std::string& option : agent_.options()) argv.push_back(option);
    argv.insert(argv.end(), words.begin(), words.end());
    return agent_.run_as_agent(argv);
  }
  Finished show_oncall() const { return as_own_user({"oncall", "show", "ops", "--days", "1"}); }
  bool is_suppressed_by(const std::string& name) const {
    const json::value all = agent_.get("/v1/incidents");
    if (!all.is_array() || all.as_array().size() != 1) return false;
    const json::value& by = all.as_array()[0].at("suppressed_by");
    return by.is_string() && std::string(by.as_string()) == name;
  }

 private:
  WholeAgent agent_;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string text_at(const json::value& object, std::string_view key) {
  return std::string(object.at(json::string_view(key.data(), key.size())).as_string());
}

std::string id_in(const Finished& done) {
  const auto value = json::parse(done.out);
  return std::string(value.at("id").as_string());
}

}  // namespace

TEST_CASE("maintenance hides over a kill, and what is still broken at its end is called", "[whole]") {
  House house;
  WholeAgent& agent = house.agent();
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("door") == "ok"; }));
  CHECK(agent.ronda({"maintenance", "list"}).out == "no maintenance is planned\n");
  const Finished refused = agent.ronda({"maintenance", "start", "2h"});
  CHECK(refused.code == 2);
  CHECK(has(refused.err, "maintenance needs a reason: --reason TEXT"));
  const Finished misnamed = agent.ronda({"maintenance", "start", "2h", "--reason", "x", "--check", "dor"});
  CHECK(misnamed.code == 2);
  CHECK(has(misnamed.err, "did you mean `door`?"));
  CHECK(agent.ronda({"maintenance", "end", "M-00000000"}).code == 2);

  const Finished begun = agent.ronda({"maintenance", "start", "2h", "--reason", "a new lock", "--check", "door", "--output", "json"});
  INFO(begun.err);
  REQUIRE(begun.code == 0);
  const std::string id = id_in(begun);
  CHECK(eventually([&] { return house.heard("update ana") == 1; }));  // that it has begun
  house.put("broken");
  CHECK(eventually([&] { return house.is_suppressed_by("window:" + id); }));
  house.kill_and_start();
  CHECK(eventually([&] { return house.is_suppressed_by("window:" + id); }));
  const Finished listed = agent.ronda({"maintenance", "list"});
  CHECK(has(listed.out, id));
  CHECK(has(listed.out, "active"));
  CHECK(has(listed.out, "a new lock"));
  CHECK(house.heard("open ana") == 0);

  CHECK(agent.ronda({"maintenance", "end", id}).code == 0);
  CHECK(eventually([&] { return house.heard("open ana") == 1; }));
  const Finished again = agent.ronda({"maintenance", "end", id});
  CHECK(again.code == 1);
  CHECK(has(again.err, "has ended already, by unix:"));
  house.kill_and_start();
  CHECK(has(agent.ronda({"maintenance", "list", "--all"}).out, "ended"));
}

TEST_CASE("a window of conf.d is not ended by hand, and where it is to be shortened is said", "[whole]") {
  House house;
  WholeAgent& agent = house.agent();
  agent.configure("30-windows.toml", R"([agent]
tz = "UTC"

[window.always]
at = "*-*-* *:*:00"
lasts = "1h"
owner = "ana"
reason = "a new lock"
)");
  REQUIRE(agent.start());
  const Finished refused = agent.ronda({"maintenance", "end", "alw"});
  INFO(refused.err);
  CHECK(refused.code == 1);
  CHECK(has(refused.err, "ronda: `always` is a window of conf.d ("));
  CHECK(has(refused.err, "/30-windows.toml:4:9), open until "));
  CHECK(has(refused.err, "shorten it there or take it out, then `ronda reload`"));

  // what is planned by hand is in the calendar as what conf.d says is
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()) + std::chrono::days(2));
  char day[16];
  std::snprintf(day, sizeof day, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  const Finished planned =
      agent.ronda({"maintenance", "start", "2h", "--reason", "another lock", "--from", std::string(day) + " 09:00", "--output", "json"});
  INFO(planned.err);
  REQUIRE(planned.code == 0);
  const Finished calendar = house.as_own_user({"calendar"});
  INFO(calendar.out << calendar.err);
  CHECK(calendar.code == 0);
  CHECK(has(calendar.out, std::string(day) + " 09:00:00 +0000  maintenance " + id_in(planned) + ": another lock (2h)\n"));
  CHECK(has(calendar.out, "often: window always "));
}

TEST_CASE("who stands in on call is called, over a kill, until it is undone", "[whole]") {
  House house;
  WholeAgent& agent = house.agent();
  REQUIRE(agent.start());
  CHECK(has(agent.ronda({"oncall", "override", "ops", "bob", "--for", "1h", "--reason", "ill"}).err,
            "there is no contact `bob`; did you mean `bo`?"));
  CHECK(agent.ronda({"oncall", "override", "ops", "bo", "--for", "1h"}).code == 2);
  CHECK(agent.ronda({"oncall", "override", "ops", "bo", "--reason", "ill"}).code == 2);
  const Finished said = agent.ronda({"oncall", "override", "ops", "bo", "--for", "1h", "--reason", "Ana is ill", "--output", "json"});
  INFO(said.err);
  REQUIRE(said.code == 0);
  const std::string id = id_in(said);
  house.kill_and_start();
  const Finished shown = house.show_oncall();
  INFO(shown.out << shown.err);
  CHECK(has(shown.out, "bo (Bo) [override]"));
  CHECK(has(shown.out, "override " + id + ": bo, by unix:"));
  CHECK(has(shown.out, "Ana is ill"));
  const Finished simulated = house.as_own_user({"escalation", "simulate", "p1", "--for", "1m"});
  INFO(simulated.out << simulated.err);
  CHECK(simulated.code == 0);
  CHECK(has(simulated.out, "  bo (Bo), on call by ops [override]: paper bo\n"));
  CHECK_FALSE(has(simulated.out, "ana (Ana)"));
  CHECK(has(simulated.out, "\non call by ops: override " + id + ": bo, by unix:"));
  const Finished after_it = house.as_own_user({"escalation", "simulate", "p1", "--for", "1m", "--at", "2099-01-01 00:00"});
  CHECK(has(after_it.out, "ana (Ana), on call by ops: paper ana\n"));
  CHECK_FALSE(has(after_it.out, "override"));
  const json::value told = json::parse(house.as_own_user({"escalation", "simulate", "p1", "--for", "1m", "--output", "json"}).out);
  REQUIRE(told.at("overrides").as_array().size() == 1);
  CHECK(text_at(told.at("overrides").at(0), "id") == id);
  CHECK(text_at(told.at("told").at(0).at("recipients").at(0), "contact") == "bo");
  // the API says the same of the configuration that runs
  const auto rotas = [&] { return agent.get("/v1/oncall?name=ops&days=1"); };
  REQUIRE(eventually([&] { return rotas().at(0).at("on_call") == json::array{"bo"}; }));  // asked for whole seconds
  const json::value rota = rotas().at(0);
  CHECK(rota.at("overrides").at(0).at("id").as_string() == json::string_view(id));
  CHECK(rota.at("shifts").at(0).at("source").as_string() == "override");
  CHECK(agent.get("/v1/oncall").as_array().size() == 1);
  const json::value now_told = agent.get("/v1/escalation?level=p1&for=10m").at("told").at(0);
  CHECK(now_told.at("recipients").at(0).at("contact").as_string() == "bo");
  CHECK(now_told.at("recipients").at(0).at("channels").at(0).at("to").as_string() == "bo");
  CHECK(agent.ask("GET", "/v1/oncall?name=opz").status == 404);
  CHECK(agent.ask("GET", "/v1/oncall?days=0").status == 400);
  CHECK(agent.ask("GET", "/v1/escalation?level=p5").status == 400);
  CHECK(agent.ask("GET", "/v1/escalation?level=p1&for=400d").status == 400);
  REQUIRE(eventually([&] { return agent.check_status("door") == "ok"; }));
  house.put("broken");
  CHECK(eventually([&] { return house.heard("open bo") == 1; }));
  CHECK(house.heard("open ana") == 0);
  CHECK(agent.ronda({"oncall", "undo", id}).code == 0);
  CHECK_FALSE(has(house.show_oncall().out, "[override]"));
  CHECK(has(house.as_own_user({"escalation", "simulate", "p1", "--for", "1m"}).out, "ana (Ana), on call by ops: paper ana\n"));
}

TEST_CASE("a test goes by each channel and says which one fails; a dead letter is sent once more", "[whole]") {
  House house;
  WholeAgent& agent = house.agent();
  REQUIRE(agent.start());
  const Finished good = agent.ronda({"notify", "test", "ana"});
  INFO(good.out << good.err);
  CHECK(good.code == 0);
  CHECK(has(good.out, "delivered"));
  CHECK(house.heard("test ana") == 1);
  const Finished bad = agent.ronda({"notify", "test", "bo"});
  INFO(bad.out << bad.err);
  CHECK(bad.code == 1);
  CHECK(has(bad.out, "FAILED"));
  CHECK(has(bad.out, "no line"));
  CHECK(house.heard("test bo") == 1);
  CHECK(agent.get("/v1/incidents").as_array().empty());  // who asked was told
  CHECK(has(agent.ronda({"notify", "test", "anna"}).err, "did you mean `ana`?"));
  const Finished group = agent.ronda({"notify", "test", "all"});
  INFO(group.out << group.err);
  CHECK(group.code == 1);  // of bo one way is cut, cy has none
  CHECK(has(group.out, "delivered  ana"));
  CHECK(has(group.out, "FAILED     bo "));
  CHECK(group.err == "ronda: cy has no channel that can be used\n");
  CHECK(house.heard("test ana") == 2);
  CHECK(house.heard("test bo") == 2);
  CHECK(agent.ronda({"notify", "test", "ops"}).code == 0);  // ana is on call
  CHECK(house.heard("test ana") == 3);
  const Finished silent = agent.ronda({"notify", "test", "cy"});
  CHECK(silent.code == 1);
  CHECK(has(silent.err, "cy has no channel that can be used"));
  CHECK(agent.ronda({"notify", "test", "anna"}).code == 2);

  house.put("joined");
  CHECK(has(agent.ronda({"notify", "retry"}).out, "cut"));
  const std::string dead(agent.get("/v1/dead-letters").as_array().at(0).at("id").as_string());
  const Finished revived = agent.ronda({"notify", "retry", dead, "--output", "json"});
  CHECK(json::parse(revived.out) == json::value{{"id", dead}, {"owed", true}});
  CHECK(json::parse(agent.ronda({"notify", "retry", "--all", "--output", "json"}).out).as_object().contains("owed"));
  CHECK(eventually([&] { return house.heard("test bo-by-night") == 2; }));
  CHECK(eventually([&] { return agent.ronda({"notify", "retry"}).out == "there is no dead letter\n"; }));
  CHECK(agent.ronda({"notify", "retry", "test/NOTHING"}).code == 2);
  const Finished none = agent.ronda({"notify", "retry", "test/NOTHING", "--output", "json"});
  CHECK(json::parse(none.out).as_object().contains("error"));
}

TEST_CASE("the agent's sign of life arrives while it runs, stays away while it is stopped, and its loss is an incident", "[whole]") {
  std::atomic<bool> takes = true;
  Sink sink([&](const SinkRequest&) { return http_answer(takes ? 200 : 503); });
  const auto beats = [&] {
    const auto all = sink.requests();
    return std::ranges::count_if(all, [](const SinkRequest& one) { return json::parse(one.body).at("event").as_string() == "heartbeat"; });
  };
  House house;
  WholeAgent& agent = house.agent();
  agent.configure("20.toml",
                  "[agent]\nheartbeat = { notifier = \"watcher\", every = \"1s\" }\n[notifier.watcher]\nuse = \"webhook\"\nurl = \"" +
                      sink.base() + "/beat\"\n");
  REQUIRE(agent.start());
  CHECK(eventually([&] { return beats() >= 3; }));
  CHECK(eventually([&] {
    const json::value status = agent.status();
    return status.is_object() && !status.at("agent").at("heartbeat").at("last_arrived").is_null();
  }));
  agent.signal(SIGSTOP);
  REQUIRE(eventually([&] { return is_stopped(agent.pid()); }));
  std::this_thread::sleep_for(300ms);  // for what was on its way
  const auto before = beats();
  std::this_thread::sleep_for(2500ms);
  CHECK(beats() == before);
  agent.signal(SIGCONT);
  CHECK(eventually([&] { return beats() > before; }));

  takes = false;
  const auto troubled = [&] {
    const json::value all = agent.get("/v1/incidents");
    return all.is_array() && all.as_array().size() == 1 && has(std::string(all.as_array()[0].at("title").as_string()), "heartbeat");
  };
  CHECK(eventually(troubled));
  takes = true;
  CHECK(eventually([&] { return agent.get("/v1/incidents").as_array().empty(); }));
}
