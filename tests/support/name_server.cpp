// SPDX-License-Identifier: Apache-2.0
#include "name_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace {

constexpr int a_record = 1;

std::string failed(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

bool raise_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  bool done = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  done = done && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  close(fd);
  return done;
}

bool put_over(const std::string& path, const std::string& text, const char* target) {
  std::ofstream(path) << text;
  return mount(path.c_str(), target, nullptr, MS_BIND, nullptr) == 0;
}

int bound(int type) {
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error(failed("port 53"));
  return fd;
}

void put16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8 & 255);
  out += static_cast<char>(value & 255);
}

unsigned get16(const std::string& in, std::size_t at) {
  return static_cast<unsigned>(static_cast<unsigned char>(in[at])) << 8 | static_cast<unsigned char>(in[at + 1]);
}

/// Whole, or empty.
std::string read_bytes(int fd, std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t got = 0; got < size;) {
    pollfd readable{fd, POLLIN, 0};
    const ssize_t n = poll(&readable, 1, 5000) > 0 ? read(fd, out.data() + got, size - got) : 0;
    if (n <= 0) return {};
    got += static_cast<std::size_t>(n);
  }
  return out;
}

}  // namespace

std::string enter_own_network(const std::string& directory) {
  if (geteuid() != 0) return "a name server of the test's own on port 53, and a resolver that asks it, need root";
  if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return failed("a network namespace of its own");
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("mounts of its own");
  if (!raise_loopback()) return failed("loopback");
  if (!put_over(directory + "/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:2\n", "/etc/resolv.conf"))
    return failed("/etc/resolv.conf");
  const bool has_switch = access("/etc/nsswitch.conf", F_OK) == 0;
  if (has_switch && !put_over(directory + "/nsswitch.conf", "hosts: files dns\n", "/etc/nsswitch.conf"))
    return failed("/etc/nsswitch.conf");
  return {};
}

NameServer::NameServer() : datagrams_(bound(SOCK_DGRAM)), streams_(bound(SOCK_STREAM)) {
  if (listen(streams_, 64) != 0 || pipe2(stop_, O_CLOEXEC) != 0) throw std::runtime_error(failed("the name server"));
  thread_ = std::thread([this] { serve(); });
}

NameServer::~NameServer() {
  close(stop_[1]);
  thread_.join();
  for (const int fd : {stop_[0], datagrams_, streams_}) close(fd);
}

void NameServer::say(const std::string& name, Answer answer) {
  const std::lock_guard lock(mutex_);
  answers_[name] = answer;
}

int NameServer::asked(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = asked_.find(name);
  return found == asked_.end() ? 0 : found->second;
}

void NameServer::serve() {
  while (true) {
    pollfd fds[] = {{datagrams_, POLLIN, 0}, {streams_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    poll(fds, 3, -1);
    if (fds[2].revents != 0) return;
    if (fds[1].revents != 0) serve_stream();
    if (fds[0].revents == 0) continue;
    char query[1500];
    sockaddr_in from{};
    socklen_t length = sizeof from;
    const ssize_t n = recvfrom(datagrams_, query, sizeof query, 0, reinterpret_cast<sockaddr*>(&from), &length);
    const std::string answer = n > 0 ? answer_to(std::string(query, static_cast<std::size_t>(n)), false) : std::string();
    if (!answer.empty()) sendto(datagrams_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
  }
}

/// As many questions as one connection has.
void NameServer::serve_stream() {
  const int fd = accept4(streams_, nullptr, nullptr, SOCK_CLOEXEC);
  for (std::string size = read_bytes(fd, 2); !size.empty(); size = read_bytes(fd, 2)) {
    const std::string answer = answer_to(read_bytes(fd, get16(size, 0)), true);
    std::string framed;
    put16(framed, static_cast<unsigned>(answer.size()));
    framed += answer;
    if (answer.empty() || send(fd, framed.data(), framed.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(framed.size())) break;
  }
  close(fd);
}

std::string NameServer::answer_to(const std::string& query, bool is_stream) {
  constexpr unsigned head = 12;
  std::string name;
  std::size_t at = head;
  while (at < query.size() && query[at] != 0) {
    const auto label = static_cast<std::size_t>(query[at]);
    name += (name.empty() ? "" : ".") + query.substr(at + 1, label);
    at += label + 1;
  }
  if (at + 5 > query.size()) return {};
  const bool wants_address = get16(query, at + 1) == a_record;
  Answer answer = Answer::nxdomain;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = answers_.find(name); found != answers_.end()) answer = found->second;
    asked_[name] += wants_address ? 1 : 0;
  }
  if (answer == Answer::silent) return {};
  const bool is_many = answer == Answer::thousand || answer == Answer::elsewhere;
  unsigned count = !wants_address || answer == Answer::empty ? 0 : is_many ? 1000 : answer == Answer::here ? 1 : 0;
  const bool is_cut = count > 1 && !is_stream;  // it does not fit a datagram: ask again over TCP
  if (is_cut) count = 0;
  const unsigned code = answer == Answer::nxdomain ? 3 : answer == Answer::servfail ? 2 : 0;
  std::string out = query.substr(0, 2);
  put16(out, 0x8180U | (is_cut ? 0x0200U : 0U) | code);
  put16(out, 1);
  put16(out, count);
  put16(out, 0);
  put16(out, 0);
  out += query.substr(head, at + 5 - head);
  for (unsigned i = 0; i < count; ++i) {
    put16(out, 0xC000U | head);  // the name of the question
    put16(out, a_record);
    put16(out, 1);
    put16(out, 0);
    put16(out, 0);  // kept for no time
    put16(out, 4);
    const bool is_here = answer == Answer::here || (answer == Answer::thousand && i == 700);
    out +=
        {127, static_cast<char>(is_here ? 0 : 7), static_cast<char>(is_here ? 0 : i / 250), static_cast<char>(is_here ? 1 : i % 250 + 1)};
  }
  return out;
}
