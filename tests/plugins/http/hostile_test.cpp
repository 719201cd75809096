// SPDX-License-Identifier: Apache-2.0
// Servers that misbehave: every request ends by its deadline and says in which phase it was.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catch.hpp"
#include "client.hpp"
#include "fixture.hpp"
#include "servers.hpp"

namespace {

std::string root_url(int port, const std::string& scheme = "http") {
  return scheme + "://127.0.0.1:" + std::to_string(port) + "/";
}

struct Outcome {
  ronda::testing::report report;
  std::chrono::nanoseconds took;
};

Outcome timed(host& h, std::chrono::nanoseconds deadline) {
  const auto begin = std::chrono::steady_clock::now();
  auto report = run_request(h, deadline);
  return {std::move(report), std::chrono::steady_clock::now() - begin};
}

}  // namespace

TEST_CASE("a server that hangs in any phase is critical by the deadline", "[http]") {
  struct Row {
    std::string what, scheme, summary;
    TinyServer::Handler handler;
  };
  const auto row = GENERATE(values<Row>({
      {"says nothing", "http", "timeout while waiting for the first byte of the answer (", wait_for_close},
      {"stalls the handshake", "https", "timeout in the TLS handshake with 127.0.0.1:", wait_for_close},
      {"never ends its header", "http", "timeout while reading the answer, 0 bytes of body so far (",
       [](int fd) {
         read_request(fd);
         send_text(fd, "HTTP/1.1 200 OK\r\n");
         trickle(fd, "X: y\r\n");
       }},
      {"trickles its body", "http", "timeout while reading the answer, ",
       [](int fd) {
         read_request(fd);
         send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
         trickle(fd, "x");
       }},
  }));
  INFO(row.what);
  TinyServer server(row.handler);
  host h;
  set_request(h, root_url(server.port(), row.scheme));
  const auto [report, took] = timed(h, 400ms);
  CHECK(report.is(ronda::status::critical));
  CHECK_THAT(report.summary, Catch::StartsWith(row.summary));
  CHECK(took < 8s);  // without the deadline ten
}

TEST_CASE("a body made against body_regex costs one pass", "[http]") {
  const std::string pattern = GENERATE(as<std::string>(), "x[a-z]*y", "x.*x.*x.*xy", "(x+x+)+y", "(^|x)[a-z]*y$", "(x+)+$y");
  INFO(pattern);
  const std::string body(1 << 20, 'x');
  TinyServer server([&](int fd) {
    read_request(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    wait_for_close(fd);
  });
  host h;
  set_request(h, root_url(server.port()));
  h.set("reuse", 0s).set("expect", node::table{{"body_regex", pattern}});
  const auto [report, took] = timed(h, 10s);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary.find("the body does not match \"" + pattern + "\"") == 0);
  CHECK(took < 3s);
}

TEST_CASE("a connection that nobody accepts is critical after connect_timeout", "[http]") {
  Blackhole hole;
  host h;
  set_request(h, root_url(hole.port()));
  h.set("connect_timeout", 200ms);
  const auto [report, took] = timed(h, 10s);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary.find("timeout while connecting to 127.0.0.1:" + std::to_string(hole.port())) == 0);
  CHECK(took >= 190ms);
  CHECK(took < 8s);  // without the deadline ten
}

TEST_CASE("a server that breaks off is critical with the reason", "[http]") {
  struct Row {
    std::string summary;
    TinyServer::Handler handler;
  };
  const auto row = GENERATE(values<Row>({
      {"the server closed the connection without an answer", [](int fd) { read_request(fd); }},
      {"the connection broke while reading the answer: Connection reset by peer",
       [](int fd) {
         read_request(fd);
         reset(fd);
       }},
      {"the server closed the connection in the middle of the body, after 4 bytes",
       [](int fd) {
         read_request(fd);
         send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
       }},
      {"the answer is not HTTP: Received HTTP/0.9 when not allowed",
       [](int fd) {
         read_request(fd);
         send_text(fd, "220 mail.example ESMTP\r\n");
       }},
      {"the answer's header is larger than 65536 bytes",
       [](int fd) {
         read_request(fd);
         send_text(fd, "HTTP/1.1 200 OK\r\n");
         for (int i = 0; i < 100; ++i) send_text(fd, "X-Filler: " + std::string(1000, 'x') + "\r\n");
         send_text(fd, "\r\n");
       }},
  }));
  TinyServer server(row.handler);
  host h;
  set_request(h, root_url(server.port()));
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary == row.summary);
}

TEST_CASE("a body without end stops at max_body", "[http]") {
  TinyServer server([](int fd) {
    read_request(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(65536, 'x');
    while (send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  host h;
  set_request(h, root_url(server.port()));
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::ok));
  CHECK(report.find("size")->value < 2 << 20);
}

TEST_CASE("a cancelled run ends at once and is unknown", "[http]") {
  host h;
  TinyServer server([&](int fd) {
    read_request(fd);
    h.cancel();
    wait_for_close(fd);
  });
  set_request(h, root_url(server.port()));
  const auto [report, took] = timed(h, 30s);
  CHECK(report.is(ronda::status::unknown));
  CHECK(report.summary == "cancelled");
  CHECK(took < 5s);
}

TEST_CASE("a request whose time is over is a timeout with its phase, though it is cancelled too", "[http]") {
  struct Row {
    std::string what;
    std::chrono::milliseconds time_left;
    http::Exchange::End end;
    std::string failure;
  };
  // a busy host looks only when its own limit and the call's deadline, which cancels, are both behind it
  const auto row = GENERATE(values<Row>({{"its time is over", 0ms, http::Exchange::End::failed, "timeout while "},
                                         {"it has time", 30s, http::Exchange::End::undetermined, "cancelled"}}));
  INFO(row.what);
  TinyServer server(wait_for_close);
  int cancel[2];
  REQUIRE(pipe(cancel) == 0);
  REQUIRE(write(cancel[1], "x", 1) == 1);
  http::Request request;
  const auto url = http::parse_url(root_url(server.port()));
  REQUIRE(static_cast<bool>(url));
  request.url = *url;
  http::Client client;
  const auto exchange = client.perform(request, {}, {row.time_left, cancel[0]});
  CHECK(exchange.end == row.end);
  CHECK_THAT(exchange.failure, Catch::StartsWith(row.failure));
  close(cancel[0]);
  close(cancel[1]);
}

TEST_CASE("the body is sent, with a type that fits", "[http]") {
  auto [body, type] =
      GENERATE(table<std::string, std::string>({{"{\"a\":1}", "application/json"}, {"a=1&b=2", "application/x-www-form-urlencoded"}}));
  std::string seen;
  TinyServer server([&](int fd) {
    seen = read_request(fd);
    send_text(fd, "HTTP/1.1 204 No Content\r\n\r\n");
  });
  host h;
  set_request(h, root_url(server.port()));
  h.set("method", "POST").set("body", body);
  CHECK(run_request(h).is(ronda::status::ok));
  CHECK(seen.find("POST / HTTP/1.1\r\n") == 0);
  CHECK(seen.find("Content-Type: " + type + "\r\n") != std::string::npos);
  CHECK(seen.substr(seen.size() - body.size()) == body);
  CHECK(seen.find("Expect:") == std::string::npos);
}

TEST_CASE("a connection is used again, also by another instance, until reuse is over", "[http]") {
  TinyServer server([](int fd) {
    while (!read_request(fd).empty()) send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  host h;
  set_request(h, root_url(server.port()));
  auto first = request_check(h), second = request_check(h);
  auto report = first.run();
  CHECK(report.is(ronda::status::ok));
  CHECK(report.find("connect")->value > 0);
  for (int i = 0; i < 20; ++i) {
    CHECK(first.run().is(ronda::status::ok));
    report = second.run();
    CHECK(report.is(ronda::status::ok));
  }
  CHECK(report.find("connect")->value == 0);
  CHECK(server.accepted() == 1);
}

TEST_CASE("reuse = 0s makes a connection each time", "[http]") {
  TinyServer server([](int fd) {
    read_request(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    wait_for_close(fd);
  });
  host h;
  set_request(h, root_url(server.port()));
  h.set("reuse", 0s);
  auto check = request_check(h);
  for (int i = 0; i < 3; ++i) CHECK(check.run().is(ronda::status::ok));
  CHECK(server.accepted() == 3);
}

TEST_CASE("a kept connection that the server has closed is made anew without a failure", "[http]") {
  TinyServer server([](int fd) {
    read_request(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  host h;
  set_request(h, root_url(server.port()));
  auto check = request_check(h);
  for (int i = 0; i < 5; ++i) CHECK(check.run().is(ronda::status::ok));
  CHECK(server.accepted() == 5);
}
