// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
namespace fs = std::filesystem;

namespace {

/// Where a canary was found, among the files of a directory.
std::vector<std::string> places_of(const std::string& canary, const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file() && read_file(entry.path()).find(canary) != std::string::npos)
      out.push_back(entry.path());
  }
  return out;
}

}  // namespace

TEST_CASE("a secret of conf.d is found nowhere but where it was written and where it is needed", "[whole]") {
  // one by reference in an option that is no secret by its type, one inside a dsn, one in the environment of
  // a program
  const std::string by_file = "canary-by-file-71c0", by_dsn = "canary-by-dsn-5e1d",
                    by_env = "canary-by-env-90aa";
  WholeAgent agent;
  const std::string secret = agent.scratch().write("secret/password", by_file);
  ::chmod(secret.c_str(), 0600);
  agent.configure(
      "10.toml", "[check.web]\nuse = \"http.request\"\nevery = \"1s\"\nurl = \"http://user:${file:" + secret +
                     "}@127.0.0.1:1/\"\n"
                     "headers = { Authorization = \"Bearer ${file:" +
                     secret +
                     "}\" }\n\n"
                     "[check.database]\nuse = \"postgresql.connect\"\nevery = \"1s\"\ndsn = \"host=127.0.0.1 "
                     "port=1 user=u password=" +
                     by_dsn +
                     "\"\n\n"
                     "[check.program]\nuse = \"exec.nagios\"\nevery = \"1s\"\nenv = { TOKEN = "
                     "\"${env:RONDA_TEST_TOKEN}\", URL = \"http://h/?token=${env:RONDA_TEST_TOKEN}\" }\n"
                     "command = [\"/bin/sh\", \"-c\", \"test -n \\\"$TOKEN\\\" && echo has it: $TOKEN, $${URL#*=} in $URL; echo $${URL#*=} >&2\"]\n");
  REQUIRE(agent.start({}, {"RONDA_TEST_TOKEN=" + by_env}));
  REQUIRE(eventually([&] {
    return agent.check_status("web") == "critical" && agent.check_status("database") == "critical" &&
           agent.check_status("program") == "ok";
  }));
  // what is shown
  std::string shown = agent.log();
  for (const char* target : {"/v1/status", "/v1/plugins", "/v1/config", "/v1/journal", "/v1/explain/web",
                             "/v1/explain/database", "/v1/explain/program"}) {
    const api::Response response = agent.ask("GET", target);
    CHECK(response.status == 200);
    shown += response.body;
  }
  const std::vector<std::string> with_env_file = {
      "--env-file", agent.scratch().write("secret/env", "RONDA_TEST_TOKEN=" + by_env + "\n")};
  ::chmod((agent.scratch() / "secret/env").c_str(), 0600);
  for (std::vector<std::string> words :
       std::vector<std::vector<std::string>>{{"config", "show"},
                                             {"config", "show", "--output", "json"},
                                             {"config"},
                                             {"validate"},
                                             {"check", "web"},
                                             {"check", "database"},
                                             {"explain", "web"},
                                             {"status"}}) {
    words.insert(words.end(), with_env_file.begin(), with_env_file.end());
    const Finished finished = agent.ronda(words);
    shown += finished.out + finished.err;
  }
  agent.configure("20.toml", "[check.worse]\nuse = \"postgresql.connect\"\ndsn = \"password=" + by_dsn +
                                 " port=x\"\nevery = 5\n");
  CHECK(agent.ronda({"reload"}).code == 1);
  shown += agent.log();
  for (const std::string& canary : {by_file, by_env, by_dsn}) {
    const std::size_t at = shown.find(canary);
    INFO(canary << " is shown: "
                << (at == std::string::npos ? "" : shown.substr(at < 150 ? 0 : at - 150, 300)));
    CHECK(at == std::string::npos);
  }
  // processes
  std::vector<pid_t> all = descendants(agent.pid());
  CHECK(all.size() >= 3);
  for (const pid_t pid : all) {
    const std::string base = "/proc/" + std::to_string(pid);
    const std::string command = read_file(base + "/cmdline"), environment = read_file(base + "/environ");
    INFO(command);
    for (const std::string& canary : {by_file, by_dsn, by_env})
      CHECK(command.find(canary) == std::string::npos);
    for (const std::string& canary : {by_file, by_dsn}) CHECK(environment.find(canary) == std::string::npos);
    if (command.find("ronda-runner") != std::string::npos)
      CHECK(environment.find(by_env) == std::string::npos);
  }
  CHECK(read_file("/proc/" + std::to_string(agent.pid()) + "/cmdline").find("canary") == std::string::npos);
  // what is kept
  CHECK(agent.stop() == 0);
  CHECK(places_of(by_file, agent.state_directory()).empty());
  CHECK(places_of(by_dsn, agent.state_directory()).empty());
  CHECK(places_of(by_env, agent.state_directory()).empty());
  CHECK(agent.log().find("canary") == std::string::npos);
}

TEST_CASE("a rotated secret is taken by reload; one that is gone or open to others is told and changes nothing", "[whole]") {
  WholeAgent agent;
  const std::string file = agent.scratch().write("secret/token", "ten-chars!");
  ::chmod(file.c_str(), 0600);
  agent.configure("10.toml",
                  "[check.counts]\nuse = \"exec.nagios\"\nevery = \"1s\"\n"
                  "command = [\"/bin/sh\", \"-c\", \"printf %s \\\"$TOKEN\\\" | /usr/bin/wc -c\"]\n"
                  "env = { TOKEN = \"${file:" + file + "}\" }\n");
  REQUIRE(agent.start());
  const auto says = [&](const std::string& text) {
    return eventually([&] {
      const json::value one = agent.check("counts");
      return one.is_object() && one.at("summary").is_string() && one.at("summary").as_string() == text;
    });
  };
  REQUIRE(says("10"));
  std::ofstream(file, std::ios::trunc) << "twenty-characters-ok";
  CHECK(agent.ronda({"reload"}).out == "reload #1: 0 kept, 1 replaced, 0 added, 0 removed, 0 failed\n");
  CHECK(says("20"));
  ::chmod(file.c_str(), 0644);
  const Finished open = agent.ronda({"reload"});
  CHECK(open.code == 1);
  CHECK(open.err.find("10.toml:5:") != std::string::npos);
  std::filesystem::remove(file);
  const Finished gone = agent.ronda({"reload"});
  CHECK(gone.code == 1);
  CHECK(gone.err.find("10.toml:5:") != std::string::npos);
  CHECK((open.out + open.err + gone.out + gone.err + agent.log()).find("twenty-char") == std::string::npos);
  CHECK(says("20"));
  CHECK(agent.stop() == 0);
}

TEST_CASE("a secret that is only a part of an option is not shown either", "[whole]") {
  WholeAgent agent;
  const std::string token = agent.scratch().write("secret/token", "canary-token-3f90\n");
  const std::string longer = agent.scratch().write("secret/longer", "canary-token-3f90-and-more");
  ::chmod(token.c_str(), 0600);
  ::chmod(longer.c_str(), 0600);
  // the program says the token alone, as a server does that answers "invalid token ..."
  agent.configure("10.toml",
                  "[check.echo]\nuse = \"exec.nagios\"\nevery = \"1s\"\n"
                  "command = [\"/bin/sh\", \"-c\", \"echo invalid $${A#Bearer }, $${B#key=}, $C; exit 2\"]\n"
                  "env = { A = \"Bearer ${file:" +
                      token + "}\", B = \"key=${file:" + longer + "}\", C = \"literal\" }\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("echo") == "critical"; }));
  CHECK(agent.check("echo").at("summary").as_string() == "invalid ***, ***, literal");
  const Finished tried = agent.ronda({"check", "echo"});
  CHECK((tried.out + tried.err).find("canary") == std::string::npos);
  CHECK(agent.stop() == 0);
  CHECK(places_of("canary-token", agent.state_directory()).empty());
}
