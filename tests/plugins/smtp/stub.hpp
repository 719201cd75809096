// SPDX-License-Identifier: Apache-2.0
// A mail server that does what a test tells it to, on loopback and a free port: for what no real one can be made to do.
// One connection after the other, in a thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/servers.hpp"

class SmtpStub {
 public:
  /// What to answer to a command: a reply without its line's end, or one of these, or "" for what a server usually says.
  /// Besides the commands there are GREETING, BODY (the first bytes of a mail came) and . (all of it).
  static constexpr const char* close = "!close";
  static constexpr const char* silence = "!silence";
  using Script = std::function<std::string(const std::string& command, int connection)>;

  struct Options {
    std::vector<std::string> features = {"STARTTLS", "AUTH PLAIN LOGIN", "8BITMIME"};
    std::string certificate, key;  ///< files; empty: STARTTLS is answered and then there is no handshake
    bool tls_at_once = false;
  };
  struct Mail {
    std::string from, to, text;  ///< as the command had them; lines end in \r\n, dots as they were meant
    bool encrypted = false;
  };

  SmtpStub(Options options, Script script);
  explicit SmtpStub(Script script);
  ~SmtpStub();
  SmtpStub(const SmtpStub&) = delete;
  SmtpStub& operator=(const SmtpStub&) = delete;

  int port() const { return server_->port(); }
  int connections() const { return connections_; }
  std::vector<Mail> mails() const;
  /// All lines that came, of all connections, but for those of mails.
  std::vector<std::string> lines() const;

 private:
  class Wire;
  void serve(int fd);
  void talk(Wire& wire, int connection);
  bool take_mail(Wire& wire, int connection, Mail mail);
  std::string answer_to(const std::string& command, int connection, const std::string& usual);

  Options options_;
  Script script_;
  int stop_[2] = {-1, -1};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<Mail> mails_;
  std::vector<std::string> lines_;
  std::optional<TinyServer> server_;
};
