// SPDX-License-Identifier: Apache-2.0
// What an agent does with a host that is not as it should be when it starts, and whom it tells.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "catch.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view one_check = "[check.one]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/true\"]\n";

std::string config_word(const WholeAgent& agent) {
  const json::value status = agent.status();
  const json::value& word = status.at("agent").at("config");
  return word.is_string() ? std::string(word.as_string()) : std::string();
}

}  // namespace

TEST_CASE("a conf.d that is not there or not to be trusted refuses the start, and a reload of it keeps what runs", "[whole]") {
  const bool is_there = GENERATE(false, true);
  CAPTURE(is_there);
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  const std::string away = agent.scratch() / "away";
  const auto spoil = [&] {
    if (is_there)
      ::chmod(agent.config_directory().c_str(), 0777);
    else
      fs::rename(agent.config_directory(), away);
  };
  const auto mend = [&] {
    if (is_there)
      ::chmod(agent.config_directory().c_str(), 0755);
    else
      fs::rename(away, agent.config_directory());
  };
  spoil();
  agent.launch();
  CHECK(agent.wait() == 1);
  CHECK(agent.log().find((is_there ? " error " : " error opening ") + agent.config_directory()) != std::string::npos);
  CHECK(agent.log().find(" error not started: the configuration directory " + agent.config_directory() + " cannot be used\n") !=
        std::string::npos);
  CHECK(agent.log().find("error error:") == std::string::npos);
  mend();
  REQUIRE(agent.start());
  CHECK(config_word(agent).empty());
  spoil();
  CHECK(agent.ronda({"reload"}).code == 1);
  CHECK(agent.status().at("checks").as_array().size() == 1);
  CHECK(agent.status().at("agent").at("state").as_string() == "degraded");
  mend();
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  CHECK(agent.stop() == 0);
}

TEST_CASE("a file that is wrong at the start is told by status until a reload mends it", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  agent.configure("20.toml", "[check.two]\nuse = \"exec.nagios\"\ncommand = 5\n");
  REQUIRE(agent.start());
  CHECK(agent.status().at("agent").at("state").as_string() == "degraded");
  CHECK(config_word(agent).starts_with("1 error in the configuration; the agent runs without what is wrong: "));
  CHECK(config_word(agent).find(agent.config_directory()) != std::string::npos);
  const Finished status = agent.ronda({"status"});
  CHECK(status.code == 1);
  CHECK(status.out.find("  config: 1 error in the configuration; ") != std::string::npos);
  CHECK(agent.log().find(" error " + agent.config_directory() + "/20.toml:3:11: ") != std::string::npos);
  CHECK(agent.log().find("error error:") == std::string::npos);
  agent.configure("20.toml", "");
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(config_word(agent).empty());
  CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  CHECK(agent.stop() == 0);
}

TEST_CASE("what its `enabled` switches off is told by status, and is no fault", "[whole]") {
  WholeAgent agent;
  const std::string off = "enabled = false\nuse = \"exec.nagios\"\ncommand = [\"/bin/true\"]\n";
  agent.configure("10.toml", std::string(one_check) + "[check.off]\n" + off + "[check.more]\n" + off +
                                 "[task.off]\nenabled = false\nuse = \"exec.command\"\ncommand = [\"/bin/true\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("one") == "ok"; }));
  const Finished status = agent.ronda({"status"});
  CHECK(status.code == 0);
  CHECK(status.out.find(", 1 check, 0 tasks\n") != std::string::npos);
  CHECK(status.out.find("\n  switched off: 2 checks, 1 task\n") != std::string::npos);
  const json::value shown = agent.status();
  CHECK(json::serialize(shown.at("agent").at("switched_off")) ==
        R"([{"kind":"check","name":"more"},{"kind":"check","name":"off"},{"kind":"task","name":"off"}])");
  CHECK(shown.at("agent").at("state").as_string() == "ok");
  SECTION("one that is wrong is a fault, and told as that alone") {
    agent.configure("20.toml", "[check.wrong]\nenabled = false\nuse = \"no.such\"\n");
    CHECK(agent.stop() == 0);
    REQUIRE(agent.start());
    const json::value faulty = agent.status();
    CHECK(faulty.at("agent").at("disabled").as_array().size() == 1);
    CHECK(faulty.at("agent").at("switched_off").as_array().size() == 3);
  }
  CHECK(agent.stop() == 0);
}

TEST_CASE("tzdata that is replaced while the agent runs is taken by a reload, and one that broke changes nothing", "[whole]") {
  WholeAgent agent;
  const std::string tzdata = agent.scratch() / "zoneinfo";
  const auto put = [&](const std::string& rules) {
    fs::copy_file(rules, tzdata + "/new", fs::copy_options::overwrite_existing);
    fs::rename(tzdata + "/new", tzdata + "/Europe/Berlin");
  };
  fs::create_directories(tzdata + "/Europe");
  fs::create_directories(tzdata + "/Etc");
  fs::copy_file("/usr/share/zoneinfo/Etc/UTC", tzdata + "/Etc/UTC");
  put("/usr/share/zoneinfo/Asia/Tokyo");
  if (!agent.see_instead(tzdata, "/usr/share/zoneinfo"))
    return skipped("own-mounts", "this user may not mount; clock_test.cpp holds what needs none");
  agent.configure("10.toml",
                  "[task.late]\nuse = \"exec.command\"\nat = \"*-*-* 12:00:00\"\ntz = \"Europe/Berlin\"\ncommand = [\"/bin/true\"]\n");
  REQUIRE(agent.start());
  // reckoned over two clocks: it may be a hair before the full minute
  const auto next_is = [&](const std::string& minute, const std::string& before) {
    const std::string next = json::serialize(agent.get("/v1/explain/late").at("next_run"));
    UNSCOPED_INFO(next);
    return next.find("T" + minute + ":00") != std::string::npos || next.find("T" + before + ":59") != std::string::npos;
  };
  CHECK(next_is("03:00", "02:59"));
  put("/usr/share/zoneinfo/Asia/Kolkata");
  CHECK(agent.ronda({"reload"}).out == "reload #1: 1 kept, 0 replaced, 0 added, 0 removed, 0 failed\n");
  CHECK(next_is("06:30", "06:29"));
  CHECK(agent.log().find("tzdata: other rules for Europe/Berlin; 1 instances are planned anew") != std::string::npos);
  put("/etc/hostname");
  CHECK(agent.ronda({"reload"}).out == "reload #2: 1 kept, 0 replaced, 0 added, 0 removed, 0 failed\n");
  CHECK(next_is("06:30", "06:29"));
  CHECK(agent.log().find("tzdata: Europe/Berlin cannot be read any more; the rules known so far stay") != std::string::npos);
  CHECK(agent.stop() == 0);
}

namespace {

/// The groups that agents make, wherever they are mounted.
std::vector<std::string> groups_of(pid_t agent) {
  std::vector<std::string> out;
  const auto skip = fs::directory_options::skip_permission_denied;
  std::error_code ignored;
  for (auto at = fs::recursive_directory_iterator("/sys/fs/cgroup", skip, ignored); at != fs::recursive_directory_iterator();
       at.increment(ignored)) {
    if (at->path().filename() == "ronda-" + std::to_string(agent)) out.push_back(at->path());
  }
  return out;
}

}  // namespace

TEST_CASE("top outlasts an agent that is restarted, and says meanwhile that there is none", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  const std::string out = agent.scratch() / "top.out", err = agent.scratch() / "top.err";
  const pid_t top = start_program({ronda_program(), "top", "--socket", agent.socket()}, out, err);
  const auto views = [&] {
    const std::string text = read_file(out);
    std::size_t count = 0;
    for (std::size_t at = text.find("  ronda "); at != std::string::npos; at = text.find("  ronda ", at + 1)) ++count;
    return count;
  };
  CHECK(eventually([&] { return views() > 0; }));
  CHECK(agent.stop() == 0);
  CHECK(eventually([&] { return read_file(err).find("no agent answers on") != std::string::npos; }));
  CHECK(eventually([&] { return read_file(err).find("asked again every two seconds until it is back\n") != std::string::npos; }));
  const std::size_t before = views();
  REQUIRE(agent.start());
  CHECK(eventually([&] { return views() > before; }));
  ::kill(top, SIGTERM);
  CHECK(wait_program(top, std::chrono::seconds(30)) == 128 + SIGTERM);
  CHECK(agent.stop() == 0);
}

TEST_CASE("control groups are told by status, go with their agent, and after a kill with the next one's start", "[whole]") {
  WholeAgent agent, next;
  agent.configure("10.toml", "[check.one]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/true\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("one") == "OK" || agent.check_status("one") == "ok"; }));
  const std::string limits(agent.status().at("agent").at("runner_limits").as_string());
  if (limits.find("cgroup") != 0) {
    CHECK(agent.ronda({"status"}).out.find("runners: limited by rlimits, cpu not limited: no control groups: ") != std::string::npos);
    return skipped("control-groups", limits);
  }
  CHECK(agent.ronda({"status"}).out.find("; cgroup v") != std::string::npos);
  const auto first = groups_of(agent.pid());
  CHECK_FALSE(first.empty());
  CHECK(std::ranges::any_of(first, [](const auto& base) { return !fs::is_empty(base) && fs::exists(base + "/1"); }));
  CHECK(agent.stop() == 0);
  CHECK(std::ranges::none_of(first, [](const auto& base) { return fs::exists(base); }));

  REQUIRE(agent.start());
  const auto second = groups_of(agent.pid());
  CHECK_FALSE(second.empty());
  const auto below = descendants(agent.pid());
  agent.kill_hard();
  CHECK(eventually([&] { return std::ranges::none_of(below, is_alive); }));
  REQUIRE(next.start());
  CHECK(std::ranges::none_of(second, [](const auto& base) { return fs::exists(base); }));
}
