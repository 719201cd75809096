// SPDX-License-Identifier: Apache-2.0
// What people are told of one run: by explain, status and task run, and that what they are told is so.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "base/text.hpp"
#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a dry run leaves status, alert and incident of a task that failed as they are", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", "[task.fail]\nuse = \"exec.command\"\nseverity = \"p2\"\ncommand = [\"/bin/sh\", \"-c\", \"exit 5\"]\n");
  REQUIRE(agent.start());
  REQUIRE(agent.ronda({"task", "run", "fail"}).code == 1);
  REQUIRE(eventually([&] { return agent.firing("task.fail").contains("level"); }));
  const json::value before = agent.get("/v1/explain/fail");
  const Finished dry = agent.ronda({"task", "run", "fail", "--dry-run"});
  CHECK(dry.code == 0);
  CHECK(has(dry.out, "OK - fail: would run /bin/sh"));
  json::value after = agent.get("/v1/explain/fail");
  REQUIRE(after.is_object());
  for (const char* key : {"status", "summary", "failures", "last_ok", "last_run", "since", "runs", "trail", "metrics"}) {
    INFO(key);
    CHECK(after.at(key) == before.at(key));
  }
  CHECK(after.at("status") == "critical");
  // what the scheduler tells of a result is judged before the answer leaves
  CHECK(agent.firing("task.fail").contains("level"));
  const json::value incidents = agent.get("/v1/incidents");
  REQUIRE(incidents.is_array());
  const auto is_of_task = [](const json::value& one) { return one.at("root") == "task.fail" && one.at("resolved").is_null(); };
  CHECK(std::ranges::count_if(incidents.get_array(), is_of_task) == 1);  // that there is no notifier is another
}

TEST_CASE("explain says of a run without a result that there is none, and why", "[whole]") {
  WholeAgent agent;
  std::filesystem::copy_file(RONDA_BINARY_DIR "/tests/plugins/chaos.so", agent.copy_plugins() + "/chaos.so");
  agent.configure("10.toml",
                  "[check.dies]\nuse = \"chaos.check\"\nmode = \"segv\"\nevery = \"30d\"\n"
                  "[check.cut]\nuse = \"exec.nagios\"\ncommand = [\"/bin/sleep\", \"60\"]\nevery = \"30d\"\ntimeout = \"1s\"\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("dies") == "unknown" && agent.check_status("cut") == "unknown"; }));
  const std::string dies = agent.ronda({"explain", "dies"}).out;
  INFO(dies);
  CHECK(has(dies, "no result: crashed: killed by SIGSEGV"));
  CHECK_FALSE(has(dies, "as the plugin said"));
  // at its deadline, but before it the plugin had said what it knew
  const std::string cut = agent.ronda({"explain", "cut"}).out;
  INFO(cut);
  CHECK(has(cut, "unknown: as the plugin said"));
}

TEST_CASE("explain tells a turn that was not run before the run that came after it", "[whole]") {
  WholeAgent agent;
  const std::string go = agent.open_directory() + "/go";
  agent.configure("10.toml",
                  "[check.often]\nuse = \"exec.nagios\"\nevery = \"1s\"\ntimeout = \"60s\"\n"
                  "command = [\"/bin/sh\", \"-c\", \"until [ -e $0 ]; do sleep 0.1; done; echo well\", \"" +
                      go + "\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.get("/v1/explain/often").at("skips").to_number<int>() >= 1; }));
  std::ofstream(go) << "x";
  json::value explained;
  REQUIRE(eventually([&] {
    explained = agent.get("/v1/explain/often");
    return explained.at("runs").to_number<int>() >= 2 && !explained.at("running").as_bool();
  }));
  INFO(explained);
  const json::array& trail = explained.at("trail").as_array();
  REQUIRE(trail.size() == 5);
  CHECK(has(json::serialize(explained.at("trail")), "not run: its last run still went on"));
  for (std::size_t i = 1; i < trail.size(); ++i) CHECK(trail[i - 1].at("at").as_string() <= trail[i].at("at").as_string());
}

TEST_CASE("status gives the reason of a limit that the summary of a check knows nothing of", "[whole]") {
  WholeAgent agent;
  agent.configure(
      "10.toml",
      "[check.lim]\nuse = \"exec.nagios\"\nevery = \"30d\"\ncommand = [\"/bin/echo\", \"all fine | a=5\"]\nwarn = { a = \"1\" }\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("lim") == "warning"; }));
  const json::value check = agent.check("lim");
  REQUIRE(check.at("reason").is_string());
  const std::string words = "all fine (" + std::string(check.at("reason").as_string()) + ")";
  CHECK(has(agent.ronda({"check", "lim"}).out, "WARNING - lim: " + words));
  const Finished status = agent.ronda({"status"});
  INFO(status.out);
  CHECK(has(status.out, words + "\n"));
}

TEST_CASE("text, JSON and exit code of task run say the same: done, failed, or not known", "[whole]") {
  WholeAgent agent;
  std::filesystem::copy_file(RONDA_BINARY_DIR "/tests/plugins/chaos.so", agent.copy_plugins() + "/chaos.so");
  const std::string use = "use = \"exec.command\"\n";
  agent.configure("10.toml", "[task.does]\n" + use + "command = [\"/bin/echo\", \"well\"]\n[task.fails]\n" + use +
                                 "command = [\"/bin/sh\", \"-c\", \"exit 5\"]\n"
                                 "[task.cut]\nuse = \"chaos.task\"\nmode = \"hang\"\ntimeout = \"1s\"\n");
  REQUIRE(agent.start());
  struct Said {
    std::string name, first_words, status;
    int code;
  };
  for (const Said& said : {Said{"does", "OK - does: well", "ok", 0}, Said{"fails", "CRITICAL - fails: exit code 5", "critical", 1},
                           Said{"cut", "UNKNOWN - cut: outcome unknown: timed out after 1s", "unknown", 3}}) {
    const Finished text = agent.ronda({"task", "run", said.name});
    INFO(text.out);
    CHECK(text.code == said.code);
    CHECK(text.out.starts_with(said.first_words));
    CHECK(has(text.out, "exit_code=") == (said.name != "cut"));
    const Finished answer = agent.ronda({"task", "run", said.name, "--output", "json"});
    INFO(answer.out);
    CHECK(answer.code == said.code);
    const json::value value = json::parse(answer.out);
    CHECK(value.at("exit") == json::value(said.code));
    CHECK(value.at("status") == json::value(said.status));
    CHECK(has(said.first_words + std::string(value.at("summary").as_string()), "outcome unknown: ") == (said.code == 3));
  }
}

TEST_CASE("who asks what a service has to say is told that it is one, and of its checks", "[whole]") {
  WholeAgent agent;
  const std::string one = "use = \"exec.nagios\"\nevery = \"30d\"\ncommand = [\"/bin/true\"]\n";
  agent.configure("10.toml", "[check.page]\n" + one + "[check.till]\n" + one +
                                 "[service.shop]\nchecks = [\"page\", \"till\"]\n[service.bare]\nchecks = []\n");
  REQUIRE(agent.start());
  const Finished shop = agent.ronda({"explain", "shop"});
  INFO(shop.err);
  CHECK(shop.code == 2);
  CHECK(has(shop.err, "; 'shop' is a service, of the checks 'page', 'till'"));
  CHECK(has(agent.ronda({"check", "shop"}).err, "; 'shop' is a service, of the checks 'page', 'till'"));
  CHECK(has(agent.ronda({"explain", "bare"}).err, "; 'bare' is a service"));
  CHECK_FALSE(has(agent.ronda({"explain", "shops"}).err, "is a service"));
}

TEST_CASE("explain tells people the time in the zone of the agent, and programs in UTC", "[whole]") {
  WholeAgent agent;
  agent.configure(
      "10.toml",
      "[agent]\ntz = \"America/Argentina/Buenos_Aires\"\n[check.bad]\nuse = \"exec.nagios\"\nevery = \"1h\"\nseverity = \"p3\"\n"
      "command = [\"/bin/sh\", \"-c\", \"echo no; exit 2\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.firing("bad").contains("level"); }));
  const std::regex in_utc("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"), here("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} -0300");
  const std::string text = agent.ronda({"explain", "bad"}).out;
  INFO(text);
  CHECK_FALSE(std::regex_search(text, in_utc));
  std::istringstream lines(text);
  std::size_t told = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool tells = line.starts_with("since ") || line.starts_with("next run ") || line.starts_with("  2") || line.starts_with("alert ");
    if (tells) CHECK(std::regex_search(line, here));
    told += tells ? 1 : 0;
  }
  CHECK(told == 7);  // since, the next run, four steps and the alert
  const json::value value = json::parse(agent.ronda({"explain", "bad", "--output", "json"}).out);
  CHECK(value.at("since").as_string().ends_with("Z"));
  CHECK(value.at("trail").at(0).at("at").as_string().ends_with("Z"));
}
