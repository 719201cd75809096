// SPDX-License-Identifier: Apache-2.0
// The door on TCP of a whole agent against those who ask in other ways, too much, or too slowly: what they are told, that they
// are let go, and what they cost.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include "api/tcp.hpp"
#include "base/descriptor.hpp"
#include "catch.hpp"
#include "door_client.hpp"
#include "plugin/hmac.hpp"
#include "skip.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

const std::string host = "Host: localhost\r\n", token = "Authorization: Bearer abuse-canary-55\r\n", closing = "Connection: close\r\n";

/// An agent whose door has one token.
class Shack {
 public:
  Shack() {
    agent_.configure("10.toml", "[api]\nlisten = \"127.0.0.1:0\"\n[token.wall]\nrole = \"viewer\"\nsha256 = \"" +
                                    plugin::sha256_hex(std::string_view("abuse-canary-55")) +
                                    "\"\n[check.one]\nuse = \"heartbeat.job\"\nevery = \"1h\"\nexpect = \"1d\"\n");
    REQUIRE(agent_.start());
    REQUIRE(eventually([&] { return port_of_door(agent_.log()) != 0; }));
    port_ = port_of_door(agent_.log());
  }
  WholeAgent& agent() { return agent_; }
  int port() const { return port_; }
  std::string raw(const std::string& bytes) const { return ask_raw(port_, bytes); }
  /// The status of what is asked for with the token.
  int ask(const std::string& method, const std::string& headers = {}) const {
    const std::string answer = raw(method + " /v1/status HTTP/1.1\r\n" + host + token + closing + headers + "\r\n");
    return answer.size() > 12 ? std::atoi(answer.c_str() + 9) : 0;
  }

 private:
  WholeAgent agent_;
  int port_ = 0;
};

/// A connection to the door that says what it is told to, when it is told to.
class Visitor {
 public:
  explicit Visitor(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  bool send(std::string_view bytes) const {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// Takes what has come; false once the other side has closed.
  bool take(std::chrono::milliseconds wait) {
    pollfd wanted{socket_.get(), POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(wait.count())) <= 0) return true;
    char buffer[4096];
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (got > 0) said_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }
  /// Everything until the other side closes; nothing when it does not within the limit.
  std::optional<std::string> take_all(std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (take(50ms)) {
      if (std::chrono::steady_clock::now() > until) return {};
    }
    return said_;
  }
  const std::string& said() const { return said_; }

 private:
  Descriptor socket_;
  std::string said_;
};

/// "bytes=0-0,2-2,..."
std::string ranges(int count) {
  std::string out = "Range: bytes=";
  for (int i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + std::to_string(2 * i) + "-" + std::to_string(2 * i);
  return out + "\r\n";
}

std::string fields(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "X-" + std::to_string(i) + ": " + std::string(90, 'x') + "\r\n";
  return out;
}

/// What of the agent's memory is its own, and all that is resident.
struct Memory {
  long own_kib = 0, resident_kib = 0;
};

Memory memory_of(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  const auto number = [&](std::string_view name) {
    const std::size_t at = text.find(name);
    return at == std::string::npos ? -1 : std::atol(text.c_str() + at + name.size());
  };
  return {number("\nAnonymous:"), number("\nRss:")};
}

}  // namespace

TEST_CASE("the door takes GET and POST, an answer to HEAD has no body, and ranges are not looked at", "[whole]") {
  const Shack shack;
  for (const char* method : {"HEAD", "PUT", "TRACE", "DELETE", "OPTIONS", "PATCH", "BREW", "get"}) {
    INFO(method);
    const std::string answer =
        shack.raw(std::string(method) + " /v1/status HTTP/1.1\r\n" + host + token + closing + "X-Echo: back\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 405 "));
    CHECK(answer.find("canary") == std::string::npos);
    CHECK(answer.find("back") == std::string::npos);
  }
  // one connection: whoever asked by HEAD would take a body for the next answer
  const std::string asked = " /v1/status HTTP/1.1\r\n" + host + token;
  const std::string both = shack.raw("HEAD" + asked + "\r\nGET" + asked + closing + "\r\n");
  const std::size_t end = both.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  CHECK(both.substr(0, end).find("HTTP/1.1 405 ") == 0);
  CHECK(both.substr(end + 4).starts_with("HTTP/1.1 200 "));

  const std::string whole = shack.raw("GET /healthz HTTP/1.1\r\n" + host + token + closing + "\r\n");
  REQUIRE(whole.starts_with("HTTP/1.1 200 "));
  CHECK(shack.raw("GET /healthz HTTP/1.1\r\n" + host + token + closing + "Range: bytes=0-0\r\n\r\n") == whole);
  CHECK(shack.raw("GET /healthz HTTP/1.1\r\n" + host + token + closing + ranges(700) + "\r\n") == whole);
  CHECK(shack.ask("GET", ranges(10'000)) == 431);
}

TEST_CASE("whoever comes slowly to the door is let go after five seconds, and keeps nobody else from asking", "[whole]") {
  Shack shack;
  const auto began = std::chrono::steady_clock::now();
  const std::vector<std::string> begun = {"", "GET /v1/sta", "GET /v1/status HTTP/1.1\r\n" + host + token,
                                          "POST /v1/events HTTP/1.1\r\n" + host + token + "Content-Length: 1000\r\n\r\n{"};
  std::vector<std::unique_ptr<Visitor>> slow;
  for (std::size_t i = 0; i + 1 < api::TcpServer::most_connections; ++i) {
    slow.push_back(std::make_unique<Visitor>(shack.port()));
    REQUIRE(slow.back()->send(begun[i % begun.size()]));
  }
  CHECK(shack.ask("GET") == 200);
  Visitor done(shack.port());  // whoever was answered may think for longer; of all others there is no more room
  REQUIRE(done.send("GET /healthz HTTP/1.1\r\n" + host + token + "\r\n"));
  REQUIRE(eventually([&] { return done.take(50ms) && done.said().starts_with("HTTP/1.1 200 "); }));
  CHECK(shack.raw("GET /healthz HTTP/1.1\r\n" + host + closing + "\r\n").starts_with("HTTP/1.1 503 "));
  // byte after byte buys none of them more time; each is told, or let go without a word
  std::vector<Visitor*> held;
  for (const auto& one : slow) held.push_back(one.get());
  while (!held.empty() && std::chrono::steady_clock::now() - began < 30s) {
    std::erase_if(held, [](Visitor* one) { return !one->take(0ms) || (one->said().empty() && !one->send("a")); });
    std::this_thread::sleep_for(100ms);
  }
  CHECK(held.empty());
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took >= 4s);
  CHECK(took < 15s);  // five, on a machine that may be busy
  for (const auto& one : slow) CHECK((one->said().empty() || one->said().starts_with("HTTP/1.1 408 ")));
  CHECK(shack.ask("GET") == 200);
  REQUIRE(done.send("GET /healthz HTTP/1.1\r\n" + host + token + closing + "\r\n"));
  CHECK(done.take_all(10s));
  CHECK(shack.agent().stop() == 0);
}

TEST_CASE("bad requests by the hundred cost less than 2 MiB of memory, also headers of a megabyte and all the room at once", "[whole]") {
  Shack shack;
  const std::string get = "GET /v1/status HTTP/1.1\r\n" + host + token, post = "POST /v1/events HTTP/1.1\r\n" + host + token;
  const std::vector<std::pair<std::string, int>> bad = {
      {get + "X: " + std::string(1 << 20, 'x') + "\r\n\r\n", 431},
      {get + fields(10'000) + "\r\n", 431},
      {get + ranges(10'000) + "\r\n", 431},
      {"GET /" + std::string(1 << 20, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 431},
      {post + "Content-Length: 1048576\r\n\r\n" + std::string(1 << 20, 'x'), 413},
      {post + "Transfer-Encoding: chunked\r\n\r\n100000\r\n" + std::string(1 << 20, 'x') + "\r\n0\r\n\r\n", 413},
      {"PUT /v1/status HTTP/1.1\r\n" + host + token + closing + "Content-Length: 60000\r\n\r\n" + std::string(60'000, 'x'), 405},
      {std::string(1 << 20, '\0'), 400},
  };
  REQUIRE(shack.ask("GET") == 200);
  const Memory before = memory_of(shack.agent().pid());
  if (before.own_kib < 0) return skipped("tracing", "the memory of an agent cannot be looked into");
  for (int round = 0; round < 20; ++round) {
    for (const auto& [bytes, status] : bad) {
      INFO(bytes.substr(0, 60));
      const std::string answer = shack.raw(bytes);
      CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
      if (round > 0) continue;
      std::vector<std::unique_ptr<Visitor>> all;
      for (std::size_t i = 0; i < api::TcpServer::most_connections; ++i) {
        all.push_back(std::make_unique<Visitor>(shack.port()));
        all.back()->send(std::string_view(bytes).substr(0, 70'000));  // as much as one of them can make the agent keep
      }
      all.clear();
      CHECK(eventually([&] { return shack.ask("GET") == 200; }));
    }
  }
  const Memory after = memory_of(shack.agent().pid());
  std::cout << "the agent's own memory grew by " << after.own_kib - before.own_kib << " KiB, all of it by "
            << after.resident_kib - before.resident_kib << " KiB\n";
  CHECK(after.own_kib - before.own_kib < 2 * 1024);
  CHECK(after.resident_kib - before.resident_kib < 2 * 1024);
  CHECK(shack.agent().stop() == 0);
}
