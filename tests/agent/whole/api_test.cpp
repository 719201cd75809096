// SPDX-License-Identifier: Apache-2.0
// The socket of a real agent against those who send too much, too slowly, nonsense, or who may not ask.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

#include "base/descriptor.hpp"
#include "catch.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view one_check =
    "[check.one]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/echo\", \"fine\"]\n"
    "[check.job]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n";

/// A connection that says what it is told to, byte for byte.
class Raw {
 public:
  explicit Raw(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  bool send(std::string_view bytes) const {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  void end_of_input() const { ::shutdown(socket_.get(), SHUT_WR); }

  /// Everything until the agent closes; nothing when it does not within the limit.
  std::optional<std::string> read_all(std::chrono::milliseconds limit = 60s) const {
    std::string out;
    const auto until = std::chrono::steady_clock::now() + limit;
    for (;;) {
      pollfd wanted{socket_.get(), POLLIN, 0};
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0 || ::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) return {};
      char buffer[16384];
      const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return out;
      out.append(buffer, static_cast<std::size_t>(got));
    }
  }

 private:
  Descriptor socket_;
  bool connected_ = false;
};

/// The status line's code of what a closed exchange says; 0 when it says nothing.
int code_of(const WholeAgent& agent, std::string_view request) {
  const Raw raw(agent.socket());
  raw.send(request);
  raw.end_of_input();
  const auto answer = raw.read_all();
  REQUIRE(answer);
  return answer->starts_with("HTTP/1.1 ") ? std::stoi(answer->substr(9, 3)) : 0;
}

std::string post(std::string_view target, const std::string& body) {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("the API takes what fits its limits and says what does not", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  const std::string largest = R"({"event": "log", "text": ")" + std::string((64 << 10) - 28, 'x') + "\"}";
  REQUIRE(largest.size() == 64 << 10);
  CHECK(code_of(agent, post("/v1/inbox/job", largest)) == 202);
  CHECK(code_of(agent, post("/v1/inbox/job", largest + " ")) == 413);
  for (const char* coding : {"chunked", "gzip, chunked", "gzip", "identity"}) {
    INFO(coding);
    for (const char* asked : {"POST /v1/inbox/job", "GET /v1/status", "PUT /v1/status", "POST /v1/nothing"})
      CHECK(code_of(agent, std::string(asked) + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + coding +
                               "\r\n\r\n5\r\nhello\r\n0\r\n\r\n") == 413);
  }
  CHECK(code_of(agent, "POST /v1/inbox/job HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n") == 400);
  CHECK(code_of(agent, "POST /v1/inbox/job HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n") >= 400);
  CHECK(code_of(agent,
                "POST /v1/inbox/job HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: "
                "chunked\r\n\r\n{}") >= 400);
  CHECK(code_of(agent, "GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(9000, 'h') + "\r\n\r\n") == 431);
  for (const char* method : {"DELETE", "PUT", "PATCH", "BREW"}) {
    INFO(method);
    CHECK(code_of(agent, std::string(method) + " /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == 405);
  }
  CHECK(code_of(agent, post("/v1/status", "")) == 405);
  CHECK(code_of(agent, "GET /v1/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == 405);
  for (const char* path : {"/v1/nothing", "/v1/explain/", "/v1/explain/a/b", "/v1/explain/..%2f..%2fetc", "/v1/status/x", "*", "/%00"}) {
    INFO(path);
    CHECK(code_of(agent, "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") >= 400);
  }
  for (const char* body : {"", "{", "[]", "5", "{}", R"({"event": 5})", R"({"event": "explode"})", "\xff\xfe"}) {
    INFO(body);
    CHECK(code_of(agent, post("/v1/inbox/job", body)) == 400);
  }
  CHECK(code_of(agent, post("/v1/inbox/job", R"({"event": "fail", "code": 1e300, "text": "\u0000\u001b[31m"})")) == 202);
  CHECK(code_of(agent, post("/v1/inbox/nobody", R"({"event": "fail"})")) == 404);
  CHECK(code_of(agent, post("/v1/backup?path=relative", "")) == 400);

  SECTION("two requests of one connection are answered in order") {
    const Raw raw(agent.socket());
    REQUIRE(
        raw.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: "
                 "close\r\n\r\n"));
    const auto answer = raw.read_all();
    REQUIRE(answer);
    const std::size_t first = answer->find("HTTP/1.1 200"), second = answer->find("HTTP/1.1 404");
    CHECK(first == 0);
    CHECK(second != std::string::npos);
  }
  SECTION("garbage is answered or dropped, and the agent lives") {
    std::mt19937 random(20261124);
    for (int i = 0; i < 60; ++i) {
      std::string bytes(1 + random() % 3000, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      if (i % 3 == 0) bytes = "GET /v1/status HTTP/1.1\r\n" + bytes;
      const int code = code_of(agent, bytes);
      CHECK((code == 0 || code >= 400));
    }
    CHECK(code_of(agent, "\r\n\r\n\r\n") != 200);
    CHECK(code_of(agent, "") == 0);
  }
  CHECK(agent.answers());
  CHECK(agent.stop() == 0);
}

TEST_CASE("nothing that is sent makes or changes a command", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", std::string(one_check) + "[task.harmless]\nuse = \"exec.command\"\ncommand = [\"/bin/echo\", \"harmless\"]\n");
  REQUIRE(agent.start());
  const std::string evidence = agent.scratch() / "evidence";
  const std::string body =
      R"({"use": "exec.command", "command": ["/usr/bin/touch", ")" + evidence + R"("], "args": ["; touch )" + evidence + R"("]})";
  const std::string before = agent.ask("GET", "/v1/config").body;
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    for (const char* target : {"/v1/config", "/v1/checks", "/v1/checks/new", "/v1/tasks", "/v1/tasks/new", "/v1/tasks/new/run",
                               "/v1/plugins", "/v1/plugins/org.ronda.exec", "/v1/status", "/v1/journal"}) {
      INFO(method << " " << target);
      const int status = agent.ask(method, target, body).status;
      CHECK((status == 404 || status == 405));
    }
  }
  // what there is runs as conf.d says, whatever comes with the wish
  CHECK(agent.ask("POST", "/v1/tasks/harmless/run", body).status < 500);
  CHECK(agent.ask("POST", "/v1/tasks/harmless/run?command=/usr/bin/touch%20" + evidence, "").status < 500);
  CHECK(agent.ask("POST", "/v1/checks/one/run", body).status < 500);
  CHECK(eventually([&] { return agent.check_status("one") == "ok"; }));
  CHECK_FALSE(std::filesystem::exists(evidence));
  CHECK(agent.ask("GET", "/v1/config").body == before);
}

TEST_CASE("who sends slowly or not at all keeps nobody else from asking", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  std::vector<std::unique_ptr<Raw>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<Raw>(agent.socket()));
    REQUIRE(silent.back()->send("POST /v1/inbox/job HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"));
  }
  CHECK(agent.answers());
  // each is told that it took too long, and let go
  for (const auto& one : silent) {
    const auto answer = one->read_all();
    REQUIRE(answer);
    CHECK((answer->empty() || answer->starts_with("HTTP/1.1 408")));
  }
  CHECK(agent.answers());
}

TEST_CASE("one user cannot take all connections for ever", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  std::vector<std::unique_ptr<Raw>> many;
  std::size_t refused = 0;
  for (int i = 0; i < 200; ++i) {
    many.push_back(std::make_unique<Raw>(agent.socket()));
    REQUIRE(many.back()->connected());
  }
  for (const auto& one : many) {
    const auto answer = one->read_all();  // those that were let in end after five seconds
    if (answer && answer->starts_with("HTTP/1.1 429")) ++refused;
  }
  CHECK(refused >= 200 - 32);
  many.clear();
  CHECK(eventually([&] { return agent.answers(); }));
  // and hundreds of short ones, one after the other, leave nothing behind
  for (int i = 0; i < 300; ++i) REQUIRE(agent.ask("GET", "/healthz").status == 200);
}

TEST_CASE("who connects and asks nothing is let go after five seconds, and so is who asks byte by byte", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  const auto began = std::chrono::steady_clock::now();
  const Raw mute(agent.socket()), slow(agent.socket()), done(agent.socket());
  REQUIRE(done.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
  std::thread trickle([&] {
    for (const char c : std::string(200, 'a')) {
      if (!slow.send(std::string_view(&c, 1))) return;
      std::this_thread::sleep_for(100ms);
    }
  });
  for (const Raw* one : {&mute, &slow}) {
    const auto answer = one->read_all(20s);
    REQUIRE(answer);
    CHECK((answer->empty() || answer->starts_with("HTTP/1.1 408")));
  }
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took >= 4s);
  CHECK(took <= 15s);  // by bytes that trickle it would be twenty
  trickle.join();
  // a client that has been answered may think for longer
  CHECK_FALSE(done.read_all(500ms));
  REQUIRE(done.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const auto answers = done.read_all();
  REQUIRE(answers);
  CHECK(answers->starts_with("HTTP/1.1 200"));
}

namespace {

std::size_t resident_kib(pid_t pid) {
  const std::string status = read_file("/proc/" + std::to_string(pid) + "/status");
  return std::stoul(status.substr(status.find("VmRSS:") + 6));
}

double cpu_seconds(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::size_t descriptors(pid_t pid) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("who never reads, vanishes, or comes a thousand times over costs little and leaves nothing", "[whole]") {
  WholeAgent agent;
  std::string many(one_check);  // so that an answer does not fit the buffers of a socket
  for (int i = 0; i < 2000; ++i) many += "[check.c" + std::to_string(i) + "]\nuse = \"heartbeat.job\"\nevery = \"24h\"\nexpect = \"1d\"\n";
  agent.configure("10.toml", many);
  REQUIRE(agent.start());
  for (const char* name : {"one", "c0"}) REQUIRE(agent.ronda({"check", name}).code == 0);  // both runners are there
  REQUIRE(eventually([&] { return agent.status().at("agent").at("in_flight").to_number<int>() == 0; }));
  REQUIRE(agent.ask("GET", "/v1/status").body.size() > 250'000);
  const std::size_t memory = resident_kib(agent.pid()), open = descriptors(agent.pid());
  const double spent = cpu_seconds(agent.pid());

  const std::string asks = [] {
    std::string out;
    for (int i = 0; i < 50; ++i) out += "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
    return out;
  }();
  {
    std::vector<std::unique_ptr<Raw>> deaf;
    for (int i = 0; i < 20; ++i) {
      deaf.push_back(std::make_unique<Raw>(agent.socket()));
      deaf.back()->send(asks);
    }
    CHECK(agent.answers());
    INFO(memory << " KiB before, " << resident_kib(agent.pid()) << " now");
    CHECK(resident_kib(agent.pid()) < memory + 20 * 4096);  // one answer each, not fifty
    // after five seconds that nothing was taken they are let go, although they are still there
    CHECK(eventually([&] { return descriptors(agent.pid()) <= open; }, 20s));
  }
  for (int i = 0; i < 1000; ++i) {
    const Raw one(agent.socket());
    // a whole request now and then, for its answer costs something; else half of one, or nothing
    if (i % 40 == 0)
      one.send("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
    else if (i % 2 == 0)
      one.send("POST /v1/inbox/job HTTP/1.1\r\nContent-Le");
  }
  CHECK(eventually([&] { return agent.answers(); }));
  CHECK(eventually([&] { return descriptors(agent.pid()) <= open; }, 20s));
  INFO("before that " << spent << " s of CPU time, now " << cpu_seconds(agent.pid()));
  CHECK(cpu_seconds(agent.pid()) - spent < 5.0);  // a thousand answers were asked for by those who took none
  CHECK(agent.log().find("no descriptor") == std::string::npos);
  constexpr std::size_t most = 2 * api::UnixServer::connections_per_uid + 8;  // each with the pidfd of who made it
  std::vector<std::unique_ptr<Raw>> thousand;
  for (int i = 0; i < 1000; ++i) {
    thousand.push_back(std::make_unique<Raw>(agent.socket()));
    CHECK(descriptors(agent.pid()) <= open + most);
  }
  thousand.clear();
  CHECK(eventually([&] { return descriptors(agent.pid()) <= open && agent.answers(); }, 20s));
  INFO(memory << " KiB before, " << resident_kib(agent.pid()) << " now");
  CHECK(resident_kib(agent.pid()) < memory + 32 * 1024);
  CHECK(agent.stop() == 0);
}

namespace {

/// What a peer of another uid is answered; needs root to become one.
Finished as_nobody(const WholeAgent& agent, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{"/usr/bin/setpriv", "--reuid", "65534",         "--regid",  "65534",
                                "--clear-groups",   "--",      ronda_program(), "--socket", agent.socket()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const std::string base = agent.open_directory() + "/nobody";
  std::filesystem::remove(base + ".out");
  std::filesystem::remove(base + ".err");
  const pid_t pid = start_program(argv, base + ".out", base + ".err");
  Finished out;
  out.code = wait_program(pid, 60s);
  out.out = read_file(base + ".out");
  out.err = read_file(base + ".err");
  return out;
}

}  // namespace

TEST_CASE("who asks decides what may be asked", "[whole]") {
  WholeAgent agent;
  const std::string socket = agent.socket();
  // a check that asks the agent that runs it
  const std::string inside = "[check.inside]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"" + ronda_program() +
                             "\", \"--socket\", \"" + socket + "\", \"status\"]\n";
  agent.configure("10.toml", std::string(one_check) + inside);
  agent.configure("20.toml", "[api]\nothers = \"viewer\"\n");
  REQUIRE(agent.start());
  struct stat found {};
  REQUIRE(::stat(socket.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0666);

  CHECK(agent.ronda({"reload"}).code == 0);
  const std::string refusal = agent.ronda({"check", "inside"}).out;
  INFO(refusal);
  CHECK(refusal.find("this socket is not for you") != std::string::npos);
  if (::geteuid() != 0) return skipped("other-users", "only root can ask as somebody else");
  CHECK(as_nobody(agent, {"status"}).out.find("3 checks") != std::string::npos);
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"reload"}, {"task", "run", "x"}, {"ping", "job"}, {"state", "backup", "/tmp/never"}}) {
    const Finished denied = as_nobody(agent, words);
    INFO(words.front());
    CHECK(denied.code == 1);
    CHECK(denied.err.find("unix:nobody is viewer; this needs operator") != std::string::npos);
  }
  CHECK(as_nobody(agent, {"check", "one"}).code == 3);
  agent.configure("20.toml", "[api]\nothers = \"refuse\"\n");
  CHECK(agent.ronda({"reload"}).code == 0);
  const Finished refused = as_nobody(agent, {"status"});
  CHECK(refused.code != 0);
  CHECK(refused.err.find("this socket is not for you") != std::string::npos);
}

TEST_CASE("who connected and went leaves no say to whom it left the connection", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  const Descriptor left(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, agent.socket().c_str(), sizeof address.sun_path - 1);
  // the agent sees the connection only when its peer is gone and its number is free for others
  ::kill(agent.pid(), SIGSTOP);
  const pid_t peer = ::fork();
  if (peer == 0) ::_exit(::connect(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : 1);
  int status = -1;
  ::waitpid(peer, &status, 0);
  ::kill(agent.pid(), SIGCONT);
  REQUIRE(status == 0);
  constexpr std::string_view request = "GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  REQUIRE(::send(left.get(), request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::recv(left.get(), buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<std::size_t>(got));
  INFO(answer);
  CHECK(answer.find("this socket is not for you") != std::string::npos);
  CHECK(agent.ronda({"status"}).err.empty());
}

TEST_CASE("whom a check names as its reporter may report to it, and nothing else", "[whole]") {
  if (::geteuid() != 0) return skipped("other-users", "as nobody all of it is refused or all is allowed");
  WholeAgent agent;
  const std::string named = "[check.theirs]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\nreporters = [\"nobody\"]\n";
  agent.configure("10.toml", std::string(one_check) + named);
  const std::string others = GENERATE("viewer", "refuse");
  agent.configure("20.toml", "[api]\nothers = \"" + others + "\"\n");
  REQUIRE(agent.start());
  CHECK(as_nobody(agent, {"ping", "theirs"}).code == 0);
  CHECK(eventually([&] { return agent.check_status("theirs") == "ok"; }));
  const Finished other = as_nobody(agent, {"ping", "job"});
  CHECK(other.code == 1);
  CHECK(other.err.find("this needs operator, or its name in the check's `reporters`") != std::string::npos);
  CHECK(as_nobody(agent, {"ping", "no-such"}).err.find("this needs operator") != std::string::npos);
  CHECK(as_nobody(agent, {"reload"}).code == 1);
  CHECK((as_nobody(agent, {"status"}).code == 0) == (others == "viewer"));
}

TEST_CASE("an agent without privileges gives what runs below its runners no say either", "[whole]") {
  if (::geteuid() != 0) return skipped("other-users", "the test before this one is just that");
  WholeAgent agent;
  agent.become_nobody();
  agent.configure("10.toml", std::string(one_check) +
                                 "[check.inside]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/sh\", \"-c\", \"" +
                                 ronda_program() + " --socket " + agent.socket() + " reload 2>&1; exit 0\"]\n");
  REQUIRE(agent.start());
  CHECK(as_nobody(agent, {"reload"}).code == 0);  // its own user operates
  const std::string refusal = agent.ronda({"check", "inside"}).out;
  INFO(refusal);
  CHECK(refusal.find("this socket is not for you") != std::string::npos);
}

TEST_CASE("what runs below a runner has no say either when it has ended before it is heard", "[whole]") {
  if (!std::filesystem::exists("/usr/bin/perl")) return;  // essential in Debian
  WholeAgent agent;
  if (::geteuid() == 0) agent.become_nobody();  // so that both are one user
  const std::string asked = agent.open_directory() + "/asked";
  const std::string program =
      "use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0); connect($s, sockaddr_un($ARGV[0])) or die; "
      "syswrite($s, qq(POST /v1/reload HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\n\\r\\n)); open(my $f, q(>), $ARGV[1]);";
  agent.configure("10.toml", "[check.inside]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/bin/sh\", \"-c\", \"sleep 1; perl -e '" +
                                 program + "' $0 $1\", \"" + agent.socket() + "\", \"" + asked + "\"]\n");
  REQUIRE(agent.start());
  REQUIRE(eventually([&] { return agent.get("/v1/explain/inside").at("running").as_bool(); }));
  agent.signal(SIGSTOP);  // it accepts nobody until the program is gone
  CHECK(eventually([&] { return std::filesystem::exists(asked); }, 20s));
  const auto runs_perl = [](pid_t pid) { return read_file("/proc/" + std::to_string(pid) + "/comm") == "perl\n"; };
  CHECK(eventually([&] { return std::ranges::none_of(descendants(agent.pid()), runs_perl); }));
  agent.signal(SIGCONT);
  CHECK(eventually([&] { return agent.status().at("agent").at("in_flight").to_number<int>() == 0; }));
  CHECK(agent.log().find("reload #") == std::string::npos);
  CHECK(agent.ronda({"reload"}).code == 0);
}

TEST_CASE("what runs below a runner gets no say by connections that another process made and left", "[whole]") {
  WholeAgent agent;
  if (::geteuid() == 0) agent.become_nobody();
  const std::string script = agent.scratch().write("left.py", R"(
import os, socket, sys
seen = set()
for _ in range(20):
    sockets = [socket.socket(socket.AF_UNIX) for _ in range(8)]
    child = os.fork()
    if child == 0:
        for s in sockets: s.connect(sys.argv[1])
        os._exit(0)
    os.waitpid(child, 0)
    for s in sockets:
        s.sendall(b"POST /v1/plugins/zzz/clear HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        seen.add(s.recv(64)[9:12].decode())
print("answers:", *sorted(seen))
)");
  agent.configure("10.toml", std::string(one_check) +
                                 "[check.inside]\nuse = \"exec.nagios\"\nevery = \"1h\"\ncommand = [\"/usr/bin/python3\", \"" + script +
                                 "\", \"" + agent.socket() + "\"]\n");
  REQUIRE(agent.start());
  const std::string said = agent.ronda({"check", "inside"}).out;
  INFO(said);
  CHECK(said.find("answers: 403") != std::string::npos);
  CHECK(said.find("404") == std::string::npos);
}

TEST_CASE("an agent lives beside another that was told to use its socket, and keeps it", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  const std::string other = agent.scratch() / "other-state", log = agent.scratch() / "other.log";
  std::vector<std::string> argv{ronda_program(), "run"};
  for (const std::string& option : agent.options()) argv.push_back(option == agent.state_directory() ? other : option);
  const pid_t pid = start_program(argv, log, log);
  CHECK(eventually([&] { return read_file(log).find("is served by another process") != std::string::npos; }));
  ::kill(pid, SIGTERM);
  CHECK(wait_program(pid, 60s) == 0);
  CHECK(agent.answers());
  CHECK(agent.status().at("agent").at("pid").to_number<pid_t>() == agent.pid());
}

TEST_CASE("a refusal is understood whatever was asked for", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  const Finished unknown = agent.ronda({"explain", "\xff"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("is named '\\xff'") != std::string::npos);
}

TEST_CASE("a log that nobody reads holds up nobody, and what it lost is shown", "[whole]") {
  WholeAgent agent;
  const std::string log = agent.scratch() / "agent.log";
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  Descriptor unread(::open(log.c_str(), O_RDWR | O_CLOEXEC));
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  CHECK(agent.status().at("agent").at("log_dropped").to_number<int>() == 0);
  std::string wrong;
  for (int i = 0; i < 1500; ++i) wrong += "[check.wrong" + std::to_string(i) + "]\nuse = 5\n";
  agent.configure("20.toml", wrong);
  const auto dropped = [&] { return agent.status().at("agent").at("log_dropped").to_number<int>(); };
  for (int i = 0; i < 40 && dropped() == 0; ++i) agent.ask("POST", "/v1/reload");
  CHECK(dropped() > 0);
  CHECK(agent.ronda({"status"}).out.find(" lines were dropped") != std::string::npos);
  unread.reset();
  CHECK(agent.stop() == 0);
}

TEST_CASE("jobs report to their check by ping and wrap", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml", one_check);
  REQUIRE(agent.start());
  CHECK(agent.ronda({"ping", "job", "start"}).code == 0);
  CHECK(eventually([&] {
    const json::value job = agent.check("job");
    return job.at("metrics").as_object().contains("running") && job.at("metrics").at("running").at("value").to_number<int>() == 1;
  }));
  CHECK(agent.ronda({"ping", "job", "0"}).code == 0);
  CHECK(eventually([&] { return agent.check("job").at("metrics").at("running").at("value").to_number<int>() == 0; }));
  CHECK(agent.check_status("job") == "ok");
  const Finished failing = agent.ronda({"wrap", "job", "--", "/bin/sh", "-c", "echo to-out; echo to-err >&2; exit 9"});
  CHECK(failing.code == 9);
  CHECK(failing.out == "to-out\n");
  CHECK(failing.err == "to-err\n");
  CHECK(eventually([&] { return agent.check_status("job") == "critical"; }));
  CHECK(agent.ronda({"check", "job"}).out.find("to-err") != std::string::npos);
  CHECK(agent.ronda({"wrap", "job", "--", "/bin/true"}).code == 0);
  CHECK(eventually([&] { return agent.check_status("job") == "ok"; }));
  // of an encoding that nobody knows, and cut inside of a character: 4,097 bytes, of which two are one
  for (const char* says : {R"(printf 'ma\361ana'; exit 9)", R"(printf '\303\261'; head -c 4095 /dev/zero | tr '\0' x; exit 9)"}) {
    INFO(says);
    const Finished odd = agent.ronda({"wrap", "job", "--", "/bin/sh", "-c", says});
    CHECK(odd.code == 9);
    CHECK(odd.err.empty());
    CHECK(eventually([&] { return agent.check_status("job") == "critical"; }));
    CHECK(agent
              .ronda({"ping", "job", "success", "--text",
                      "ma\xf1"
                      "ana"})
              .code == 0);
    CHECK(eventually([&] { return agent.check_status("job") == "ok"; }));
  }
  const Finished unknown = agent.ronda({"ping", "jab"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("did you mean 'job'") != std::string::npos);
}

TEST_CASE("a check that is ended at its deadline tells when it last ran, also while it runs again", "[whole]") {
  WholeAgent agent;
  agent.configure("10.toml",
                  "[check.hangs]\nuse = \"exec.nagios\"\nevery = \"2s\"\ntimeout = \"1s\"\ncommand = [\"/bin/sleep\", \"60\"]\n");
  REQUIRE(agent.start());
  json::value again;
  REQUIRE(eventually([&] {
    again = agent.get("/v1/explain/hangs");
    return again.is_object() && again.at("runs").to_number<int>() >= 1 && again.at("running").as_bool();
  }));
  CHECK(again.at("status").as_string() == "unknown");
  REQUIRE(again.at("last_run").is_string());
  CHECK(again.at("last_run").as_string() >= again.at("since").as_string());
  const json::array& trail = again.at("trail").as_array();
  // before that a turn may have passed while the run before it had not ended
  CHECK(std::ranges::count_if(trail, [](const json::value& step) { return step.at("part").as_string() == "plugin"; }) == 1);
  for (const json::value& step : trail) CHECK(step.at("part").as_string() != "grade");  // this run has not ended
  CHECK(agent.ronda({"status"}).out.find("never") == std::string::npos);
  CHECK(agent.stop() == 0);
}
