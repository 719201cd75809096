// SPDX-License-Identifier: Apache-2.0
// What surrounds a real agent and could be turned against it: environment, files it makes, programs of its own user.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "catch.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
namespace fs = std::filesystem;

namespace {

std::string program_check(const std::string& name, const std::string& script) {
  return "[check." + name + "]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/sh\", \"-c\", \"" + script + "\"]\n";
}

/// Files and directories below that others than their owner may touch. Staged objects are for other users to read, in a
/// directory that they cannot enter.
std::vector<std::string> open_to_others(const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    struct stat info {};
    if (::lstat(entry.path().c_str(), &info) != 0) continue;
    const bool staged = entry.path().parent_path().filename() == "stage" && (info.st_mode & 0777) == 0555;
    if ((info.st_mode & 077) != 0 && !staged) out.push_back(entry.path());
  }
  return out;
}

}  // namespace

TEST_CASE("what the agent's environment says reaches no runner", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", program_check("one", "exit 0"));
  REQUIRE(agent.start({}, {"LD_LIBRARY_PATH=/tmp/ronda-evil", "GCONV_PATH=/tmp/ronda-evil", "LOCPATH=/tmp/ronda-evil", "TZ=:/etc/shadow",
                           "LD_BIND_NOT=1", "MALLOC_CHECK_=3", "PATH=/tmp/ronda-evil:/usr/bin", "BASH_ENV=/tmp/ronda-evil"}));
  REQUIRE(eventually([&] { return agent.check_status("one") == "ok"; }));
  CHECK(agent.ronda({"status"}).out.find("(seccomp; ") != std::string::npos);  // what holds the runner of exec
  int runners = 0;
  for (const pid_t pid : descendants(agent.pid())) {
    const std::string base = "/proc/" + std::to_string(pid);
    if (read_file(base + "/cmdline").find("ronda-runner") == std::string::npos) continue;
    std::string environment = read_file(base + "/environ");
    if (environment.empty()) continue;  // as nobody: of a runner that holds secrets
    for (char& c : environment) c = c == '\0' ? '\n' : c;
    CHECK(environment == "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLANG=C.UTF-8\nMALLOC_ARENA_MAX=2\n");
    ++runners;
  }
  if (::geteuid() == 0) CHECK(runners >= 1);
}

TEST_CASE("nothing that the agent makes is open to others, whatever mask it is started with", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", program_check("one", "exit 0") + "[check.job]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n");
  const mode_t before = ::umask(0);
  const bool started = agent.start();
  ::umask(before);
  REQUIRE(started);
  REQUIRE(eventually([&] { return agent.check_status("one") == "ok"; }));
  CHECK(agent.ronda({"ping", "job", "start"}).code == 0);
  CHECK(agent.ronda({"state", "backup", agent.scratch() / "backup.db"}).code == 0);
  struct stat info {};
  REQUIRE(::stat(agent.state_directory().c_str(), &info) == 0);
  CHECK((info.st_mode & 077) == 0);
  REQUIRE(::stat((agent.scratch() / "backup.db").c_str(), &info) == 0);
  CHECK((info.st_mode & 077) == 0);
  const auto found = open_to_others(agent.state_directory());
  INFO((found.empty() ? "" : found.front()));
  CHECK(found.empty());
  CHECK(fs::exists(agent.state_directory() + "/ronda.db"));
}

TEST_CASE("a program of the agent's own user gets at neither its memory nor its environment", "[whole]") {
#ifdef RONDA_SANITIZED
  return;
#endif
  if (::geteuid() != 0) return skipped("other-users", "the test itself would be that user");
  WholeAgent agent;
  agent.become_nobody();
  agent.configure("10.toml", program_check("one", "exit 0"));
  REQUIRE(agent.start({}, {"RONDA_TEST_TOKEN=canary"}));
  const std::string base = "/proc/" + std::to_string(agent.pid());
  agent.configure("20.toml", program_check("environment", "test $(id -u) = 65534 || exit 1; cat " + base + "/environ || exit 2") +
                                 program_check("memory", "head -c 1 " + base + "/maps && exit 0; exit 2"));
  REQUIRE(agent.ronda({"reload"}).code == 0);
  CHECK(eventually([&] { return agent.check_status("environment") == "critical"; }));
  CHECK(eventually([&] { return agent.check_status("memory") == "critical"; }));
}
