// SPDX-License-Identifier: Apache-2.0
// What the programs of a detached call leave alive stays, whatever becomes of the runner; what the call still waits for does
// not. Daemons that a test has started are ended by it, by their pid.
#include <signal.h>
#include <unistd.h>

#include <catch.hpp>
#include <fstream>

#include "base/clock.hpp"
#include "plugin/cgroups.hpp"
#include "skip.hpp"
#include "supervised.hpp"

using namespace ronda;
using namespace ronda::test;
using plugin::Fate;
using plugin::OptionList;
using plugin::OptionNode;

namespace {

PluginUnderTest exec_plugin(bool detached) {
  PluginUnderTest out;
  out.path = RONDA_PLUGINS "/exec.so";
  out.id = "org.ronda.exec";
  out.kinds = {wire::Kind::check, wire::Kind::task};
  out.grants = {"exec", "secrets", "detached"};
  out.concurrency = detached ? 1 : 16;
  out.detached = detached;
  out.pid_namespace = false;  // as of all with the grant exec
  return out;
}

OptionNode text(std::string value) {
  return OptionNode::Data(std::move(value));
}

std::uint32_t command(Supervised& bench, const std::string& script) {
  OptionList argv = {text("/bin/sh"), text("-c"), text(script)};
  OptionList done = {OptionNode(OptionNode::Data(std::int64_t{0}))};
  return bench.add(wire::Kind::task, "exec.command",
                   {{"command", OptionNode(OptionNode::Data(std::move(argv)))},
                    {"dir", text("/")},
                    {"success_exit", OptionNode(OptionNode::Data(std::move(done)))},
                    {"unchanged_exit", OptionNode(OptionNode::Data(OptionList{}))},
                    {"output_limit", OptionNode(OptionNode::Data(std::int64_t{65536}))}});
}

/// A process in a session of its own; the shell goes on once it is what it will be.
constexpr std::string_view starts_daemon =
    "setsid sleep 600 </dev/null >/dev/null 2>&1 & "
    "until grep -q sleep /proc/$!/comm; do :; done; ";

std::string starts_daemon_and(std::string_view more) {
  return std::string(starts_daemon).append(more);
}

/// Ended with the test, whatever that finds.
class Daemon {
 public:
  explicit Daemon(int pid) : pid_(pid) { REQUIRE(pid > 1); }
  explicit Daemon(const std::string& pid) : Daemon(std::stoi("0" + pid)) {}
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() { ::kill(pid_, SIGKILL); }
  int pid() const { return pid_; }
  bool lives() const { return is_alive(pid_); }

 private:
  int pid_;
};

std::string name_of(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/comm");
  std::string out;
  std::getline(in, out);
  return out;
}

/// A call that goes on: its shell, its sleep, and a daemon that has left them.
struct Running {
  int daemon = -1, shell = -1, sleep = -1;
  bool is_whole() const { return daemon > 0 && shell > 0 && sleep > 0; }
};

Running find_running(int runner) {
  Running out;
  for (const int pid : descendants_of(runner)) {
    const std::string name = name_of(pid);
    if (name == "sh") out.shell = pid;
    if (name == "sleep") (::getpgid(pid) == pid ? out.daemon : out.sleep) = pid;
  }
  return out;
}

}  // namespace

TEST_CASE("what a detached call leaves alive outlives its runner, which takes no other call, and is told", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(true));
  const std::uint32_t instance = command(bench, starts_daemon_and("echo $!"));
  const auto before = wall_clock();
  const auto& end = bench.run(instance);
  REQUIRE(end.fate == Fate::finished);
  const Daemon first(end.outcome.summary);
  REQUIRE(bench.left[instance].size() == 1);
  const plugin::LeftAlive& told = bench.left[instance].front();
  CHECK(told.pid == first.pid());
  CHECK(told.command == "sleep");
  CHECK(std::chrono::abs(std::chrono::nanoseconds(told.started_wall_ns) - before) < 10s);
  CHECK(bench.until([&] { return bench.status().runners.empty(); }, 10s));
  CHECK(first.lives());
  const Daemon second(bench.run(instance).outcome.summary);
  REQUIRE(bench.left[instance].size() == 2);
  CHECK(bench.left[instance].back().pid == second.pid());
  bench.supervisor().retire();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }, 10s));
  CHECK(first.lives());
  CHECK(second.lives());
  CHECK(bench.status().deaths == 0);
}

TEST_CASE("a program that is about to leave its group when its starter ends has the time to", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(true));
  const std::uint32_t instance = command(bench, "(sleep 0.2; exec setsid sleep 600) </dev/null >/dev/null 2>&1 & echo $!");
  const Daemon daemon(bench.run(instance).outcome.summary);
  CHECK(bench.until([&] { return ::getsid(daemon.pid()) == daemon.pid(); }, 10s));
  CHECK(daemon.lives());
}

TEST_CASE("without being detached the same daemon ends with its runner, and nothing is told", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(false));
  const std::uint32_t instance = command(bench, starts_daemon_and("echo $!"));
  const Daemon daemon(bench.run(instance).outcome.summary);
  CHECK(daemon.lives());
  bench.supervisor().retire();
  REQUIRE(bench.until([&] { return bench.supervisor().is_empty(); }, 10s));
  CHECK_FALSE(daemon.lives());
  CHECK(bench.left.empty());
}

TEST_CASE("a detached call that leaves nothing keeps its runner for the next", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(true));
  const std::uint32_t instance = command(bench, "sleep 0.01; echo done");
  CHECK(bench.run(instance).outcome.summary == "done");
  const int runner = bench.runner_pid();
  CHECK(bench.run(instance).outcome.summary == "done");
  CHECK(bench.runner_pid() == runner);
  CHECK(bench.left.empty());
}

TEST_CASE("however a detached call is cut off, its program's group is ended, and the daemon stays and is told", "[plugin]") {
  enum class Cut { at_its_deadline, by_the_stop, with_its_worker, with_its_keeper };
  const Cut cut = GENERATE(Cut::at_its_deadline, Cut::by_the_stop, Cut::with_its_worker, Cut::with_its_keeper);
  INFO("cut " << static_cast<int>(cut));
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(true));
  const std::uint32_t instance = command(bench, starts_daemon_and("sleep 601 & wait"));
  const auto call = bench.dispatch(instance, cut == Cut::at_its_deadline ? 3s : 60s);
  Running running;
  REQUIRE(bench.until([&] { return bench.runner_pid() > 0 && (running = find_running(bench.runner_pid())).is_whole(); }));
  const Daemon daemon(running.daemon);
  const auto workers = descendants_of(bench.runner_pid());
  const int keeper = bench.runner_pid();
  if (cut == Cut::by_the_stop) bench.supervisor().kill_all();
  if (cut == Cut::with_its_worker) {
    for (const int pid : workers) {
      if (name_of(pid) == "ronda-runner") ::kill(pid, SIGKILL);
    }
  }
  if (cut == Cut::with_its_keeper) ::kill(keeper, SIGKILL);
  bench.end_of(call);
  CHECK(bench.until([&] { return !is_alive(running.shell) && !is_alive(running.sleep); }, 5s));
  CHECK(bench.until([&] { return bench.status().runners.empty(); }, 10s));
  CHECK(daemon.lives());
  if (cut == Cut::with_its_keeper) return;  // nobody is left to say it
  REQUIRE(bench.left[instance].size() == 1);
  CHECK(bench.left[instance].front().pid == daemon.pid());
}

TEST_CASE("of nine hundred daemons all stay, and the program among them is ended", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(true));
  constexpr std::size_t count = 900;  // the kernel gives a list of so many children in more than one piece
  const std::uint32_t instance = command(bench,
                                         "i=0; while [ $i -lt 900 ]; do setsid sleep 600 </dev/null >/dev/null 2>&1 & i=$((i+1)); done; "
                                         "sleep 601 & wait");
  const auto call = bench.dispatch(instance, 60s);
  std::vector<std::unique_ptr<Daemon>> daemons;
  int shell = -1, last = -1;
  const auto find_all = [&] {
    std::vector<int> seen;
    shell = last = -1;
    for (const int pid : descendants_of(bench.runner_pid())) {
      const std::string name = name_of(pid);
      if (name == "sh" && ::getpgid(pid) == pid) shell = pid;
      if (name == "sleep") ::getsid(pid) == pid ? seen.push_back(pid) : static_cast<void>(last = pid);
    }
    if (shell < 0 || last < 0 || seen.size() < count) return false;
    for (const int pid : seen) daemons.push_back(std::make_unique<Daemon>(pid));
    return true;
  };
  REQUIRE(bench.until([&] { return bench.runner_pid() > 0 && find_all(); }, 50s));
  bench.supervisor().kill_all();
  bench.end_of(call);
  CHECK(bench.until([&] { return !is_alive(shell) && !is_alive(last); }, 10s));
  CHECK(bench.until([&] { return bench.status().runners.empty(); }, 20s));
  CHECK(daemons.size() == count);
  CHECK(std::ranges::all_of(daemons, &Daemon::lives));
  REQUIRE(bench.left[instance].size() == plugin::left_alive_most);
  for (const auto& told : bench.left[instance])
    CHECK(std::ranges::any_of(daemons, [&](const auto& one) { return one->pid() == told.pid; }));
}

TEST_CASE("of more daemons than are told all stay", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(true));
  const std::uint32_t instance = command(bench,
                                         "i=0; while [ $i -lt 20 ]; do setsid sleep 600 </dev/null >/dev/null 2>&1 & "
                                         "until grep -q sleep /proc/$!/comm; do :; done; echo $!; i=$((i+1)); done");
  std::istringstream pids(bench.run(instance).outcome.detail);
  std::vector<std::unique_ptr<Daemon>> daemons;
  for (int pid = 0; pids >> pid;) daemons.push_back(std::make_unique<Daemon>(pid));
  CHECK(daemons.size() >= 19);
  CHECK(bench.left[instance].size() == plugin::left_alive_most);
  CHECK(bench.until([&] { return bench.status().runners.empty(); }, 10s));
  CHECK(std::ranges::all_of(daemons, &Daemon::lives));
}

TEST_CASE("detached calls run one at a time, so that what is left alive is one call's", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(true));
  const std::uint32_t one = command(bench, starts_daemon_and("echo $!; sleep 0.1")), two = command(bench, starts_daemon_and("echo $!"));
  const auto calls = bench.dispatch_together({one, two});
  const Daemon first(bench.end_of(calls[0]).outcome.summary), second(bench.end_of(calls[1]).outcome.summary);
  REQUIRE(bench.left[one].size() == 1);
  REQUIRE(bench.left[two].size() == 1);
  CHECK(bench.left[one].front().pid == first.pid());
  CHECK(bench.left[two].front().pid == second.pid());
}

TEST_CASE("a name that a program gave itself is told in one line", "[plugin]") {
  boost::asio::io_context loop;
  Supervised bench(loop, exec_plugin(true));
  const std::uint32_t instance =
      command(bench,
              "f=$(mktemp -u); mkfifo $f; "
              "setsid sh -c 'exec 3<>'$f'; rm '$f'; printf \"a) R\\033b\" >/proc/$$/comm; read x <&3' </dev/null >/dev/null 2>&1 & "
              "until grep -q R /proc/$!/comm; do :; done; echo $!");
  const Daemon daemon(bench.run(instance).outcome.summary);
  REQUIRE(bench.left[instance].size() == 1);
  CHECK(bench.left[instance].front().command == "a) R\\x1bb");
  CHECK(text_of(bench.left[instance]) == "a) R\\x1bb (pid " + std::to_string(daemon.pid()) + ")");
}

TEST_CASE("a group of a detached runner goes on without limits, with what is left alive in it", "[plugin]") {
  boost::asio::io_context loop;
  std::vector<std::string> told;
  plugin::Cgroups groups(loop, {.tell = [&](std::string_view line) { told.emplace_back(line); }});
  if (groups.text().find("(memory, pids") == std::string::npos) {
    return skipped("control-groups", groups.text());
  }
  PluginUnderTest limited = exec_plugin(true);
  limited.cgroups = &groups;
  limited.group = {std::int64_t{96} << 20, 64, 0};
  Supervised bench(loop, limited);
  const std::uint32_t instance = command(bench, starts_daemon_and("echo $!"));
  const Daemon daemon(bench.run(instance).outcome.summary);
  REQUIRE(bench.until([&] { return bench.status().runners.empty(); }, 10s));
  CHECK(daemon.lives());
  std::ifstream in("/proc/" + std::to_string(daemon.pid()) + "/cgroup");
  std::vector<std::string> limits;
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (line.find("/ronda-") == std::string::npos) continue;
    const std::string group = "/sys/fs/cgroup/" + line.substr(first + 1, second - first - 1) + line.substr(second + 1);
    for (const char* file : {"/pids.max", "/memory.max", "/memory.limit_in_bytes"}) {
      std::ifstream limit(group + file);
      if (std::string found; std::getline(limit, found)) limits.push_back(found);
    }
  }
  REQUIRE(limits.size() == 2);
  for (const std::string& limit : limits) CHECK((limit == "max" || std::stoll(limit) > std::int64_t{1} << 40));
  CHECK(told.empty());
}
