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
    CHECK(tried.err.find("10.toml:1:8: error: check subject cannot be made: plugin org.example.subject: ") != std::string::npos);
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
  CHECK(refused.err.find("20.toml:1:8: error: check subject cannot be made: plugin org.example.subject: ") != std::string::npos);
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

/// Its create refuses whoever has `say = "no"`, in words.
PluginSource picky(const std::string& version, const std::string& refuses = "no") {
  PluginSource source = subject(
      version, {}, "if (ronda::cfg<std::string>(\"say\") == \"" + refuses + "\") throw std::runtime_error(\"it says " + refuses + "\");");
  source.manifest += "  [provides.config]\n  say = { type = \"string\", default = \"yes\", doc = \"what it says\" }\n";
  return source;
}

/// So many checks of the picky plugin, of which those from `wrong` on say no.
std::string picky_checks(int count, int wrong, const std::string& no = "no") {
  std::string out;
  for (int i = 1; i <= count; ++i)
    out += "[check.c" + std::to_string(i) + "]\nuse = \"subject.check\"\nevery = \"1s\"\nsay = \"" +
           (i >= wrong ? no : "yes" + std::to_string(i)) + "\"\n";
  return out;
}

}  // namespace

TEST_CASE("changed options that create refuses change nothing: each is an error at its place, also beside what runs", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, picky("works"));
  agent.configure("10.toml", picky_checks(4, 5));
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("c4") == "ok"; }));
  const auto generation_of = [&] { return agent.status().at("agent").at("generation").as_int64(); };
  const auto generation = generation_of();
  agent.configure("10.toml", picky_checks(4, 3));
  const Finished refused = agent.ronda({"reload"});
  INFO(refused.out << refused.err);
  CHECK(refused.code == 1);
  CHECK(refused.out == "reload #1: refused, nothing changed: 2 errors\n");
  for (const char* told : {"10.toml:9:8: error: check c3 cannot be made: plugin org.example.subject: it says no",
                           "10.toml:13:8: error: check c4 cannot be made: plugin org.example.subject: it says no"})
    CHECK(refused.err.find(told) != std::string::npos);
  CHECK(generation_of() == generation);
  const auto runs = [&] { return agent.get("/v1/explain/c4").at("runs").to_number<int>(); };
  const int before = runs();
  CHECK(eventually([&] { return runs() >= before + 2; }));
  CHECK(agent.check_status("c4") == "ok");
  CHECK(agent.status().at("agent").at("state").as_string() == "degraded");
  agent.configure("10.toml", replaced(picky_checks(4, 5), "1s", "2s"));  // which is no other instance to the plugin
  CHECK(agent.ronda({"reload"}).out == "reload #2: 0 kept, 4 replaced, 0 added, 0 removed, 0 failed\n");
  agent.configure("20.toml", "[check.new]\nuse = \"subject.check\"\nsay = \"no\"\n");
  CHECK(agent.ronda({"reload"}).out == "reload #3: refused, nothing changed: 1 error\n");
  CHECK(agent.check("new").is_null());

  SECTION("new code that refuses what the present code takes is left out, and what changed is tried with the present code") {
    put_subject(plugins, picky("next", "yes2"));
    agent.configure("20.toml", "[check.new]\nuse = \"subject.check\"\nsay = \"well\"\n");
    const Finished kept = agent.ronda({"reload"});
    INFO(kept.out << kept.err);
    CHECK(kept.code == 1);
    CHECK(kept.out == "reload #4: 4 kept, 0 replaced, 1 added, 0 removed, 1 failed\n");
    CHECK(kept.err.find("10.toml:5:8: error: check c2 cannot be made: plugin org.example.subject: it says yes2") != std::string::npos);
    CHECK(kept.err.find("org.example.subject keeps its running code") != std::string::npos);
    CHECK(agent.check_status("c1") == "ok");
    agent.configure("20.toml", "[check.new]\nuse = \"subject.check\"\nsay = \"no\"\n");
    const Finished neither = agent.ronda({"reload"});
    INFO(neither.out << neither.err);
    CHECK(neither.code == 1);
    CHECK(neither.out == "reload #5: refused, nothing changed: 1 error\n");
    CHECK(neither.err.find("20.toml:1:8: error: check new cannot be made: plugin org.example.subject: it says no") != std::string::npos);
  }
  CHECK(agent.stop() == 0);
}

TEST_CASE("what a start could not try by running it is tried beside that, and one that cannot be made is told and holds up nothing",
          "[whole]") {
  WholeAgent agent;
  put_subject(agent.copy_plugins(), picky("works"));
  const std::string waits = "[check.waits]\nuse = \"subject.check\"\nsay = \"no\"\ncron = \"0 3 1 1 *\"\n";
  const std::string runs = "[check.runs]\nuse = \"subject.check\"\nsay = \"no\"\nevery = \"1s\"\n";
  agent.configure("10.toml", waits + runs + picky_checks(1, 2));
  REQUIRE(agent.start());
  const auto config_word = [&] {
    const json::value status = agent.status();
    const json::value& word = status.at("agent").at("config");
    return word.is_string() ? std::string(word.as_string()) : std::string();
  };
  const std::string told = "check waits cannot be made: plugin org.example.subject: it says no";
  CHECK(eventually([&] { return config_word() == "1 instance cannot be made; the first: " + told; }));
  CHECK(agent.log().find(told) != std::string::npos);
  CHECK(agent.status().at("agent").at("state").as_string() == "degraded");
  CHECK(eventually([&] { return !agent.firing("ronda/config").empty(); }));
  CHECK(eventually([&] { return agent.check_status("c1") == "ok"; }));
  CHECK(eventually([&] { return agent.check_status("runs") == "unknown"; }));
  CHECK(std::string(agent.check("runs").at("summary").as_string()).find("it says no") != std::string::npos);
  agent.configure("20.toml", "[check.more]\nuse = \"subject.check\"\n");
  const Finished refused = agent.ronda({"reload"});
  INFO(refused.out << refused.err);
  CHECK(refused.out == "reload #1: refused, nothing changed: 1 error\n");
  CHECK(refused.err.find("10.toml:1:8: error: " + told) != std::string::npos);
  agent.configure("10.toml", replaced(waits, "no", "yes") + runs + picky_checks(1, 2));
  CHECK(agent.ronda({"reload"}).out == "reload #2: 2 kept, 1 replaced, 1 added, 0 removed, 0 failed\n");
  CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  CHECK(eventually([&] { return agent.firing("ronda/config").empty(); }));
  CHECK(agent.stop() == 0);
}

TEST_CASE("validate --probe tries every instance, and names each that cannot be made at its place", "[whole]") {
  WholeAgent agent;
  put_subject(agent.copy_plugins(), picky("works"));
  agent.configure("10.toml", picky_checks(42, 41));
  CHECK(agent.ronda({"validate"}).code == 0);
  const Finished tried = agent.ronda({"validate", "--probe"});
  INFO(tried.out << tried.err);
  CHECK(tried.code == 1);
  CHECK(tried.out.find(": 2 errors, ") != std::string::npos);
  CHECK(tried.err.find("10.toml:161:8: error: check c41 cannot be made") != std::string::npos);
  CHECK(tried.err.find("10.toml:165:8: error: check c42 cannot be made") != std::string::npos);
  agent.configure("10.toml", picky_checks(42, 43));
  CHECK(agent.ronda({"validate", "--probe"}).code == 0);
}

TEST_CASE("a reload tries no more after ten seconds, takes over what is left, and says how many that were", "[whole]") {
  WholeAgent agent;
  put_subject(agent.copy_plugins(), subject("slow", {}, "::usleep(2500000);"));
  agent.configure("10.toml", "[check.other]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/true\"]\n");
  REQUIRE(agent.start());
  agent.configure("20.toml", replaced(picky_checks(8, 9), "say = ", "tags = [] #"));
  const Finished reload = agent.ronda({"reload"});
  INFO(reload.out << reload.err);
  CHECK(reload.code == 0);
  CHECK(reload.out.find("reload #1: 1 kept, 0 replaced, 8 added, 0 removed, 0 failed; ") == 0);
  CHECK(reload.out.find(" not tried before, the time for that was over\n") != std::string::npos);
  CHECK_FALSE(agent.check("c8").is_null());
  CHECK(agent.stop() == 0);
}

TEST_CASE("a plugin whose instances die one after the other is given up, and those that were left are counted", "[whole]") {
  WholeAgent agent;
  const std::string plugins = agent.copy_plugins();
  put_subject(plugins, subject("dies", {}, "std::abort();"));
  agent.configure("10.toml", replaced(picky_checks(7, 8), "say = ", "tags = [] #"));
  const Finished tried = agent.ronda({"validate", "--probe"});
  INFO(tried.out << tried.err);
  CHECK(tried.code == 1);
  CHECK(tried.out.find(": 3 errors, ") != std::string::npos);
  CHECK(tried.err.find("10.toml:9:8: error: check c3 cannot be made: plugin org.example.subject: ") != std::string::npos);
  CHECK(tried.err.find("4 instances more could not be tried") != std::string::npos);
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
