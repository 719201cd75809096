// SPDX-License-Identifier: Apache-2.0
#include "servers.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int listen_on(int port, int backlog) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, backlog) != 0)
    throw std::runtime_error("cannot listen on loopback");
  return fd;
}

int port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

bool can_connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

}  // namespace

TempDir::TempDir() {
  std::string path = "/tmp/ronda-test-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = path;
}

TempDir::~TempDir() {
  std::filesystem::remove_all(path_);
}

int free_port() {
  const int fd = listen_on(0, 1);
  const int port = port_of(fd);
  close(fd);
  return port;
}

Nginx::Nginx(const std::string& dir, const std::string& servers, int port) {
  std::ofstream(dir + "/nginx.conf") << "daemon off; master_process off; pid " << dir << "/nginx.pid;\n"
                                     << "error_log " << dir << "/error.log;\n"
                                     << "events { worker_connections 512; }\n"
                                     << "http { access_log off; default_type application/json; client_body_temp_path " << dir
                                     << "/body; proxy_temp_path " << dir << "/proxy; fastcgi_temp_path " << dir
                                     << "/fastcgi; uwsgi_temp_path " << dir << "/uwsgi; scgi_temp_path " << dir << "/scgi;\n"
                                     << servers << "}\n";
  std::vector<std::string> words{"/usr/sbin/nginx", "-p", dir, "-c", dir + "/nginx.conf", "-e", dir + "/error.log"};
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (posix_spawn(&pid_, argv[0], nullptr, nullptr, argv.data(), environ) != 0)
    throw std::runtime_error("nginx does not start: is nginx-light installed?");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!can_connect(port)) {
    if (std::chrono::steady_clock::now() > end || waitpid(pid_, nullptr, WNOHANG) == pid_)
      throw std::runtime_error("nginx does not listen: see " + dir + "/error.log");
    poll(nullptr, 0, 5);
  }
}

Nginx::~Nginx() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

TinyServer::TinyServer(Handler handler) : handler_(std::move(handler)), listener_(listen_on(0, 16)) {
  port_ = port_of(listener_);
  if (pipe2(stop_, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  thread_ = std::thread([this] { serve(); });
}

TinyServer::~TinyServer() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(listener_);
}

int TinyServer::accepted() const {
  return accepted_;
}

void TinyServer::serve() {
  while (true) {
    pollfd fds[] = {{listener_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    poll(fds, 2, -1);
    if (fds[1].revents != 0) return;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++accepted_;
    handler_(fd);
    close(fd);
  }
}

Blackhole::Blackhole() : listener_(listen_on(0, 0)), port_(port_of(listener_)) {
  const auto address = loopback(port_);
  for (int i = 0; i < 3; ++i) {
    fillers_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    connect(fillers_.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
}

Blackhole::~Blackhole() {
  for (const int fd : fillers_) close(fd);
  close(listener_);
}

std::string read_request(int fd) {
  std::string request;
  char bytes[4096];
  while (true) {
    const auto end = request.find("\r\n\r\n");
    if (end != request.npos) {
      const auto length = request.find("Content-Length: ");
      const auto size = length < end ? std::strtoul(request.c_str() + length + 16, nullptr, 10) : 0;
      if (request.size() >= end + 4 + size) return request;
    }
    const auto n = read(fd, bytes, sizeof bytes);
    if (n <= 0) return request;
    request.append(bytes, static_cast<std::size_t>(n));
  }
}

void send_text(int fd, const std::string& text) {
  send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

void wait_for_close(int fd) {
  char bytes[4096];
  pollfd readable{fd, POLLIN, 0};
  while (poll(&readable, 1, 10000) > 0 && read(fd, bytes, sizeof bytes) > 0) {
  }
}

void trickle(int fd, const std::string& piece) {
  pollfd closed{fd, POLLRDHUP, 0};
  while (send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) > 0 && poll(&closed, 1, 20) == 0) {
  }
}

void reset(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}
