// SPDX-License-Identifier: Apache-2.0
// The plugin as a file under the SDK's fake host, with the manifest's defaults, and certificates for the servers of a test.
#pragma once

#include <ronda/testing.hpp>

#include <string>

#include "certificates.hpp"
#include "servers.hpp"

using namespace std::chrono_literals;
using ronda::delivery_status;
using ronda::testing::host;
using ronda::testing::message_options;
using ronda::testing::node;
using ronda::testing::report;

inline const std::string password = "canary-7d31-secret";

inline const ronda::testing::library& plugin() {
  static const ronda::testing::library loaded(RONDA_BINARY_DIR "/plugins/smtp.so");
  return loaded;
}

/// server.crt and .key for "localhost", of an authority ca.crt; expired, other (another name) and own (self-signed).
inline void make_mail_certificates(const std::string& dir) {
  const std::vector<std::string> local = {"DNS:localhost", "IP:127.0.0.1"};
  make_certificates(dir, {{"server", local, -3600, 86400, false},
                          {"expired", local, -7200, -3600, false},
                          {"other", {"DNS:mail.example.com"}, -3600, 86400, false},
                          {"own", local, -3600, 86400, true}});
}

struct Sender {
  std::string security = "starttls", ca = {};
  bool login = true;
  std::string server_host = "localhost";
};

inline void configure(host& h, int port, const Sender& how) {
  h.set("server", how.server_host + ":" + std::to_string(port)).set("from", "Ronda <ronda@example.com>").set("security", how.security);
  h.set("connect_timeout", 5s).set("hello", "agent.test.invalid");
  node::table tls;
  if (!how.ca.empty()) tls.emplace_back("ca", how.ca);
  h.set("tls", tls);
  if (how.login) h.set("username", "ronda").set_secret("password", password);
}

inline message_options message_to(const std::string& to, const std::string& id = "m-1") {
  message_options m;
  m.id = id, m.to = to, m.title = "API is down", m.body = "connection refused\n", m.incident = "I-7";
  return m;
}

inline ronda::testing::subject notifier(host& h) {
  auto subject = plugin().create(h, RONDA_KIND_NOTIFIER, "smtp");
  if (!subject) throw std::runtime_error(subject.error());
  return subject;
}

inline report deliver(host& h, const message_options& m, std::chrono::nanoseconds deadline = 10s) {
  auto subject = notifier(h);
  ronda::testing::run_options how;
  how.deadline = deadline;
  return subject.deliver(m, how);
}
