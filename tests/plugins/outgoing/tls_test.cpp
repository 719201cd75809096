// SPDX-License-Identifier: Apache-2.0
// https against a real nginx with certificates made for the test: what cannot be trusted gets no byte of the message.
// Part of the test program of each notifier that posts over HTTP.
#include <fstream>
#include <iterator>

#include "catch.hpp"
#include "certificates.hpp"
#include "servers.hpp"
#include "under_test.hpp"

namespace {

struct Site {
  TempDir dir;
  int good = free_port(), expired = free_port(), later = free_port(), wrong = free_port(), own = free_port(), old = free_port(),
      plain = free_port();
  Nginx nginx{dir.path(), servers(), good};

  std::string server(int port, const std::string& certificate, const std::string& more = {}) const {
    const auto file = dir.path() + "/" + certificate;
    return "server { listen 127.0.0.1:" + std::to_string(port) + " ssl; ssl_certificate " + file + ".crt; ssl_certificate_key " + file +
           ".key; " + more + location() + " }\n";
  }

  std::string location() const {
    return "access_log " + dir.path() + "/access.log; location / { default_type application/json; return 200 '" + under_test().accepted +
           "'; }";
  }

  std::string servers() const {
    const std::vector<std::string> here{"DNS:localhost", "IP:127.0.0.1"};
    make_certificates(dir.path(), {{"good", here},
                                   {"expired", here, -7200, -3600},
                                   {"later", here, 3 * 86400, 90L * 86400},
                                   {"wrong", {"DNS:other.example"}},
                                   {"own", here, -3600, 86400 * 30, true}});
    return server(good, "good") + server(expired, "expired") + server(later, "later") + server(wrong, "wrong") + server(own, "own") +
           server(old, "good", "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0; ") +
           "server { listen 127.0.0.1:" + std::to_string(plain) + "; " + location() + " }\n";
  }

  std::string requests() const {
    std::ifstream log(dir.path() + "/access.log");
    return {std::istreambuf_iterator<char>(log), {}};
  }
};

Site& site() {
  static Site only;
  return only;
}

report deliver_to(int port, const std::string& ca, std::chrono::nanoseconds deadline = 30s) {
  host h;
  prepare(h, "https://127.0.0.1:" + std::to_string(port));
  h.set("connect_timeout", 30s);  // of a busy host
  if (!ca.empty()) h.set("tls", node::table{{"ca", ca}});
  return deliver(h, under_test().message, deadline);
}

}  // namespace

TEST_CASE("a certificate of tls.ca is trusted", "[notifier]") {
  const auto report = deliver_to(site().good, site().dir.path() + "/ca.crt");
  INFO(report.summary);
  CHECK(report.is(delivery_status::delivered));
}

TEST_CASE("without tls.ca the system's certificates decide", "[notifier]") {
  const auto report = deliver_to(site().good, "");
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary == "TLS: the certificate of 127.0.0.1:" + std::to_string(site().good) +
                              " is of an issuer that is not known; to trust it, give it in tls.ca");
}

TEST_CASE("to whom cannot be trusted nothing is sent, with the reason", "[notifier]") {
  struct Row {
    int port;
    std::string reason;
  };
  const auto row = GENERATE(values<Row>({
      {site().expired, "TLS: the certificate of PEER has expired"},
      {site().later, "TLS: the certificate of PEER is not valid yet: is the clock of this host right?"},
      {site().wrong, "TLS: the certificate of PEER is for another name"},
      {site().own, "TLS: the certificate of PEER is self-signed; to trust it, give it in tls.ca"},
      {site().plain, "TLS: PEER does not speak TLS on this port"},
  }));
  const auto before = site().requests();
  const auto report = deliver_to(row.port, site().dir.path() + "/ca.crt");
  auto expected = row.reason;
  expected.replace(expected.find("PEER"), 4, "127.0.0.1:" + std::to_string(row.port));
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary == expected);
  if (row.port != site().plain) CHECK(site().requests() == before);  // where TLS's first bytes are a bad request
}

TEST_CASE("a server that speaks only an old TLS is refused", "[notifier]") {
  const auto report = deliver_to(site().old, site().dir.path() + "/ca.crt");
  CHECK(report.is(delivery_status::retry));
  CHECK_THAT(report.summary, Catch::StartsWith("TLS: "));
}

TEST_CASE("a handshake that stalls ends by the deadline", "[notifier]") {
  TinyServer server(wait_for_close);
  const auto report = deliver_to(server.port(), "", 400ms);
  CHECK(report.is(delivery_status::retry));
  CHECK(report.summary == "timeout in the TLS handshake with 127.0.0.1:" + std::to_string(server.port()));
}

TEST_CASE("certificates that cannot be read are told as that", "[notifier]") {
  const auto report = deliver_to(site().good, "/nonexistent/ca.crt");
  CHECK(report.is(delivery_status::retry));
  CHECK_THAT(report.summary, Catch::StartsWith("the certificates in tls.ca cannot be read: "));
}
