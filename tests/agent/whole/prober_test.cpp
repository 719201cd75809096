// SPDX-License-Identifier: Apache-2.0
// New code of a plugin is tried before it takes over: what crashes while it is loaded or made never gets a run.
#include <signal.h>

#include "catch.hpp"
#include "subject_plugin.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

struct Bad {
  std::string name;
  PluginSource source;
  std::string reason;  // part of what is told
};

std::vector<Bad> bad_ones() {
  const std::string boot = "__attribute__((constructor)) static void boot() { ";
  return {{"its entry aborts", subject_whose_entry_aborts(), "SIGABRT"},
          {"a static constructor aborts", subject("2", boot + "std::abort(); }\n"), "SIGABRT"},
          {"a static constructor throws", subject("7", boot + "throw std::runtime_error(\"thrown at load\"); }\n"),
           "an uncaught C++ exception"},
          {"a static constructor exits", subject("3", boot + "std::exit(0); }\n"), "exited with status 0"},
          {"create aborts", subject("4", {}, "std::abort();"), "SIGABRT"},
          {"create throws", subject("5", {}, "throw std::runtime_error(\"it does not want to\");"), "it does not want to"},
          {"a symbol is missing", subject("6", "extern int nowhere();\n", "if (nowhere() == 1) std::abort();"), "nowhere"}};
}

std::string summary_of(const WholeAgent& agent) {
  const json::value one = agent.check("subject");
  return one.is_object() && one.at("summary").is_string() ? std::string(one.at("summary").as_string()) : std::string();
}

int runs_of(const WholeAgent& agent) {
  return agent.get("/v1/explain/subject").at("runs").to_number<int>();
}

bool runs_on(const WholeAgent& agent) {
  const int before = runs_of(agent);
  return eventually([&] { return runs_of(agent) >= before + 2; });
}

}  // namespace

TEST_CASE("a new plugin file whose code does not work is refused at reload, and the old code runs on", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, subject("the first"));
  agent.configure("10.toml", subject_check);
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return summary_of(agent) == "the first"; }));
  const auto generation_of = [&] { return agent.status().at("agent").at("generation").as_int64(); };
  for (const Bad& bad : bad_ones()) {
    INFO(bad.name);
    put_subject(plugins, bad.source);
    const Finished reload = agent.ronda({"reload"});
    INFO(reload.out << reload.err);
    CHECK(reload.code == 1);
    CHECK(reload.out.find(": 1 kept, 0 replaced, 0 added, 0 removed, 1 failed\n") != std::string::npos);
    CHECK(reload.err.find("org.example.subject keeps its running code") != std::string::npos);
    CHECK(reload.err.find(bad.reason) != std::string::npos);
    const Finished why = agent.ronda({"plugin", "why", "org.example.subject"});
    CHECK(why.code == 1);
    CHECK(why.out.find(bad.reason) != std::string::npos);
    const json::value status = agent.status();
    CHECK(status.at("agent").at("state").as_string() == "degraded");
    CHECK(json::serialize(status.at("plugins")).find(bad.reason) != std::string::npos);
    CHECK(agent.ronda({"status"}).code == 1);
    CHECK(runs_on(agent));
    CHECK(summary_of(agent) == "the first");
    CHECK(agent.check_status("subject") == "ok");
  }
  const auto generation = generation_of();
  put_subject(plugins, subject("the next"));
  const Finished taken = agent.ronda({"reload"});
  CHECK(taken.code == 0);
  CHECK(taken.out.find(": 0 kept, 1 replaced, 0 added, 0 removed, 0 failed\n") != std::string::npos);
  CHECK(generation_of() == generation + 1);
  CHECK(eventually([&] { return summary_of(agent) == "the next"; }));
  CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  CHECK(agent.ronda({"plugin", "why", "org.example.subject"}).code == 0);
  CHECK(agent.stop() == 0);
}

TEST_CASE("validate --probe tries every plugin that is used, without an agent", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, subject("good"));
  agent.configure("10.toml", subject_check);
  const Finished good = agent.ronda({"validate", "--probe"});
  INFO(good.out << good.err);
  CHECK(good.code == 0);
  CHECK(good.out.find("valid: ") == 0);
  CHECK(good.out.find("1 plugin tried") != std::string::npos);
  for (const Bad& bad : bad_ones()) {
    INFO(bad.name);
    put_subject(plugins, bad.source);
    CHECK(agent.ronda({"validate"}).code == 0);  // which runs no plugin code
    const Finished tried = agent.ronda({"validate", "--probe"});
    INFO(tried.out << tried.err);
    CHECK(tried.code == 1);
    CHECK(tried.out.find("not valid: ") == 0);
    CHECK(tried.err.find("plugin org.example.subject does not work: subject: ") != std::string::npos);
    CHECK(tried.err.find(bad.reason) != std::string::npos);
    CHECK(json::parse(agent.ronda({"validate", "--probe", "--output", "json"}).out).is_array());
  }
}

TEST_CASE("a plugin that a reload adds, or uses for the first time, is tried too: where it does not work nothing changes", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  agent.configure("10.toml", "[check.other]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/true\"]\n");
  REQUIRE(agent.start());
  const bool lies_there_before = GENERATE(false, true);
  CAPTURE(lies_there_before);
  const Bad bad = bad_ones()[lies_there_before ? 4 : 1];
  put_subject(plugins, bad.source);
  if (lies_there_before) CHECK(agent.ronda({"reload"}).code == 0);  // nobody uses it: no code of it is run
  agent.configure("20.toml", subject_check);
  const Finished refused = agent.ronda({"reload"});
  INFO(refused.out << refused.err);
  CHECK(refused.code == 1);
  CHECK(refused.out.find(": refused, nothing changed: 1 error\n") != std::string::npos);
  CHECK(refused.err.find("20.toml:2:") != std::string::npos);
  CHECK(refused.err.find(bad.reason) != std::string::npos);
  CHECK(agent.check("subject").is_null());
  CHECK(eventually([&] { return agent.check_status("other") == "ok"; }));
  put_subject(plugins, subject("works"));
  const Finished taken = agent.ronda({"reload"});
  INFO(taken.out << taken.err);
  CHECK(taken.code == 0);
  CHECK(taken.out.find(": 1 kept, 0 replaced, 1 added, 0 removed, 0 failed\n") != std::string::npos);
  CHECK(eventually([&] { return summary_of(agent) == "works"; }));
  CHECK(agent.stop() == 0);
}

namespace {

/// Stops one of the agent's readers of plugin files, whichever is met; 0: there was none.
pid_t stop_a_reader(pid_t agent) {
  for (const pid_t pid : descendants(agent)) {
    if (read_file("/proc/" + std::to_string(pid) + "/cmdline").find("--vet-plugin") == std::string::npos) continue;
    if (::kill(pid, SIGSTOP) == 0 && eventually([&] { return is_stopped(pid); }, 200ms)) return pid;
  }
  return 0;
}

}  // namespace

TEST_CASE("while a new plugin file is read at length, what is due runs and who asks is answered", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, subject("runs"));
  agent.configure("10.toml", "[check.subject]\nuse = \"subject.check\"\nevery = \"100ms\"\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return summary_of(agent) == "runs"; }));
  pid_t reader = 0;
  for (int round = 0; round < 20 && reader == 0; ++round) {  // one of sixty lives long enough to be met
    for (int i = 0; i < 60; ++i) {
      const std::string file = "new-" + std::to_string(round) + "-" + std::to_string(i);
      agent.scratch().write("plugins/" + file + ".so", file);
    }
    agent.signal(SIGHUP);
    eventually([&] { return (reader = stop_a_reader(agent.pid())) != 0; }, 1500ms);
  }
  REQUIRE(reader != 0);
  const int before = runs_of(agent);
  CHECK(eventually([&] { return runs_of(agent) >= before + 10; }, 5s));  // the reader has ten seconds, and then the file is refused
  CHECK(is_stopped(reader));
  CHECK(agent.get("/v1/status").at("agent").at("generation").to_number<int>() >= 1);
  ::kill(reader, SIGCONT);
  const Finished reload = agent.ronda({"reload"});
  INFO(reload.out << reload.err);
  CHECK(reload.code == 0);
  CHECK(agent.stop() == 0);
}
