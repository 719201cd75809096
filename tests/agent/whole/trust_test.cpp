// SPDX-License-Identifier: Apache-2.0
// What trust.toml gives and takes reaches the process that is started in the end.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "catch.hpp"
#include "skip.hpp"
#include "subject_plugin.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
namespace fs = std::filesystem;

namespace {

std::string summary_of(const WholeAgent& agent, std::string_view check) {
  const json::value one = agent.check(check);
  return one.is_object() && one.at("summary").is_string() ? std::string(one.at("summary").as_string()) : std::string();
}

}  // namespace

TEST_CASE("a set-uid program gains its owner's rights only where trust.toml grants setuid, and a reload takes them back", "[whole]") {
  if (::geteuid() != 0) return skipped("other-users", "nobody but root can make such a program");
  WholeAgent agent;
  const std::string program = agent.open_directory() + "/id";
  fs::copy_file("/usr/bin/id", program);
  REQUIRE(::chmod(program.c_str(), 04755) == 0);
  agent.configure("10.toml", "[check.who]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"" + program + "\", \"-u\"]\n");
  REQUIRE(agent.start());
  const auto is_root = [&] { return summary_of(agent, "who") == "0"; };
  REQUIRE(eventually([&] { return agent.check_status("who") == "ok"; }));
  CHECK_FALSE(is_root());
  const std::string entry = "[plugin.\"org.ronda.exec\"]\n";
  agent.scratch().write("no-trust.toml", entry + "grants = [\"exec\", \"secrets\", \"setuid\"]\n");
  CHECK(agent.ronda({"reload"}).out == "reload #1: 0 kept, 1 replaced, 0 added, 0 removed, 0 failed\n");
  CHECK(eventually(is_root));
  agent.scratch().write("no-trust.toml", entry + "grants = [\"exec\", \"secrets\"]\n");
  CHECK(agent.ronda({"reload"}).out == "reload #2: 0 kept, 1 replaced, 0 added, 0 removed, 0 failed\n");
  CHECK(eventually([&] { return !summary_of(agent, "who").empty() && !is_root(); }));
  agent.scratch().write("no-trust.toml", entry + "grants = [\"exec\"]\n");
  CHECK(agent.ronda({"reload"}).code == 1);  // the manifest needs secrets: that is no wish
  CHECK(agent.stop() == 0);
}

TEST_CASE("a trust.toml that is wrong lets nothing run at a start and changes nothing at a reload, and is told once", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", "[check.one]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/echo\", \"fine\"]\n");
  agent.scratch().write("no-trust.toml", "mode = \"pins\"\n");
  REQUIRE(agent.start());
  const std::string file = agent.scratch() / "no-trust.toml";
  const json::value started = agent.status();
  CHECK(std::string(started.at("agent").at("config").as_string()).starts_with("1 error in the configuration; "));
  CHECK(started.at("checks").as_array().empty());
  CHECK(started.at("plugins").as_array().empty());
  REQUIRE(started.at("agent").at("disabled").as_array().size() == 1);
  const std::string reason(started.at("agent").at("disabled").as_array()[0].at("reason").as_string());
  CHECK(reason.find("10.toml:1:8: error: no plugin may be used while " + file + " has errors") != std::string::npos);
  CHECK(agent.log().find(file + ":1:8: ") != std::string::npos);
  CHECK(agent.log().find("plugin provides") == std::string::npos);
  fs::remove(file);
  CHECK(agent.ronda({"reload"}).out == "reload #1: 0 kept, 0 replaced, 1 added, 0 removed, 0 failed\n");
  REQUIRE(eventually([&] { return summary_of(agent, "one") == "fine"; }));
  agent.scratch().write("no-trust.toml", "mode = \"pins\"\n");
  CHECK(agent.ronda({"reload"}).out == "reload #2: refused, nothing changed: 1 error\n");
  CHECK(agent.ronda({"check", "one"}).code == 0);
  CHECK(agent.stop() == 0);
}

TEST_CASE("a replaced file that wants more than trust.toml gives, or has no pin, is not taken by SIGHUP: the old code runs on", "[whole]") {
  WholeAgent agent;
  const std::string file = agent.copy_plugins() + "/subject.so", plugins = fs::path(file).parent_path();
  put_subject(plugins, subject("narrow"));
  agent.configure("10.toml", subject_check);
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return summary_of(agent, "subject") == "narrow"; }));
  const std::string entry = "[plugin.\"org.example.subject\"]\n";
  const std::string pin = "sha256 = [\"" + std::string(agent.plugin("org.example.subject").at("sha256").as_string()) + "\"]\n";
  auto [trust, reason] = GENERATE_COPY(table<std::string, std::string>({
      {entry + "grants = [\"state\"]\n", "needs the grant 'net', which trust.toml does not give 'org.example.subject'"},
      {entry + pin + "grants = [\"state\"]\n", "is not among the pins of 'org.example.subject'"},
      {entry + pin, "is not among the pins of 'org.example.subject'"},
  }));
  agent.scratch().write("no-trust.toml", trust);
  REQUIRE(agent.ronda({"reload"}).out == "reload #1: 1 kept, 0 replaced, 0 added, 0 removed, 0 failed\n");
  PluginSource wide = subject("wide");
  wide.manifest = replaced(wide.manifest, "needs = [\"state\"]", "needs = [\"state\", \"net\"]");
  put_subject(plugins, wide);
  agent.signal(SIGHUP);
  REQUIRE(eventually([&] { return agent.log().find("reload #2: 1 kept, 0 replaced, 0 added, 0 removed, 1 failed") != std::string::npos; }));
  const std::string log = agent.log();
  const std::size_t at = log.find("reload #2: org.example.subject keeps its running code: " + file);
  REQUIRE(at != std::string::npos);
  CHECK(log.substr(at, log.find('\n', at) - at).find(reason) != std::string::npos);
  const auto runs = [&] { return agent.get("/v1/explain/subject").at("runs").to_number<int>(); };
  const int before = runs();
  CHECK(eventually([&] { return runs() >= before + 2; }));
  CHECK(summary_of(agent, "subject") == "narrow");
  // the owner's word, and only that, lets it in
  agent.scratch().write("no-trust.toml", entry + "grants = [\"state\", \"net\"]\n");
  CHECK(agent.ronda({"reload"}).out == "reload #3: 0 kept, 1 replaced, 0 added, 0 removed, 0 failed\n");
  CHECK(eventually([&] { return summary_of(agent, "subject") == "wide"; }));
  CHECK(agent.stop() == 0);
}

TEST_CASE("code, grants and users that trust.toml takes back are gone with the next reload, and everything else runs on", "[whole]") {
  WholeAgent agent;
  put_subject(agent.copy_plugins(), subject("trusted"));
  const bool is_all_there_is = GENERATE(false, true);
  CAPTURE(is_all_there_is);
  agent.configure("10.toml", std::string(subject_check) + "tz = \"No/Where\"\n");  // idle beside `every`: a warning, then too
  if (!is_all_there_is) agent.configure("20.toml", "[check.other]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/true\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("subject") == "ok"; }));
  const std::string entry = "[plugin.\"org.example.subject\"]\n", kept = is_all_there_is ? "0 kept" : "1 kept";
  const auto [trust, reason] = GENERATE_COPY(table<std::string, std::string>({
      {entry + "sha256 = [\"" + std::string(64, '0') + "\"]\n", "is not among the pins of 'org.example.subject'"},
      {entry + "grants = []\n", "needs the grant 'state', which trust.toml does not give 'org.example.subject'"},
  }));
  agent.scratch().write("no-trust.toml", trust);
  const Finished taken = agent.ronda({"reload"});
  INFO(taken.out << taken.err);
  CHECK(taken.code == 1);
  CHECK(taken.out == "reload #1: " + kept +
                         ", 0 replaced, 0 added, 1 removed, 0 failed; 1 instance disabled, which trust.toml does not allow any more\n");
  CHECK(taken.err.find("10.toml:1:8: ") != std::string::npos);
  CHECK(taken.err.find(reason) != std::string::npos);
  CHECK(agent.check("subject").is_null());
  const auto has_runner = [&] {
    const json::object plugin = agent.plugin("org.example.subject");
    return plugin.contains("runners") && !plugin.at("runners").as_array().empty();
  };
  CHECK(eventually([&] { return !has_runner(); }));
  const json::value status = agent.status();
  CHECK(status.at("agent").at("state").as_string() == "degraded");
  CHECK(std::string(status.at("agent").at("config").as_string()).find("trust.toml takes back what 1 instance had: ") == 0);
  REQUIRE(status.at("agent").at("disabled").as_array().size() == 1);
  CHECK(json::serialize(status.at("agent").at("disabled")).find(reason) != std::string::npos);
  if (!is_all_there_is) CHECK(eventually([&] { return agent.check_status("other") == "ok"; }));
  fs::remove(agent.scratch() / "no-trust.toml");
  CHECK(agent.ronda({"reload"}).out == "reload #2: " + kept + ", 0 replaced, 1 added, 0 removed, 0 failed\n");
  CHECK(eventually([&] { return summary_of(agent, "subject") == "trusted"; }));
  CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  CHECK(agent.stop() == 0);
}

TEST_CASE("code that is kept because its file broke has the grants that trust.toml gives now", "[whole]") {
  if (::geteuid() != 0) return skipped("other-users", "nobody but root can make such a program");
  WholeAgent agent;
  agent.copy_plugins();
  const std::string program = agent.open_directory() + "/id";
  fs::copy_file("/usr/bin/id", program);
  REQUIRE(::chmod(program.c_str(), 04755) == 0);
  agent.configure("10.toml", "[check.who]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"" + program + "\", \"-u\"]\n");
  const std::string entry = "[plugin.\"org.ronda.exec\"]\n";
  agent.scratch().write("no-trust.toml", entry + "grants = [\"exec\", \"secrets\", \"setuid\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return summary_of(agent, "who") == "0"; }));
  agent.scratch().write("plugins/exec.so", "no plugin");
  agent.scratch().write("no-trust.toml", entry + "grants = [\"exec\", \"secrets\"]\n");
  const Finished kept = agent.ronda({"reload"});
  INFO(kept.out << kept.err);
  CHECK(kept.code == 1);
  CHECK(kept.out == "reload #1: 0 kept, 1 replaced, 0 added, 0 removed, 1 failed\n");
  CHECK(eventually([&] { return !summary_of(agent, "who").empty() && summary_of(agent, "who") != "0"; }));
  CHECK(agent.stop() == 0);
}

TEST_CASE("a user that trust.toml takes back is nobody's any more after the next reload", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", "[check.who]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/true\"]\nuser = \"daemon\"\n");
  const std::string entry = "[plugin.\"org.ronda.exec\"]\n";
  agent.scratch().write("no-trust.toml", entry + "users = [\"daemon\"]\n");
  REQUIRE(agent.start());
  REQUIRE_FALSE(agent.check("who").is_null());
  agent.scratch().write("no-trust.toml", entry + "users = [\"games\"]\n");
  const Finished taken = agent.ronda({"reload"});
  INFO(taken.out << taken.err);
  CHECK(taken.code == 1);
  CHECK(taken.out.find(": 0 kept, 0 replaced, 0 added, 1 removed, 0 failed; 1 instance disabled") != std::string::npos);
  CHECK(taken.err.find("check who is disabled: user \"daemon\" is not allowed for plugin org.ronda.exec") != std::string::npos);
  CHECK(agent.check("who").is_null());
  CHECK(agent.stop() == 0);
}

TEST_CASE("what is not enabled has nothing that trust.toml could take back: a warning, at a reload as at a start", "[whole]") {
  WholeAgent agent;
  put_subject(agent.copy_plugins(), subject("trusted"));
  agent.configure("10.toml", "[check.other]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/true\"]\n");
  // of the plugin nothing else is there; and a user is one that another instance goes on with
  const std::string off = replaced(std::string(subject_check), "use = ", "enabled = false\nuse = ");
  REQUIRE(off != subject_check);
  agent.configure("20.toml", off);
  agent.configure("30.toml",
                  "[check.who]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/true\"]\nuser = \"daemon\"\nenabled = false\n");
  const std::string users = "[plugin.\"org.ronda.exec\"]\nusers = [\"daemon\"]\n";
  agent.scratch().write("no-trust.toml", users);
  REQUIRE(agent.start());
  const auto is_well = [&] {
    const json::value status = agent.status();
    INFO(json::serialize(status.at("agent")));
    CHECK(status.at("agent").at("config").is_null());
    CHECK(status.at("agent").at("disabled").as_array().empty());
    CHECK(status.at("agent").at("switched_off").as_array().size() == 2);
    CHECK(agent.firing("ronda/config").empty());
  };
  is_well();
  const auto [trust, reason, place] = GENERATE_COPY(table<std::string, std::string, std::string>({
      {users + "[plugin.\"org.example.subject\"]\nsha256 = [\"" + std::string(64, '0') + "\"]\n",
       "is not among the pins of 'org.example.subject'", "20.toml:"},
      {"[plugin.\"org.ronda.exec\"]\nusers = [\"games\"]\n", "user \"daemon\" is not allowed for plugin org.ronda.exec", "30.toml:"},
  }));
  agent.scratch().write("no-trust.toml", trust);
  // the first reload takes it back, the second never had it, and nor has a start
  for (const char* number : {"1", "2"}) {
    const Finished taken = agent.ronda({"reload"});
    INFO(taken.out << taken.err);
    CHECK(taken.code == 0);
    CHECK(taken.out == "reload #" + std::string(number) + ": 1 kept, 0 replaced, 0 added, 0 removed, 0 failed\n");
    CHECK(taken.err.find(place) != std::string::npos);
    CHECK(taken.err.find(": warning: ") != std::string::npos);
    CHECK(taken.err.find(reason) != std::string::npos);
    is_well();
  }
  CHECK(agent.stop() == 0);
  REQUIRE(agent.start());
  is_well();
  // and it is an error of what is to run
  for (const char* file : {"20.toml", "30.toml"}) {
    const std::string text = read_file(agent.config_directory() + "/" + file);
    agent.configure(file, replaced(text, "enabled = false\n", ""));
  }
  const Finished enabled = agent.ronda({"reload"});
  INFO(enabled.err);
  CHECK(enabled.out.find(": refused, nothing changed: ") != std::string::npos);
  CHECK(enabled.err.find(reason) != std::string::npos);
  CHECK(agent.stop() == 0);
}
