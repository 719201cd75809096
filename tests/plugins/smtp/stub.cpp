// SPDX-License-Identifier: Apache-2.0
#include "stub.hpp"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>

/// A connection, encrypted from some point on or never. The descriptor is the server's.
class SmtpStub::Wire {
 public:
  Wire(int fd, int stop) : fd_(fd), stop_(stop) {}
  ~Wire() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool is_encrypted() const { return ssl_ != nullptr; }

  bool encrypt(const std::string& certificate, const std::string& key) {
    context_ = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_file(context_, certificate.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1)
      throw std::runtime_error("certificate of the stub");
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, fd_);
    const bool held = SSL_accept(ssl) == 1;
    ssl_ = ssl;
    left_.clear();
    return held;
  }

  void send(const std::string& text) {
    if (ssl_ != nullptr)
      SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
    else
      static_cast<void>(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL));
  }

  /// A line without its CRLF; nothing when the peer is gone or the test is over.
  std::optional<std::string> line() {
    while (true) {
      const auto end = left_.find("\r\n");
      if (end != left_.npos) {
        auto out = left_.substr(0, end);
        left_.erase(0, end + 2);
        return out;
      }
      char bytes[4096];
      if (ssl_ == nullptr || SSL_pending(ssl_) == 0) {
        pollfd fds[] = {{fd_, POLLIN, 0}, {stop_, POLLIN, 0}};
        if (poll(fds, 2, 10000) <= 0 || fds[1].revents != 0) return std::nullopt;
      }
      const auto n = ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : static_cast<int>(read(fd_, bytes, sizeof bytes));
      if (n <= 0) return std::nullopt;
      left_.append(bytes, static_cast<std::size_t>(n));
    }
  }

  void wait_for_close() {
    while (line()) {
    }
  }

 private:
  int fd_, stop_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  std::string left_;
};

SmtpStub::SmtpStub(Script script) : SmtpStub(Options(), std::move(script)) {}

SmtpStub::SmtpStub(Options options, Script script) : options_(std::move(options)), script_(std::move(script)) {
  if (pipe2(stop_, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  server_.emplace([this](int fd) { serve(fd); });
}

SmtpStub::~SmtpStub() {
  ::close(stop_[1]);
  server_.reset();
  ::close(stop_[0]);
}

std::vector<SmtpStub::Mail> SmtpStub::mails() const {
  const std::lock_guard lock(mutex_);
  return mails_;
}

std::vector<std::string> SmtpStub::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

void SmtpStub::serve(int fd) {
  // OpenSSL writes with write(2); of this thread alone, since what the process ignores its children ignore as well
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  Wire wire(fd, stop_[0]);
  const int connection = ++connections_;
  if (!options_.tls_at_once || wire.encrypt(options_.certificate, options_.key)) talk(wire, connection);
}

std::string SmtpStub::answer_to(const std::string& command, int connection, const std::string& usual) {
  const auto told = script_(command, connection);
  return told.empty() ? usual : told;
}

void SmtpStub::talk(Wire& wire, int connection) {
  Mail mail;
  auto say = [&](const std::string& answer) {
    if (answer == silence) wire.wait_for_close();
    if (answer == silence || answer == close) return false;
    wire.send(answer + "\r\n");
    return true;
  };
  if (!say(answer_to("GREETING", connection, "220 stub ESMTP"))) return;
  while (const auto line = wire.line()) {
    {
      const std::lock_guard lock(mutex_);
      lines_.push_back(*line);
    }
    const auto command = line->substr(0, line->find_first_of(" :"));
    std::string usual = "250 fine";
    if (command == "EHLO") {
      usual = "250-stub";
      for (const auto& feature : options_.features)
        if (feature != "STARTTLS" || !wire.is_encrypted()) usual += "\r\n250-" + feature;
      usual += "\r\n250 HELP";
    } else if (command == "AUTH") {
      usual = line->find(' ', 5) == line->npos ? "334 " : "235 welcome";
    } else if (command == "STARTTLS") {
      usual = "220 go ahead";
    } else if (command == "DATA") {
      usual = "354 go ahead";
    } else if (command == "QUIT") {
      usual = "221 bye";
    } else if (command.find('=') != command.npos || command.size() > 12) {
      usual = "235 welcome";  // the second line of a login
    }
    const auto answer = answer_to(command, connection, usual);
    if (!say(answer) || command == "QUIT") return;
    if (command == "STARTTLS" && answer[0] == '2' && (options_.certificate.empty() || !wire.encrypt(options_.certificate, options_.key)))
      return;
    if (command == "MAIL") mail = {*line, "", "", wire.is_encrypted()};
    if (command == "RCPT") mail.to = *line;
    if (command == "DATA" && answer[0] == '3' && !take_mail(wire, connection, mail)) return;
  }
}

bool SmtpStub::take_mail(Wire& wire, int connection, Mail mail) {
  bool is_first = true;
  while (const auto line = wire.line()) {
    if (is_first && script_("BODY", connection) == close) return false;
    is_first = false;
    if (*line == ".") {
      {
        const std::lock_guard lock(mutex_);
        mails_.push_back(std::move(mail));
      }
      const auto answer = answer_to(".", connection, "250 taken");
      if (answer == silence) wire.wait_for_close();
      if (answer == silence || answer == close) return false;
      wire.send(answer + "\r\n");
      return true;
    }
    mail.text += ((*line)[0] == '.' ? line->substr(1) : *line) + "\r\n";
  }
  return false;
}
