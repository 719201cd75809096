// SPDX-License-Identifier: Apache-2.0
// Whatever a sink does wrong ends in a retry or in a drop with the reason, by the deadline, and gives no secret away.
// Part of the test program of each notifier that posts over HTTP.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <ctime>

#include "catch.hpp"
#include "sink.hpp"
#include "skip.hpp"
#include "under_test.hpp"

namespace {

struct Timed {
  ronda::testing::report report;
  std::chrono::nanoseconds took;
};

Timed deliver_to(int port, std::chrono::nanoseconds deadline = 10s, std::chrono::milliseconds connect_timeout = 5s,
                 const std::string& address = "127.0.0.1") {
  host h;
  prepare(h, "http://" + address + ":" + std::to_string(port));
  h.set("connect_timeout", connect_timeout);
  const auto begin = std::chrono::steady_clock::now();
  auto report = deliver(h, under_test().message, deadline);
  CHECK(h.broken().empty());
  return {std::move(report), std::chrono::steady_clock::now() - begin};
}

report deliver_to(const Sink& sink) {
  host h;
  prepare(h, sink.base());
  return deliver(h, under_test().message);
}

/// How long the core is asked to wait.
std::chrono::seconds asked_wait(const report& report) {
  if (report.again_at == ronda::wall_time()) return 0s;
  return std::chrono::duration_cast<std::chrono::seconds>(report.again_at - ronda::wall_time(std::chrono::seconds(test_now_s)));
}

std::string http_date(std::int64_t when_s) {
  const std::time_t when = when_s;
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&when)));
}

/// This thread's network is its own until the end. It has nothing in it but one route, which says that there is none.
class NoNetwork {
 public:
  NoNetwork() : made_(unshare(CLONE_NEWNET) == 0 && std::system("ip route add unreachable 192.0.2.0/24") == 0) {}
  ~NoNetwork() {
    setns(home_, CLONE_NEWNET);
    close(home_);
  }
  NoNetwork(const NoNetwork&) = delete;
  NoNetwork& operator=(const NoNetwork&) = delete;

  bool is_made() const { return made_; }

 private:
  int home_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  bool made_;
};

}  // namespace

TEST_CASE("a sink that takes the message is told one time", "[notifier]") {
  Sink sink(http_answer(200, under_test().accepted));
  const auto report = deliver_to(sink);
  INFO(report.summary << report.error);
  CHECK(report.is(delivery_status::delivered));
  REQUIRE(sink.requests().size() == 1);
  CHECK(sink.requests()[0].method == "POST");
}

TEST_CASE("a port where nobody listens is tried again", "[notifier]") {
  const int port = free_port();
  const auto [report, took] = deliver_to(port);
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary == "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_CASE("a host to which no way leads is tried again", "[notifier]") {
  const NoNetwork nothing;
  if (!nothing.is_made()) return ronda::test::skipped("own-network", "this user may not make a network");
  const auto [address, why] = GENERATE(table<std::string, std::string>({
      {"192.0.2.1", "No route to host"},
      {"198.51.100.1", "Network is unreachable"},
  }));
  const auto [report, took] = deliver_to(443, 10s, 5s, address);
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary == "cannot connect to " + address + ":443: " + why);
  CHECK(took < 3s);
}

TEST_CASE("a connection that nobody accepts is tried again after connect_timeout", "[notifier]") {
  Blackhole hole;
  const auto [report, took] = deliver_to(hole.port(), 10s, 200ms);
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary == "timeout while connecting to 127.0.0.1:" + std::to_string(hole.port()));
  CHECK(took < 3s);
}

TEST_CASE("a sink that does not come to an end is left at the deadline and tried again", "[notifier]") {
  struct Row {
    std::string what;
    std::chrono::milliseconds deadline;  // of those that answer long enough for the answer to begin on a busy host
    std::string summary;
    TinyServer::Handler handler;
  };
  const auto row = GENERATE(values<Row>({
      {"says nothing", 400ms, "timeout while waiting for the answer of PEER; the message may have arrived", wait_for_close},
      {"never ends its header", 2s, "timeout while reading the answer of PEER",
       [](int fd) {
         read_request(fd);
         send_text(fd, "HTTP/1.1 200 OK\r\n");
         trickle(fd, "X: y\r\n");
       }},
      {"trickles its body", 2s, "timeout while reading the answer of PEER",
       [](int fd) {
         read_request(fd);
         send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
         trickle(fd, "x");
       }},
  }));
  INFO(row.what);
  TinyServer server(row.handler);
  const auto [report, took] = deliver_to(server.port(), row.deadline);
  CHECK(report.is(delivery_status::retry));
  auto expected = row.summary;
  expected.replace(expected.find("PEER"), 4, "127.0.0.1:" + std::to_string(server.port()));
  CHECK(report.summary == expected);
  CHECK(took < 8s);
}

TEST_CASE("a sink that breaks off is tried again", "[notifier]") {
  struct Row {
    std::string summary;
    TinyServer::Handler handler;
  };
  const auto row = GENERATE(values<Row>({
      {"PEER closed the connection without an answer; the message may have arrived", [](int fd) { read_request(fd); }},
      {"the connection to PEER broke before its answer was whole: Connection reset by peer",
       [](int fd) {
         read_request(fd);
         reset(fd);
       }},
      {"PEER closed the connection in the middle of its answer",
       [](int fd) {
         read_request(fd);
         send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
       }},
      {"the answer of PEER is not HTTP: Received HTTP/0.9 when not allowed",
       [](int fd) {
         read_request(fd);
         send_text(fd, "SSH-2.0-OpenSSH_9.2\r\n");
       }},
      {"the header of the answer is larger than 65536 bytes",
       [](int fd) {
         read_request(fd);
         send_text(fd, "HTTP/1.1 200 OK\r\n");
         trickle(fd, "X: " + std::string(30000, 'y') + "\r\n");
       }},
  }));
  TinyServer server(row.handler);
  const auto [report, took] = deliver_to(server.port());
  CHECK(report.is(delivery_status::retry));
  auto expected = row.summary;
  if (const auto at = expected.find("PEER"); at != expected.npos) expected.replace(at, 4, "127.0.0.1:" + std::to_string(server.port()));
  CHECK(report.summary == expected);
}

TEST_CASE("of an answer without end no more than 64 KiB is read", "[notifier]") {
  std::atomic<std::size_t> sent{0};
  TinyServer server([&](int fd) {
    read_request(fd);
    send_text(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 10737418240\r\n\r\n");
    const std::string piece(65536, 'x');
    while (send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) > 0) sent += piece.size();
  });
  const auto [report, took] = deliver_to(server.port());
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary == "HTTP 503");
  CHECK(sent < (std::size_t{64} << 20));  // what fits into the sockets between
  CHECK(took < 5s);
}

TEST_CASE("a status that may pass is tried again", "[notifier]") {
  const int status = GENERATE(408, 425, 429, 500, 501, 502, 503, 504, 599);
  Sink sink(http_answer(status, "busy"));
  const auto report = deliver_to(sink);
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary.find("HTTP " + std::to_string(status)) == 0);
  CHECK(asked_wait(report) == 0s);
  CHECK(sink.requests().size() == 1);
}

TEST_CASE("Retry-After is kept to, up to one hour", "[notifier]") {
  struct Row {
    std::string header;
    std::chrono::seconds wait;
  };
  const auto row = GENERATE(values<Row>({
      {"17", 17s},
      {http_date(test_now_s + 90), 90s},
      {http_date(test_now_s - 90), 0s},
      {http_date(test_now_s + 86400), 3600s},
      {"3601", 3600s},
      {"99999999999999999999999999", 3600s},
      {"-5", 0s},
      {"soon", 0s},
      {"", 0s},
  }));
  const int status = GENERATE(429, 503);
  INFO(row.header);
  Sink sink(http_answer(status, "busy", "Retry-After: " + row.header + "\r\n"));
  const auto report = deliver_to(sink);
  CHECK(report.is(delivery_status::retry));
  CHECK(asked_wait(report) == row.wait);
}

TEST_CASE("a status that says no is dropped with the reason", "[notifier]") {
  const int status = GENERATE(400, 401, 403, 404, 405, 410, 413, 451);
  Sink sink(http_answer(status, "the reason,\r\n in words"));
  const auto report = deliver_to(sink);
  CHECK(report.is(delivery_status::drop));
  INFO(report.summary);
  CHECK(report.summary.find("HTTP " + std::to_string(status) + ": the reason, in words") == 0);
  CHECK(sink.requests().size() == 1);
}

TEST_CASE("a redirect is not followed", "[notifier]") {
  const int status = GENERATE(301, 302, 303, 307, 308);
  Sink elsewhere(http_answer(200, under_test().accepted));
  Sink sink(http_answer(status, "", "Location: " + elsewhere.base() + "/\r\n"));
  const auto report = deliver_to(sink);
  CHECK(report.is(delivery_status::drop));
  CHECK(report.summary == "HTTP " + std::to_string(status) + "; redirects are not followed: give the URL that it leads to");
  CHECK(elsewhere.requests().empty());
}

TEST_CASE("a cancelled delivery comes back at once and is tried again", "[notifier]") {
  TinyServer server(wait_for_close);
  host h;
  prepare(h, "http://127.0.0.1:" + std::to_string(server.port()));
  h.cancel();
  const auto begin = std::chrono::steady_clock::now();
  const auto report = deliver(h, under_test().message);
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary.find("cancelled ") == 0);
  CHECK(std::chrono::steady_clock::now() - begin < 3s);
}

TEST_CASE("a proxy of the environment is not used", "[notifier]") {
  Sink proxy(http_answer(200, under_test().accepted));
  Sink sink(http_answer(200, under_test().accepted));
  setenv("http_proxy", proxy.base().c_str(), 1);
  setenv("all_proxy", proxy.base().c_str(), 1);
  CHECK(deliver_to(sink).is(delivery_status::delivered));
  unsetenv("http_proxy");
  unsetenv("all_proxy");
  CHECK(proxy.requests().empty());
  CHECK(sink.requests().size() == 1);
}

TEST_CASE("with a proxy the message goes through it", "[notifier]") {
  Sink proxy(http_answer(200, under_test().accepted));
  host h;
  prepare(h, "http://sink.invalid:80");
  h.set_secret("proxy", proxy.base());
  const auto report = deliver(h, under_test().message);
  CHECK(report.is(delivery_status::delivered));
  REQUIRE(proxy.requests().size() == 1);
  CHECK(proxy.requests()[0].target.find("http://sink.invalid/") == 0);
}

TEST_CASE("what a sink repeats of the secrets is in no result and no log", "[notifier]") {
  REQUIRE_FALSE(under_test().canaries.empty());
  const int status = GENERATE(200, 400, 404, 503);
  Sink sink([&](const SinkRequest& request) {
    std::string echo = "nothing at " + request.target;
    for (const auto& canary : under_test().canaries) echo += " " + canary;
    return http_answer(status, echo);
  });
  host h;
  prepare(h, sink.base());
  const auto report = deliver(h, under_test().message);
  std::string told = report.summary + report.detail + report.error;
  for (const auto& line : h.logs()) told += line.text;
  INFO(told);
  for (const auto& canary : under_test().canaries) CHECK(told.find(canary) == std::string::npos);
  if (status == 404) CHECK(told.find("***") != std::string::npos);  // it was there to be taken out
}

TEST_CASE("what is cut of a sink's answer does not end in the head of a secret", "[notifier]") {
  const auto canaries = under_test().canaries;
  const int before = GENERATE(range(170, 200));
  Sink sink([&](const SinkRequest&) { return http_answer(400, std::string(static_cast<std::size_t>(before), '.') + canaries.front()); });
  host h;
  prepare(h, sink.base());
  const auto report = deliver(h, under_test().message);
  INFO(report.summary);
  CHECK(report.summary.find(canaries.front().substr(0, 6)) == std::string::npos);
}
