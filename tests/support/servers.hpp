// SPDX-License-Identifier: Apache-2.0
// Servers for tests, on loopback and free ports: a real nginx with a configuration of the test's, and a small one of
// ours for what nginx cannot be made to do. Each ends with its object.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

/// A directory that is gone, with all in it, at the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A port that was free a moment ago.
int free_port();

class Nginx {
 public:
  /// `servers` is what stands inside http {}; `port` is one that it listens on, waited for.
  Nginx(const std::string& dir, const std::string& servers, int port);
  ~Nginx();
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

 private:
  int pid_ = -1;
};

/// Accepts one connection after the other and lets the handler do what it wants with it.
class TinyServer {
 public:
  using Handler = std::function<void(int fd)>;
  explicit TinyServer(Handler handler);
  ~TinyServer();
  TinyServer(const TinyServer&) = delete;
  TinyServer& operator=(const TinyServer&) = delete;
  int port() const { return port_; }
  int accepted() const;

 private:
  void serve();

  Handler handler_;
  int listener_ = -1, stop_[2] = {-1, -1}, port_ = 0;
  std::atomic<int> accepted_{0};
  std::thread thread_;
};

/// A port to which connections hang: its queue is full and nobody accepts.
class Blackhole {
 public:
  Blackhole();
  ~Blackhole();
  Blackhole(const Blackhole&) = delete;
  Blackhole& operator=(const Blackhole&) = delete;
  int port() const { return port_; }

 private:
  int listener_ = -1, port_ = 0;
  std::vector<int> fillers_;
};

/// Reads a request with its body (by Content-Length) as it came.
std::string read_request(int fd);
void send_text(int fd, const std::string& text);
/// Returns when the peer has closed, or after 10 s.
void wait_for_close(int fd);
/// Sends `piece` every 20 ms until the peer has closed.
void trickle(int fd, const std::string& piece);
/// Its end will be a reset.
void reset(int fd);
