// SPDX-License-Identifier: Apache-2.0
// Debian's Exim as a mail server of the test's own: its configuration, spool and log in one directory, on free ports of loopback,
// as nobody where the test is root, ended with its object. It takes mail by login "ronda" over TLS only, for anybody but
// nobody-here@ any host, and leaves each as a file.
#pragma once

#include <string>
#include <vector>

class Exim {
 public:
  /// `dir` has server.crt and server.key.
  Exim(const std::string& dir, const std::string& password);
  ~Exim();
  Exim(const Exim&) = delete;
  Exim& operator=(const Exim&) = delete;

  /// Whether Debian's package is here.
  static bool is_installed();

  int port() const { return port_; }
  int tls_port() const { return tls_port_; }
  /// What has been delivered once there are `count` mails, the oldest first; throws after 10 s.
  std::vector<std::string> mails(std::size_t count) const;
  std::string log() const;

 private:
  std::string dir_;
  int port_, tls_port_, pid_ = -1;
};
