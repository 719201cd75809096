// SPDX-License-Identifier: Apache-2.0
// The agent when what is around it fails: descriptors, processes, time, whoever reads its log, its own starts.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "notify_socket.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string appends(std::string_view kind, const std::string& name, const std::string& when, const WholeAgent& agent) {
  const std::string use = kind == "task" ? "exec.command" : "exec.nagios";
  return "[" + std::string(kind) + "." + name + "]\nuse = \"" + use + "\"\n" + when +
         "\ncommand = [\"/bin/sh\", \"-c\", \"echo ran >>$0\", \"" + agent.open_directory() + "/" + name + "\"]\n\n";
}

std::size_t lines_of(const WholeAgent& agent, const std::string& name) {
  const std::string text = read_file(agent.open_directory() + "/" + name);
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

std::size_t count_in(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// Limits of a process that runs; only the soft one, which its own user may raise again.
void limit(pid_t pid, __rlimit_resource what, rlim_t soft) {
  rlimit now{};
  REQUIRE(::prlimit(pid, what, nullptr, &now) == 0);
  now.rlim_cur = soft;
  REQUIRE(::prlimit(pid, what, &now, nullptr) == 0);
}

/// Its runners, and what these started, end now.
void end_runners(const WholeAgent& agent) {
  for (const pid_t one : descendants(agent.pid())) ::kill(one, SIGKILL);
}

/// The lowest number that is no descriptor of the process.
int lowest_free_descriptor(pid_t pid) {
  std::set<int> used;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"))
    used.insert(std::stoi(entry.path().filename()));
  int number = 0;
  while (used.contains(number)) ++number;
  return number;
}

/// How many processes its user may have before the agent is refused another. Set by that user: root may lack the right.
void limit_processes(const WholeAgent& agent, const std::string& soft) {
  std::vector<std::string> argv;
  if (::geteuid() == 0) argv = {"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"};
  argv.insert(argv.end(), {"/usr/bin/prlimit", "--pid", std::to_string(agent.pid()), "--nproc=" + soft + ":"});
  REQUIRE(wait_program(start_program(argv, "/dev/null", "/dev/null"), 10s) == 0);
}

/// A client that has asked something and may go on to ask: it holds its connection.
class Held {
 public:
  explicit Held(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    constexpr std::string_view request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    REQUIRE(::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
    char answer[1024];
    REQUIRE(::recv(socket_.get(), answer, sizeof answer, 0) > 0);
  }

 private:
  Descriptor socket_;
};

void no_core_files() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

bool in_safe_mode(const WholeAgent& agent) {
  return agent.status().at("agent").at("safe_mode").as_bool();
}

/// Starts it and lets it end by itself; how long the start took.
double start_and_crash(WholeAgent& agent, int signal) {
  const auto began = Clock::now();
  REQUIRE(agent.start());
  const double took = seconds_since(began);
  agent.signal(signal);
  REQUIRE(agent.wait() == 128 + signal);
  return took;
}

}  // namespace

TEST_CASE("after five quick ends in a row checks run and no task does, until an operator says so", "[whole]") {
  no_core_files();
  WholeAgent agent;
  agent.configure("10.toml",
                  appends("check", "looks", "every = \"1s\"", agent) + appends("task", "changes", "at = \"*-*-* *:*:*\"", agent));
  double quickest = 1e9;
  for (int i = 0; i < 3; ++i) quickest = std::min(quickest, start_and_crash(agent, i % 2 == 0 ? SIGKILL : SIGSEGV));
  // one that is told to stop, or may not start, says nothing about the others
  REQUIRE(agent.start());
  CHECK(agent.ronda({"run"}).code == 1);
  CHECK(agent.stop() == 0);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(agent.start());
    CHECK_FALSE(in_safe_mode(agent));
    agent.signal(SIGABRT);
    REQUIRE(agent.wait() == 128 + SIGABRT);
  }

  const auto began = Clock::now();
  REQUIRE(agent.start());
  quickest = std::min(quickest, seconds_since(began));
  double plain = 0;  // of one that has not ended yet, once that was tried
  for (int i = 0; i < 20 && quickest > std::max(1.0, plain); ++i) {  // this machine may be busy: the best counts
    WholeAgent other;
    other.configure("10.toml", appends("check", "looks", "every = \"1s\"", other));
    auto again = Clock::now();
    REQUIRE(other.start());
    const double took = seconds_since(again);
    plain = i == 0 ? took : std::min(plain, took);
    CHECK(other.stop() == 0);
    CHECK(agent.stop() == 0);
    again = Clock::now();
    REQUIRE(agent.start());
    quickest = std::min(quickest, seconds_since(again));
  }
  CHECK(quickest <= std::max(1.0, 1.5 * plain));
  CHECK(in_safe_mode(agent));
  const std::size_t tasks = lines_of(agent, "changes"), checks = lines_of(agent, "looks");
  REQUIRE(eventually([&] { return agent.get("/v1/explain/changes").at("skips").to_number<int>() >= 2; }));
  CHECK(lines_of(agent, "changes") == tasks);
  CHECK(eventually([&] { return lines_of(agent, "looks") >= checks + 2; }));
  CHECK(agent.status().at("agent").at("state").as_string() == "degraded");
  const Finished told = agent.ronda({"status"});
  CHECK(told.out.find("safe mode: no task runs by itself: 5 times in a row the agent ended by itself within a minute of its start; "
                      "'ronda safe-mode leave' ends this") != std::string::npos);
  CHECK(agent.ask("GET", "/v1/journal").body.find("agent.safe_mode") != std::string::npos);

  SECTION("a crash in it, and a restart, keep it") {
    agent.kill_hard();
    REQUIRE(agent.start());
    CHECK(in_safe_mode(agent));
    CHECK(agent.stop() == 0);
    REQUIRE(agent.start());
    CHECK(in_safe_mode(agent));
  }
  SECTION("an operator ends it, and the count begins anew") {
    CHECK(agent.ronda({"safe-mode"}).code == 2);
    const Finished left = agent.ronda({"safe-mode", "leave"});
    CHECK(left.code == 0);
    CHECK(left.out == "safe mode is over; tasks run by their schedule again\n");
    CHECK_FALSE(in_safe_mode(agent));
    CHECK(eventually([&] { return lines_of(agent, "changes") > tasks; }));
    CHECK(agent.ronda({"safe-mode", "leave"}).err.find("the agent is not in safe mode") != std::string::npos);
    agent.kill_hard();
    for (int i = 0; i < 4; ++i) start_and_crash(agent, SIGKILL);
    REQUIRE(agent.start());
    CHECK_FALSE(in_safe_mode(agent));
  }
  SECTION("nor does a store that cannot be read keep it from being counted") {
    agent.kill_hard();
    for (const char* file : {"ronda.db", "ronda.db-wal"}) std::filesystem::resize_file(agent.state_directory() + "/" + file, 100);
    REQUIRE(agent.start());
    CHECK(in_safe_mode(agent));
    CHECK(agent.log().find("set aside") != std::string::npos);
  }
}

TEST_CASE("a life of more than a minute is well: what ended before it counts no more", "[.long]") {
  WholeAgent agent;
  agent.configure("10.toml", appends("check", "looks", "every = \"1s\"", agent));
  for (int i = 0; i < 5; ++i) start_and_crash(agent, SIGKILL);
  REQUIRE(agent.start());
  REQUIRE(in_safe_mode(agent));
  REQUIRE(eventually([&] { return agent.log().find("well for a minute") != std::string::npos; }, 90s));
  CHECK(in_safe_mode(agent));  // for this life
  agent.kill_hard();
  REQUIRE(agent.start());
  CHECK_FALSE(in_safe_mode(agent));
}

TEST_CASE("a calendar file that changes is taken within two minutes without a reload, and one that is cut short is told", "[.long]") {
  WholeAgent agent;
  const std::string file = agent.scratch() / "turns.ics";
  const auto says = [&](const std::string& who, const std::string& end = "END:VCALENDAR\n") {
    std::ofstream(file) << "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:" + who +
                               "\nDTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY\nEND:VEVENT\n" + end;
  };
  const auto on_call = [&] { return json::serialize(agent.get("/v1/oncall").as_array().at(0).at("on_call")); };
  const auto is_logged = [&](const std::string& text) { return agent.log().find(text) != std::string::npos; };
  says("ana");
  const std::string contacts = "[contact.ana]\n[contact.bo]\n" + appends("check", "looks", "every = \"30s\"", agent);
  agent.configure("10.toml", contacts + "[oncall.ops]\ntz = \"UTC\"\nical = \"" + file + "\"\n");
  REQUIRE(agent.start());
  CHECK(on_call() == R"(["ana"])");
  const std::string before = json::serialize(agent.status().at("agent").at("generation"));
  agent.configure("20.toml", "what is being written\n");
  says("bo");
  REQUIRE(eventually([&] { return on_call() == R"(["bo"])"; }, 180s));
  CHECK(is_logged("oncall ops: " + file + " has changed and is taken: bo is on call until "));
  CHECK(json::serialize(agent.status().at("agent").at("generation")) == before);
  CHECK_FALSE(is_logged("reload #"));
  says("ana", "");
  REQUIRE(eventually([&] { return is_logged("it is cut off: END:VCALENDAR is missing; its turns from before stay"); }, 180s));
  CHECK(on_call() == R"(["bo"])");
  CHECK(eventually([&] { return json::serialize(agent.get("/v1/alerts")).find("it is cut off") != std::string::npos; }));
  agent.configure("20.toml", "");
  says("ana");
  REQUIRE(agent.ronda({"reload"}).code == 0);
  CHECK(on_call() == R"(["ana"])");
  CHECK(json::serialize(agent.get("/v1/alerts")).find("it is cut off") == std::string::npos);
}

TEST_CASE("told to stop at any moment it is gone within ten seconds, with all it started, and its state is whole", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", "[check.slow]\nuse = \"exec.nagios\"\nevery = \"1s\"\ncommand = [\"/bin/sh\", \"-c\", \"sleep 0.4\"]\n" +
                                 appends("check", "quick", "every = \"1s\"", agent) +
                                 appends("task", "slot", "at = \"*-*-* *:*:*\"", agent));
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 9; ++round) {
    REQUIRE(agent.start());
    pid_t asks = -1;
    if (round % 3 == 0) agent.signal(SIGHUP);
    if (round % 3 == 1) {
      asks = start_program(
          {ronda_program(), "--socket", agent.socket(), "state", "backup", agent.scratch() / ("copy" + std::to_string(round))},
          agent.scratch() / "out", agent.scratch() / "err");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(0, 600)(random)));
    const std::vector<pid_t> below = descendants(agent.pid());
    agent.signal(SIGTERM);
    CHECK(agent.wait(10s) == 0);
    CHECK(eventually([&] { return std::ranges::none_of(below, is_alive); }, 2s));
    if (asks > 0) CHECK(wait_program(asks, 10s) != -1);
  }
  REQUIRE(agent.start());
  CHECK_FALSE(in_safe_mode(agent));
  CHECK(agent.status().at("agent").at("state").as_string() == "ok");
  CHECK(agent.log().find("set aside") == std::string::npos);
  CHECK(agent.log().find("outcome unknown") == std::string::npos);  // every task that ran was waited for
}

TEST_CASE("without a free descriptor it says so, turns clients away, starts nothing, and recovers", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", appends("check", "often", "every = \"1s\"", agent));
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("often") == "ok"; }));
  const rlim_t before = [&] {
    rlimit now{};
    ::prlimit(agent.pid(), RLIMIT_NOFILE, nullptr, &now);
    return now.rlim_cur;
  }();

  // every number up to the limit is in use: the clients fill the gaps
  std::vector<std::unique_ptr<Held>> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(std::make_unique<Held>(agent.socket()));
  limit(agent.pid(), RLIMIT_NOFILE, static_cast<rlim_t>(lowest_free_descriptor(agent.pid())));
  for (int i = 0; i < 3; ++i) {
    const api::Response refused = agent.ask("GET", "/v1/status");
    CHECK(refused.status == 503);
    CHECK(refused.body.find("the agent has no descriptor left") != std::string::npos);
  }
  const Finished status = agent.ronda({"status"});
  CHECK(status.code == 3);
  CHECK(status.err.find("no descriptor left") != std::string::npos);
  CHECK(count_in(agent.log(), "no descriptor is left") == 1);

  // not one for a runner either, nor for a reload
  limit(agent.pid(), RLIMIT_NOFILE, 8);
  end_runners(agent);
  CHECK(eventually([&] { return agent.log().find("Too many open files") != std::string::npos; }));
  agent.signal(SIGHUP);
  CHECK(eventually([&] { return agent.log().find("reload #1: refused") != std::string::npos; }));
  CHECK(is_alive(agent.pid()));
  CHECK(count_in(agent.log(), "no descriptor is left") == 1);

  const auto lines = lines_of(agent, "often");
  limit(agent.pid(), RLIMIT_NOFILE, before);
  clients.clear();
  CHECK(eventually([&] { return agent.answers(); }));
  CHECK(eventually([&] { return lines_of(agent, "often") > lines && agent.check_status("often") == "ok"; }));
  CHECK(agent.ronda({"reload"}).code == 0);
  CHECK(agent.ronda({"check", "often"}).code == 0);
  // what could not be watched was not left behind
  for (const pid_t one : descendants(agent.pid())) CHECK(is_alive(one));
  CHECK(agent.stop() == 0);
}

TEST_CASE("where no process can be started a run ends as spawn-failed, and is tried again ever later", "[whole]") {
  WholeAgent agent;
  if (::geteuid() == 0) agent.become_nobody();  // root has no such limit
  agent.configure("10.toml", "[check.one]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/echo\", \"fine\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.check_status("one") == "ok"; }));
  const std::string limits = read_file("/proc/" + std::to_string(agent.pid()) + "/limits");
  std::istringstream line(limits.substr(limits.find("Max processes") + 13));
  std::string before;
  line >> before;
  limit_processes(agent, "0");
  end_runners(agent);
  REQUIRE(eventually([&] { return descendants(agent.pid()).empty(); }));

  const auto began = Clock::now();
  for (int i = 0; i < 3; ++i) {
    const Finished failed = agent.ronda({"check", "one"});
    CHECK(failed.code == 3);
    CHECK(failed.out.find("spawn-failed: ") != std::string::npos);
    CHECK(failed.out.find("Resource temporarily unavailable") != std::string::npos);
  }
  // the first at once after the death of the runner, the others 1 and 2 seconds after the one before
  CHECK(seconds_since(began) >= 2.9);
  const json::value explained = agent.get("/v1/explain/one");
  CHECK(json::serialize(explained).find("spawn-failed") != std::string::npos);
  CHECK(json::serialize(agent.get("/v1/plugins")).find("quarantined\":true") == std::string::npos);

  limit_processes(agent, before);
  CHECK(eventually([&] { return agent.ronda({"check", "one"}).code == 0; }));
  CHECK(agent.check_status("one") == "ok");
}

TEST_CASE("a loop that stalls tells the watchdog nothing, and does not catch up turn by turn", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml",
                  appends("check", "looks", "every = \"500ms\"", agent) + appends("task", "slot", "at = \"*-*-* *:*:*\"", agent));
  NotifySocket manager(agent.scratch() / "notify");
  REQUIRE(agent.start({}, {"NOTIFY_SOCKET=" + (agent.scratch() / "notify"), "WATCHDOG_USEC=200000"}));
  REQUIRE(eventually([&] { return manager.count("WATCHDOG=1") >= 3; }));
  REQUIRE(eventually([&] { return lines_of(agent, "looks") >= 2 && lines_of(agent, "slot") >= 1; }));

  // its loop alone, where that is allowed: the other threads go on, and must not speak for it
  const bool traced = ::ptrace(PTRACE_SEIZE, agent.pid(), nullptr, nullptr) == 0;
  if (traced) {
    REQUIRE(::ptrace(PTRACE_INTERRUPT, agent.pid(), nullptr, nullptr) == 0);
    int status = 0;
    REQUIRE(::waitpid(agent.pid(), &status, __WALL) == agent.pid());
  } else {
    agent.signal(SIGSTOP);
  }
  std::this_thread::sleep_for(500ms);  // what was in flight has ended
  const std::size_t pings = manager.count("WATCHDOG=1"), checks = lines_of(agent, "looks"), tasks = lines_of(agent, "slot");
  const auto stalled = Clock::now();
  std::this_thread::sleep_for(5s);
  CHECK(manager.count("WATCHDOG=1") == pings);
  CHECK(lines_of(agent, "looks") == checks);

  const double stall = seconds_since(stalled);
  const auto resumed = Clock::now();
  if (traced)
    REQUIRE(::ptrace(PTRACE_DETACH, agent.pid(), nullptr, nullptr) == 0);
  else
    agent.signal(SIGCONT);
  CHECK(eventually([&] { return manager.count("WATCHDOG=1") > pings; }, 5s));
  std::this_thread::sleep_for(1500ms);
  const double since = seconds_since(resumed);
  const auto ran_checks = static_cast<double>(lines_of(agent, "looks") - checks);
  const auto ran_tasks = static_cast<double>(lines_of(agent, "slot") - tasks);
  INFO("stalled " << stall << " s, resumed " << since << " s: " << ran_checks << " checks, " << ran_tasks << " tasks");
  CHECK(ran_checks >= 1);
  CHECK(ran_tasks >= 1);
  // one late turn each, then those of the time since, with one for where the counting began
  CHECK(ran_checks <= std::ceil(since / 0.5) + 2);
  CHECK(ran_tasks <= std::ceil(since) + 2);
}

TEST_CASE("whoever takes its log may block or go away: the agent goes on and counts what it could not say", "[whole]") {
  WholeAgent agent;
  std::string many;  // a thousand errors are a thousand lines
  for (int i = 0; i < 1000; ++i) many += "key" + std::to_string(i) + " = 1\n";
  agent.configure("10.toml", appends("check", "looks", "every = \"1s\"", agent));
  const std::string pipe = agent.scratch() / "log";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  Descriptor reader(::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  REQUIRE(::fcntl(reader.get(), F_SETPIPE_SZ, 4096) == 4096);
  agent.log_to(pipe);  // which nobody reads
  REQUIRE(agent.start());
  const auto dropped = [&] { return agent.status().at("agent").at("log_dropped").to_number<int>(); };
  CHECK(dropped() == 0);
  agent.configure("20.toml", "[agent]\n" + many);
  for (int i = 0; i < 4; ++i) CHECK(agent.ronda({"reload"}).code == 1);
  CHECK(dropped() > 1000);
  CHECK(agent.ronda({"status"}).out.find(" lines were dropped; what takes them does not keep up") != std::string::npos);
  const std::size_t lines = lines_of(agent, "looks");
  CHECK(eventually([&] { return lines_of(agent, "looks") >= lines + 2; }));

  SECTION("it stops as fast as ever") {
    const auto began = Clock::now();
    CHECK(agent.stop() == 0);
    CHECK(seconds_since(began) < 8.0);
  }
  SECTION("with a reader again, the newest lines come and no more are dropped") {
    std::string read;
    const auto comes = [&](std::string_view text) {
      const auto until = Clock::now() + 20s;
      while (Clock::now() < until && read.find(text) == std::string::npos) {
        char buffer[4096];
        const ssize_t got = ::read(reader.get(), buffer, sizeof buffer);
        if (got > 0)
          read.append(buffer, static_cast<std::size_t>(got));
        else
          std::this_thread::sleep_for(1ms);
      }
      return read.find(text) != std::string::npos;
    };
    CHECK(comes("reload #4: refused"));
    const int so_far = dropped();
    agent.configure("20.toml", "");
    CHECK(agent.ronda({"reload"}).code == 0);
    CHECK(comes("reload #5: 1 kept"));
    CHECK(dropped() == so_far);
  }
  SECTION("without one it counts every line") {
    reader.reset();
    const int so_far = dropped();
    for (int i = 0; i < 2; ++i) CHECK(agent.ronda({"reload"}).code == 1);
    CHECK(eventually([&] { return dropped() >= so_far + 2000; }));
    CHECK(agent.stop() == 0);
  }
}

TEST_CASE("a socket is made only where no other can put one, and never through a link", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", appends("check", "looks", "every = \"1s\"", agent));
  const std::string elsewhere = agent.scratch() / "elsewhere", runtime = agent.scratch() / "run";
  std::filesystem::create_directories(elsewhere);
  std::string expected;
  SECTION("not where everybody may write") {
    std::filesystem::create_directories(runtime);
    REQUIRE(::chmod(runtime.c_str(), 0777) == 0);
    expected = "no API: " + runtime + " has mode 0777: others than its owner can change it";
  }
  SECTION("not in a directory of somebody else") {
    if (::geteuid() != 0) return skipped("other-users", "only root can make a directory of somebody else");
    std::filesystem::create_directories(runtime);
    REQUIRE(::chown(runtime.c_str(), 65534, 65534) == 0);
    expected = "no API: " + runtime + " is owned by uid 65534, not by root";
  }
  SECTION("not by a link into a directory of somebody else") {
    if (::geteuid() != 0) return skipped("other-users", "only root can make a directory of somebody else");
    REQUIRE(::chown(elsewhere.c_str(), 65534, 65534) == 0);
    REQUIRE(::symlink(elsewhere.c_str(), runtime.c_str()) == 0);
    expected = "no API: " + elsewhere + " is owned by uid 65534, not by root";
  }
  SECTION("not over a link that stands where the socket belongs") {
    std::filesystem::create_directories(runtime);
    REQUIRE(::symlink((elsewhere + "/ronda.sock").c_str(), (runtime + "/ronda.sock").c_str()) == 0);
    expected = "no API: " + runtime + "/ronda.sock exists and is no socket";
  }
  SECTION("not over a socket of somebody else") {
    if (::geteuid() != 0) return skipped("other-users", "only root can make a socket of somebody else");
    std::filesystem::create_directories(runtime);
    const NotifySocket theirs(runtime + "/ronda.sock");
    REQUIRE(::chown((runtime + "/ronda.sock").c_str(), 65534, 65534) == 0);
    expected = "no API: " + runtime + "/ronda.sock belongs to another user";
  }
  agent.serve_at(runtime + "/ronda.sock");
  agent.launch();
  CHECK(eventually([&] { return agent.log().find(expected) != std::string::npos; }));
  CHECK(eventually([&] { return lines_of(agent, "looks") >= 1; }));  // what it is for goes on
  CHECK(std::filesystem::is_empty(elsewhere));
  CHECK_FALSE(agent.answers());
  CHECK(agent.stop() == 0);
}
