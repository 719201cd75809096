// SPDX-License-Identifier: Apache-2.0
// why and clear, without an agent and with one.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "program.hpp"

using namespace ronda;
using namespace ronda::test;

TEST_CASE("why shows every step of the loader for a plugin that is used", "[cli]") {
  const TempDir dir;
  const std::string path = build_plugin(dir, "disk");
  const Said by_id = ronda_plugin({"why", "org.example.disk", "--plugins", dir.path()});
  CHECK(by_id.exit_code == 0);
  CHECK(contains(by_id, "org.example.disk 1.0.0 is usable\n1 open"));
  CHECK(contains(by_id, "3 read    sha256 "));
  CHECK(contains(by_id, "4 policy  entry 1, grants: none"));
  CHECK(contains(by_id, "agent     none answers"));
  CHECK(ronda_plugin({"why", path, "--plugins", dir.path()}).text == by_id.text);
}

TEST_CASE("why names the step, the rule and the remedy of a file that is refused", "[cli]") {
  const TempDir dir;
  const std::string path = build_plugin(dir, "disk");
  REQUIRE(::chmod(path.c_str(), 0666) == 0);
  const Said said = ronda_plugin({"why", path, "--plugins", dir.path()});
  CHECK(said.exit_code == 1);
  CHECK(contains(said, "disk.so is refused\n1 open    writable_by_others: "));
  CHECK(contains(said, "remedy    "));
  const auto out = json_of(ronda_plugin({"why", path, "--plugins", dir.path(), "--output", "json"}));
  CHECK(out.at("state") == "refused");
  CHECK(out.at("step") == "open");
  CHECK(out.at("reason") == "writable_by_others");
}

TEST_CASE("why of an id that two files have names both, and no tool takes one of them by chance", "[cli]") {
  const TempDir dir;
  build_plugin(dir, "a");
  const std::string second = build_plugin(dir, "b");
  const Said said = ronda_plugin({"why", second, "--plugins", dir.path()});
  CHECK(said.exit_code == 1);
  CHECK(contains(said, "duplicate_id: has the id 'org.example.disk', as " + (dir / "a.so") + " has"));
  const Said by_id = ronda_plugin({"why", "org.example.disk", "--plugins", dir.path()});
  CHECK(by_id.exit_code == 1);
  CHECK(contains(by_id, (dir / "a.so") + " is refused"));
  CHECK(contains(by_id, second + " is refused"));
  const Said docs = ronda_plugin({"docs", "org.example.disk", "--plugins", dir.path()});
  CHECK(docs.exit_code != 0);
  CHECK(contains(docs,
                 (dir / "a.so") + " has the id 'org.example.disk', as " + second + " has; name the file, or remove one of the two files"));
  CHECK(ronda_plugin({"docs", second, "--plugins", dir.path()}).exit_code == 0);
}

TEST_CASE("why of a file elsewhere judges it and says that no agent uses it", "[cli]") {
  const TempDir dir, other;
  const Said said = ronda_plugin({"why", build_plugin(other, "disk"), "--plugins", dir.path()});
  CHECK(said.exit_code == 0);
  CHECK(contains(said, "is usable"));
  CHECK(contains(said, "note      it is in no plugin directory (" + dir.path() + ")"));
  CHECK(ronda_plugin({"why", other / "none.so", "--plugins", dir.path()}).exit_code == 1);
  CHECK(ronda_plugin({"why", "org.example.nothing", "--plugins", dir.path()}).exit_code == 2);
}

TEST_CASE("clear without an agent is not determined", "[cli]") {
  const Said said = ronda_plugin({"clear", "org.example.disk"});
  CHECK(said.exit_code == 3);
}

namespace {

/// An agent of the test's own, ended with it.
class LocalAgent {
 public:
  LocalAgent(const TempDir& dir, const std::string& plugins) : socket_(dir / "state/ronda.sock") {
    ::mkdir((dir / "state").c_str(), 0700);
    std::vector<std::string> words = {RONDA_PROGRAM, "run",         "--config", dir / "conf.d", "--plugins", plugins,
                                      "--state",     dir / "state", "--socket", socket_,        "--trust",   "/nonexistent/trust.toml"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, (dir / "log").c_str(), O_WRONLY | O_CREAT, 0644);
    posix_spawn_file_actions_adddup2(&quiet, 1, 2);
    if (posix_spawn(&pid_, argv[0], &quiet, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&quiet);
  }
  LocalAgent(const LocalAgent&) = delete;
  LocalAgent& operator=(const LocalAgent&) = delete;
  ~LocalAgent() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
  pid_t pid_ = -1;
};

Said ask(const LocalAgent& agent, std::vector<std::string> words) {
  words.insert(words.begin(), {RONDA_PROGRAM, "plugin"});
  words.insert(words.end(), {"--socket", agent.socket(), "--trust", "/nonexistent/trust.toml"});
  const auto end = cli::run_child(words, {}, std::chrono::seconds(60));
  REQUIRE(end);
  return {end->exit_code, end->output};
}

/// Asks until `part` is in the answer, for a generous while.
Said ask_until(const LocalAgent& agent, const std::vector<std::string>& words, std::string_view part) {
  Said said;
  for (int turn = 0; turn < 300 && !contains(said, part); ++turn) {
    said = ask(agent, words);
    if (!contains(said, part)) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return said;
}

}  // namespace

TEST_CASE("why asks a running agent too: a crashing plugin's trouble is shown, and clear ends its quarantine", "[cli]") {
  const TempDir dir, plugins;
  // a check that crashes when it is run
  PluginSource crashing = PluginSource::with_cpp(R"(#include <ronda/plugin.hpp>
#include <cstdlib>
struct Crash : ronda::check { ronda::result run(ronda::call&) override { std::abort(); } };
RONDA_PLUGIN(Crash)
)");
  crashing.flags = {"-std=c++17", "-I" RONDA_SOURCE_DIR "/sdk/include", "-fvisibility=hidden", "-Wl,-z,now"};
  const std::string path = build_plugin(plugins, "disk", crashing);
  ::mkdir((dir / "conf.d").c_str(), 0755);
  write_file(dir / "conf.d/10.toml", "[check.crash]\nuse = \"disk\"\nevery = \"1s\"\n");
  const LocalAgent agent(dir, plugins.path());

  const Said held = ask_until(agent, {"why", "org.example.disk", "--plugins", plugins.path()}, "SIGABRT");
  INFO(held.text << read_text(dir / "log"));
  CHECK(contains(held, "is usable"));  // the file itself is fine
  CHECK(contains(held, "SIGABRT"));

  const auto out = json_of(ask(agent, {"why", "org.example.disk", "--plugins", plugins.path(), "--output", "json"}));
  CHECK(out.at("agent").is_object());
  CHECK(out.at("agent").at("id") == "org.example.disk");

  const Said cleared = ask(agent, {"clear", "crash"});
  INFO(cleared.text);
  CHECK(cleared.exit_code == 0);
  CHECK(contains(cleared, "the quarantine of crash is over"));
  const Said unknown = ask(agent, {"clear", "no-such-name"});
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown, "no plugin and no instance is named 'no-such-name'"));

  // other code in the file than the agent runs
  PluginSource changed = crashing;
  changed.code += "// another build\nconst char other_build[] __attribute__((used)) = \"2\";\n";
  const TempDir built;
  std::filesystem::rename(build_plugin(built, "disk", changed), path);
  const Said other = ask(agent, {"why", "org.example.disk", "--plugins", plugins.path()});
  CHECK(contains(other, "it runs other code, sha256 "));
}
