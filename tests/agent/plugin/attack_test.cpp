// SPDX-License-Identifier: Apache-2.0
// A plugin that was taken over: what it tries against the agent, the host and the kernel is refused, grant by grant.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch.hpp>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "skip.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;

namespace {

/// What an agent keeps to itself: a state file, a directory of plugins, an abstract socket. Not below /tmp, where
/// every plugin may leave files.
class Prey {
 public:
  Prey() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    char name[] = "/dev/shm/ronda-prey-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    root = name;
    ::chmod(name, 0755);
    std::filesystem::create_directory(root + "/plugins");
    std::ofstream(root + "/plugins/kept") << "a plugin";
    std::ofstream(root + "/state") << "the state";
    ::chmod((root + "/state").c_str(), 0600);
    abstract = "ronda-prey-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, abstract.data(), abstract.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + abstract.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket_.get(), 8) == 0);
  }
  Prey(const Prey&) = delete;
  Prey& operator=(const Prey&) = delete;
  ~Prey() { std::filesystem::remove_all(root); }

  bool is_whole() const {
    std::ifstream state(root + "/state"), plugin(root + "/plugins/kept");
    const std::string s{std::istreambuf_iterator<char>(state), {}}, p{std::istreambuf_iterator<char>(plugin), {}};
    const auto files = std::distance(std::filesystem::directory_iterator(root + "/plugins"), {});
    return s == "the state" && p == "a plugin" && files == 1;
  }

  std::string root, abstract;

 private:
  Descriptor socket_;
};

struct Answers {
  std::map<std::string, std::string> by_attempt;
  std::string locked;

  /// Attempts that were not refused as the kernel refuses what is not allowed.
  std::set<std::string> let_through() const {
    std::set<std::string> out;
    for (const auto& [attempt, answer] : by_attempt) {
      if (answer != "EPERM" && answer != "EACCES" && answer != "ENOSYS") out.insert(attempt + " " + answer);
    }
    return out;
  }
};

Answers attack(const std::vector<std::string>& grants, const std::string& runner = RONDA_RUNNER) {
  boost::asio::io_context loop;
  const Prey prey;
  PluginUnderTest plugin;
  plugin.path = RONDA_ATTACK_PLUGIN;
  plugin.id = "org.ronda.attack";
  plugin.kinds = {wire::Kind::check};
  plugin.grants = grants;
  plugin.runner = runner;
  Supervised bench(loop, plugin);
  using plugin::OptionNode;
  const auto text = [](const std::string& value) { return OptionNode(OptionNode::Data(value)); };
  const auto instance = bench.add(wire::Kind::check, "attack.check",
                                  {{"agent", OptionNode(OptionNode::Data(std::int64_t{::getpid()}))},
                                   {"state", text(prey.root + "/state")},
                                   {"directory", text(prey.root + "/plugins")},
                                   {"abstract", text(prey.abstract)}});
  const auto& end = bench.run(instance);
  INFO(end.cause << end.outcome.summary);
  REQUIRE(end.fate == plugin::Fate::finished);
  Answers out;
  std::istringstream lines(end.outcome.detail);
  for (std::string name, answer; lines >> name >> answer;) out.by_attempt[name] = answer;
  REQUIRE(bench.status().runners.size() == 1);
  out.locked = bench.status().runners[0].locked;
  // where nothing but the user stands before it, the same user reaches it
  if (is_root() || runner == RONDA_RUNNER) CHECK(prey.is_whole());
  return out;
}

int landlock_of(const Answers& answers) {
  const auto at = answers.locked.find("landlock ");
  return at == std::string::npos ? 0 : std::atoi(answers.locked.c_str() + at + 9);
}

/// What this kernel, and the lack of a second user, let through besides: decision 0016 names both.
std::set<std::string> expected(std::set<std::string> let_through, const Answers& answers) {
  if (!is_root()) let_through.insert("read-state done");
  if (!is_root() && landlock_of(answers) < 3) let_through.insert("cut-state done");
  if (landlock_of(answers) < 6) let_through.insert("abstract-socket done");
  return let_through;
}

}  // namespace

TEST_CASE("a plugin without grants that was taken over is refused everything it tries", "[plugin]") {
  const Answers answers = attack({});
  CHECK(answers.by_attempt.size() >= 75);
  CHECK_THAT(answers.locked, Catch::StartsWith("seccomp"));
  CHECK(answers.let_through() == expected({}, answers));
}

TEST_CASE("the grants net and db open connections and nothing else", "[plugin]") {
  const auto* grant = GENERATE("net", "db");
  const Answers answers = attack({grant});
  CHECK(answers.let_through() == expected({"connect done", "datagrams done", "abstract-socket done"}, answers));
}

TEST_CASE("the grant files opens what the user may write, and nothing else", "[plugin]") {
  if (!is_root()) return skipped("runner-uid", "with the agent's own user all that the agent keeps is open to it");
  const Answers answers = attack({"files"});
  // the agent's files are another user's: refused as before
  CHECK(answers.let_through() == expected({}, answers));
}

TEST_CASE("who may start programs gains no more than programs need", "[plugin]") {
  if (!is_root()) return skipped("runner-uid", "programs of the agent's own user can do to it what users can do to themselves");
  const Answers answers = attack({"exec"});
  CHECK(answers.locked == "seccomp");
  std::set<std::string> through = answers.let_through();
  // the kernel judges these: whether there are others of this user, whether there is such a device
  std::erase_if(through, [](const std::string& one) { return one.starts_with("kill-everybody ") || one == "quota ENOENT"; });
  CHECK(through == std::set<std::string>{"program done", "program-at-load done", "child done", "connect done", "datagrams done",
                                         "listen done", "listen-local done", "abstract-socket done"});
}

TEST_CASE("a kernel without seccomp and landlock runs plugins all the same, and it is said", "[plugin]") {
  const Answers answers = attack({}, RONDA_OLD_KERNEL);
  CHECK(answers.locked == "no seccomp: Function not implemented, no landlock: Function not implemented");
  CHECK(answers.by_attempt.at("program") == "done");
}

TEST_CASE("a runner that holds secrets is not dumpable, and no runner leaves a core", "[plugin]") {
  boost::asio::io_context loop;
  for (const char* grant : {"secrets", "state"}) {
    INFO(grant);
    PluginUnderTest plugin;
    plugin.grants = {grant};
    Supervised bench(loop, plugin);
    CHECK(bench.run("ok").fate == plugin::Fate::finished);
    const auto below = descendants_of(bench.runner_pid());
    REQUIRE(below.size() == 1);
    const std::string base = "/proc/" + std::to_string(below.front());
    std::ifstream limits(base + "/limits");
    std::string line, core;
    while (std::getline(limits, line)) core = line.starts_with("Max core file size") ? line : core;
    std::istringstream words(core.substr(core.empty() ? 0 : 18));
    std::string soft, hard;
    words >> soft >> hard;
    CHECK(soft == "0");
    CHECK(hard == "0");
    // what is not dumpable is root's in /proc; who changed its user is so anyway
    struct stat info {};
    REQUIRE(::stat((base + "/environ").c_str(), &info) == 0);
    if (std::string_view(grant) == "secrets" || is_root())
      CHECK(info.st_uid == 0);
    else
      CHECK(info.st_uid == ::getuid());
  }
}
