// SPDX-License-Identifier: Apache-2.0
// https against a real nginx with certificates made for the test.
#include <ctime>
#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "certificates.hpp"
#include "fixture.hpp"
#include "servers.hpp"

namespace {

struct TlsSite {
  TempDir dir;
  std::time_t made_s = std::time(nullptr);
  int good = free_port(), soon = free_port(), expired = free_port(), wrong = free_port(), own = free_port(), old = free_port(),
      long_expired = free_port(), later = free_port(), plain = free_port();
  Nginx nginx{dir.path(), servers(), good};

  std::string server(int port, const std::string& certificate, const std::string& more = {}) const {
    const auto file = dir.path() + "/" + certificate;
    return "server { listen 127.0.0.1:" + std::to_string(port) + " ssl; ssl_certificate " + file + ".crt; ssl_certificate_key " + file +
           ".key; " + more + " location = /ok { return 200 ok; } location = /down { return 302 http://127.0.0.1:1/; } }\n";
  }

  std::string servers() const {
    const std::vector<std::string> here{"DNS:localhost", "IP:127.0.0.1"};
    make_certificates(dir.path(), {{"good", here},
                                   {"soon", here, -3600, 5 * 86400 + 3600},
                                   {"expired", here, -7200, -3600},
                                   {"long_expired", here, -400L * 86400, -327L * 86400 - 60},
                                   {"later", here, 3 * 86400 + 600, 90L * 86400},
                                   {"wrong", {"DNS:other.example", "DNS:b.example", "DNS:c.example", "DNS:d.example"}},
                                   {"own", here, -3600, 86400 * 30, true}});
    return server(good, "good") + server(soon, "soon") + server(expired, "expired") + server(wrong, "wrong") +
           server(own, "own", "access_log " + dir.path() + "/own.log; ") + server(long_expired, "long_expired") + server(later, "later") +
           "server { listen 127.0.0.1:" + std::to_string(plain) + "; location / { return 200 ok; } }\n" +
           server(old, "good", "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;");
  }

  /// The lines of NAME's access log.
  std::string requests(const std::string& name) const {
    std::ifstream log(dir.path() + "/" + name + ".log");
    return {std::istreambuf_iterator<char>(log), {}};
  }

  std::string ca() const { return dir.path() + "/ca.crt"; }
};

TlsSite& tls_site() {
  static TlsSite only;
  return only;
}

/// The day, in UTC, so many seconds from when the certificates were made.
std::string day_of(long seconds) {
  const std::time_t when = tls_site().made_s + seconds;
  char text[16];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&when)));
}

std::string ok_url(int port) {
  return "https://127.0.0.1:" + std::to_string(port) + "/ok";
}

report run_tls(int port, const TlsOptions& tls) {
  host h;
  set_request(h, ok_url(port));
  set_tls(h, tls);
  return run_request(h);
}

/// One step for each port, at `path`.
report run_steps(const std::vector<int>& ports, const TlsOptions& tls, const std::string& path = "/ok") {
  host h;
  set_defaults(h);
  set_tls(h, tls);
  node::list steps;
  for (const int port : ports) {
    const std::string at = std::to_string(port);
    steps.push_back(node::table{{"name", "at " + at}, {"url", "https://127.0.0.1:" + at + path}, {"method", "GET"}});
  }
  h.set("steps", std::move(steps));
  auto subject = plugin().create(h, RONDA_KIND_CHECK, "http.scenario");
  if (!subject) throw std::runtime_error(subject.error());
  return subject.run(within(10s));
}

}  // namespace

TEST_CASE("a certificate that is trusted is ok, and its end is a metric", "[http]") {
  const auto report = run_tls(tls_site().good, {true, false, tls_site().ca()});
  CHECK(report.is(ronda::status::ok));
  CHECK(report.summary.find("NOT verified") == std::string::npos);
  REQUIRE(report.find("certificate_left") != nullptr);
  CHECK(report.find("certificate_left")->unit == "s");
  CHECK(report.find("certificate_left")->value > 89 * 86400);
  CHECK(report.find("certificate_left")->value <= 90 * 86400);
  CHECK(report.find("tls")->value > 0);
}

TEST_CASE("a kept connection still knows its certificate's end", "[http]") {
  host h;
  set_request(h, ok_url(tls_site().good));
  set_tls(h, {true, false, tls_site().ca()});
  auto check = request_check(h);
  check.run();
  const auto report = check.run();
  CHECK(report.is(ronda::status::ok));
  CHECK(report.find("tls")->value == 0);
  REQUIRE(report.find("certificate_left") != nullptr);
  CHECK(report.find("certificate_left")->value > 89 * 86400);
}

TEST_CASE("a served certificate that ends soon is a warning", "[http]") {
  CHECK(run_tls(tls_site().soon, {true, false, tls_site().ca()}).is(ronda::status::warning));
  CHECK(run_tls(tls_site().soon, {true, false, tls_site().ca()}).summary.find("the certificate ends in 5 days (") == 0);
  CHECK(run_tls(tls_site().soon, {true, false, tls_site().ca(), 3}).is(ronda::status::ok));
}

TEST_CASE("a certificate that is wrong is critical with the reason, never taken", "[http]") {
  struct Row {
    int port;
    std::string summary;
  };
  const auto row = GENERATE(values<Row>({
      {tls_site().expired, "TLS: the certificate of expired expired on " + day_of(-3600) + ", less than a day ago"},
      {tls_site().long_expired, "TLS: the certificate of long_expired expired on " + day_of(-327 * 86400 - 60) + ", 327 days ago"},
      {tls_site().later,
       "TLS: the certificate of later is valid from " + day_of(3 * 86400 + 600) + " on, in 3 days: is the clock of this host right?"},
      {tls_site().wrong, "TLS: the certificate is for other.example, b.example, c.example, ..., not for 127.0.0.1"},
      {tls_site().own, "TLS: the certificate of own is self-signed; to trust it, give it in tls.ca"},
  }));
  const auto report = run_tls(row.port, {true, false, tls_site().ca()});
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary == row.summary);
}

TEST_CASE("looking at a refused certificate sends nothing and leaves the next run as it was", "[http]") {
  host h;
  set_request(h, ok_url(tls_site().own));
  set_tls(h, {true, false, tls_site().ca()});
  h.set("headers", node::table{{"Authorization", "never-seen"}});
  auto check = request_check(h);
  for (int run = 0; run < 3; ++run) CHECK(check.run().summary.find("is self-signed") != std::string::npos);
  CHECK(tls_site().requests("own") == "");
  CHECK(run_tls(tls_site().good, {true, false, tls_site().ca()}).is(ronda::status::ok));
}

TEST_CASE("a CA that the system does not know is critical", "[http]") {
  const auto report = run_tls(tls_site().good, {});
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary ==
        "TLS: the issuer of the certificate of good, test CA, is not known: the server sends too few certificates, or tls.ca must name it");
}

TEST_CASE("a certificate that has expired is critical also where it is not verified", "[http]") {
  const auto report = run_tls(tls_site().long_expired, {false, true, {}, 14});
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary.find("the certificate expired on " + day_of(-327 * 86400 - 60) + ", 327 days ago") == 0);
}

TEST_CASE("without verification the answer is taken, and every summary says so", "[http]") {
  const auto report = run_tls(tls_site().expired, {false, true, {}, 0});
  CHECK(report.is(ronda::status::ok));
  CHECK(report.summary.find("(TLS certificate NOT verified)") != std::string::npos);
  CHECK(report.find("certificate_left")->value < 0);
}

TEST_CASE("a scenario judges the certificate that ends first, and goes on", "[http]") {
  const TlsSite& site = tls_site();
  const auto report = run_steps({site.soon, site.good}, {true, false, site.ca()});
  INFO(report.summary);
  REQUIRE(report.is(ronda::status::warning));
  CHECK(report.summary.find("step at " + std::to_string(site.soon) + ": the certificate ends in 5 days (") == 0);
  CHECK(report.summary.find("), fewer than 14; 2 steps in ") != std::string::npos);
  CHECK(report.find("steps_done")->value == 2);
  REQUIRE(report.find("certificate_left") != nullptr);
  CHECK(report.find("certificate_left")->unit == "s");
  CHECK(report.find("certificate_left")->value > 4 * 86400);
  CHECK(report.find("certificate_left")->value < 6 * 86400);
  CHECK(run_steps({site.soon}, {true, false, site.ca(), 3}).is(ronda::status::ok));
  CHECK(run_steps({site.good}, {true, false, site.ca()}).summary.find("1 steps in ") == 0);
}

TEST_CASE("a scenario that stopped tells of the certificate behind that", "[http]") {
  const auto report = run_steps({tls_site().soon}, {true, false, tls_site().ca()}, "/nothing");
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary.find("step 1 of 1 (at ") == 0);
  CHECK(report.summary.find("HTTP 404") < report.summary.find("the certificate ends in 5 days ("));
}

TEST_CASE("every summary of a scenario without verification says so", "[http]") {
  const std::string said = " (TLS certificate NOT verified)";
  const auto ends_so = [&](const std::string& text) { return text.size() > said.size() && text.substr(text.size() - said.size()) == said; };
  const TlsSite& site = tls_site();
  const auto taken = run_steps({site.own, site.wrong}, {false, true, {}});
  CHECK(taken.is(ronda::status::ok));
  CHECK(ends_so(taken.summary));
  const auto stopped = run_steps({site.own}, {false, true, {}}, "/nothing");
  CHECK(stopped.is(ronda::status::critical));
  CHECK(ends_so(stopped.summary));
  const auto expired = run_steps({site.good, site.long_expired}, {false, true, {}});
  CHECK(expired.is(ronda::status::critical));
  CHECK(expired.summary.find("the certificate expired on " + day_of(-327 * 86400 - 60) + ", 327 days ago; 2 steps in ") !=
        std::string::npos);
  CHECK(ends_so(expired.summary));
  CHECK(run_steps({site.expired}, {false, true, {}, 0}).is(ronda::status::ok));
  CHECK(run_steps({site.good}, {true, false, site.ca()}).summary.find("NOT verified") == std::string::npos);
}

TEST_CASE("a connection made without verification is not used by a check that verifies", "[http]") {
  host careless, careful;
  set_request(careless, ok_url(tls_site().own));
  set_tls(careless, {false, true, {}, 0});
  set_request(careful, ok_url(tls_site().own));
  set_tls(careful, {true, false, tls_site().ca()});
  auto first = request_check(careless), second = request_check(careful);
  CHECK(first.run().is(ronda::status::ok));
  CHECK(second.run().is(ronda::status::critical));
  CHECK(first.run().is(ronda::status::ok));
}

TEST_CASE("TLS older than 1.2 is refused", "[http]") {
  const auto report = run_tls(tls_site().old, {true, false, tls_site().ca()});
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary.find("TLS: ") == 0);
  CHECK(report.summary.find("protocol version") != std::string::npos);
}

TEST_CASE("certificates that cannot be read are our own fault", "[http]") {
  const auto report = run_tls(tls_site().good, {true, false, "/nonexistent.crt"});
  CHECK(report.is(ronda::status::unknown));
  CHECK(report.summary.find("the certificates in tls.ca cannot be read: ") == 0);
}

TEST_CASE("a redirect from https to http is refused", "[http]") {
  host h;
  set_request(h, "https://127.0.0.1:" + std::to_string(tls_site().good) + "/down");
  set_tls(h, {true, false, tls_site().ca()});
  h.set("follow_redirects", true);
  const auto report = run_request(h);
  CHECK(report.is(ronda::status::critical));
  CHECK(report.summary == "redirect from https to http refused: http://127.0.0.1:1/");
}

TEST_CASE("https to a port of plain text says so", "[http]") {
  const std::string hint = " does not speak TLS on this port: should the URL begin with http://, or name another port?";
  SECTION("nginx") {
    const auto report = run_tls(tls_site().plain, {});
    CHECK(report.is(ronda::status::critical));
    CHECK(report.summary == "TLS: 127.0.0.1:" + std::to_string(tls_site().plain) + hint);
  }
  SECTION("a server that greets first") {
    TinyServer server([](int fd) {
      send_text(fd, "SSH-2.0-OpenSSH_9.2\r\n");
      wait_for_close(fd);
    });
    const auto report = run_tls(server.port(), {});
    CHECK(report.is(ronda::status::critical));
    CHECK(report.summary == "TLS: 127.0.0.1:" + std::to_string(server.port()) + hint);
  }
}
