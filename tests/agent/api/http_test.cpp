// SPDX-License-Identifier: Apache-2.0
// The door on the Unix socket: whose place it takes, whom it lets in, and how many.
#include "api/http.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/io_context.hpp>

#include <array>
#include <limits>
#include <string>
#include <thread>

#include "api/peer.hpp"
#include "base/descriptor.hpp"
#include "catch.hpp"
#include "scratch.hpp"

using namespace ronda;
using namespace ronda::api;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view get = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

Descriptor make_socket() {
  return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

bool connect_to(const Descriptor& socket, const std::string& path) {
  const sockaddr_un address = address_of(path);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// Runs the loop until something is so; for at most ten seconds.
bool until(boost::asio::io_context& loop, const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    loop.restart();
    if (loop.poll() == 0) std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// What comes first on a connection; empty when nothing does.
std::string first_bytes(boost::asio::io_context& loop, const Descriptor& socket) {
  std::array<char, 4096> buffer{};
  ssize_t got = -1;
  until(loop, [&] { return (got = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) >= 0; });
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

std::string ask(boost::asio::io_context& loop, const Descriptor& socket) {
  ::send(socket.get(), get.data(), get.size(), MSG_NOSIGNAL);
  return first_bytes(loop, socket);
}

Role operates(uid_t, gid_t, const std::vector<gid_t>&, pid_t) {
  return Role::operator_;
}
void fine(const Request&, const Respond& respond) {
  respond({200, "{}", "application/json"});
}

}  // namespace

TEST_CASE("an agent takes the place of a dead one only, and takes away only what is its own", "[api]") {
  const Scratch scratch;
  const std::string path = scratch / "socket";
  boost::asio::io_context loop;
  auto first = UnixServer::open(loop, path, operates, fine, nullptr);
  REQUIRE(first);
  struct stat before {
  }, after{};
  REQUIRE(::lstat(path.c_str(), &before) == 0);

  const auto second = UnixServer::open(loop, path, operates, fine, nullptr);
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == Errc::exists);
  CHECK(second.error().message().find("is served by another process") != std::string::npos);
  REQUIRE(::lstat(path.c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  const Descriptor caller = make_socket();
  REQUIRE(connect_to(caller, path));
  CHECK(ask(loop, caller).starts_with("HTTP/1.1 200"));

  // somebody took its name away and put another socket there: that one stays
  REQUIRE(::unlink(path.c_str()) == 0);
  const Descriptor dead = make_socket();
  const sockaddr_un address = address_of(path);
  REQUIRE(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  first->reset();
  CHECK(::lstat(path.c_str(), &after) == 0);

  // bound and not listened on: nobody is there, which is what a dead agent leaves
  auto third = UnixServer::open(loop, path, operates, fine, nullptr);
  REQUIRE(third);
  third->reset();
  CHECK(::lstat(path.c_str(), &after) != 0);
}

TEST_CASE("a connection whose maker has gone speaks for nobody", "[api]") {
  const Scratch scratch;
  boost::asio::io_context loop;
  const auto server = UnixServer::open(loop, scratch / "socket", operates, fine, nullptr);
  REQUIRE(server);
  const bool is_served_meanwhile = GENERATE(false, true);
  INFO((is_served_meanwhile ? "it was accepted before" : "it is accepted afterwards"));
  const Descriptor left = make_socket();
  std::array<int, 2> wait{};
  REQUIRE(::pipe2(wait.data(), O_CLOEXEC) == 0);
  Descriptor wait_read(wait[0]), wait_write(wait[1]);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(wait[1]);
    const bool connected = connect_to(left, scratch / "socket");
    char byte = 0;
    (void)!::read(wait[0], &byte, 1);
    ::_exit(connected ? 0 : 1);
  }
  if (is_served_meanwhile) {
    CHECK(until(loop, [&] { return (*server)->connections() == 1; }));
    CHECK(ask(loop, left).starts_with("HTTP/1.1 200"));
  }
  wait_write.reset();
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  CHECK(ask(loop, left).starts_with("HTTP/1.1 403"));
}

TEST_CASE("the limit comes before all else that is asked about a peer, and who waits does not count", "[api]") {
  const Scratch scratch;
  boost::asio::io_context loop;
  std::size_t roles = 0;
  std::vector<Respond> waiting;
  const auto count = [&](uid_t, gid_t, const std::vector<gid_t>&, pid_t) { return ++roles, Role::operator_; };
  const auto hold = [&](const Request&, Respond respond) { waiting.push_back(std::move(respond)); };
  const auto server = UnixServer::open(loop, scratch / "socket", count, hold, nullptr);
  REQUIRE(server);
  std::vector<Descriptor> sockets;
  const auto connect = [&]() -> Descriptor& {
    sockets.push_back(make_socket());
    REQUIRE(connect_to(sockets.back(), scratch / "socket"));
    return sockets.back();
  };
  constexpr std::size_t limit = UnixServer::connections_per_uid;
  for (std::size_t i = 0; i < 2 * limit; ++i) {
    ::send(connect().get(), get.data(), get.size(), MSG_NOSIGNAL);
    REQUIRE(until(loop, [&] { return waiting.size() == i + 1; }));
  }
  for (std::size_t i = 0; i < limit; ++i) {
    connect();
    REQUIRE(until(loop, [&] { return (*server)->connections() == 2 * limit + i + 1; }));
  }
  CHECK(roles == 3 * limit);
  CHECK(first_bytes(loop, connect()).starts_with("HTTP/1.1 429"));
  CHECK(roles == 3 * limit);
  CHECK((*server)->connections() == 3 * limit);
  // answered they count again, and gone they do not
  for (Respond& respond : waiting) respond({200, "{}", "application/json"});
  CHECK(first_bytes(loop, sockets.front()).starts_with("HTTP/1.1 200"));
  CHECK(first_bytes(loop, connect()).starts_with("HTTP/1.1 429"));
  sockets.clear();
  CHECK(until(loop, [&] { return (*server)->connections() == 0; }));
  ::send(connect().get(), get.data(), get.size(), MSG_NOSIGNAL);
  CHECK(until(loop, [&] { return waiting.size() == 2 * limit + 1; }));
}

TEST_CASE("who is let in with the last descriptors is known, or told that there is none", "[api]") {
  const Scratch scratch;
  boost::asio::io_context loop;
  constexpr pid_t nobody = std::numeric_limits<pid_t>::max();
  const auto by_place = [](uid_t, gid_t, const std::vector<gid_t>&, pid_t pid) {
    return standing_below(pid, nobody) == Standing::outside ? Role::operator_ : Role::none;
  };
  int told = 0;
  const auto server = UnixServer::open(loop, scratch / "socket", by_place, fine, [&](std::string_view) { ++told; });
  REQUIRE(server);
  const Descriptor caller = make_socket();
  REQUIRE(connect_to(caller, scratch / "socket"));
  ::send(caller.get(), get.data(), get.size(), MSG_NOSIGNAL);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int left = GENERATE(0, 1, 2);
  std::vector<Descriptor> used;  // every number up to the limit but those
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(caller.get()) + 20;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  while (used.empty() || used.back()) used.emplace_back(::dup(caller.get()));
  used.resize(used.size() - 1 - static_cast<std::size_t>(left));
  const std::string answer = first_bytes(loop, caller);
  const int told_once = told;
  used.clear();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  INFO(left << " are left: " << answer);
  CHECK(answer.starts_with(left < 2 ? "HTTP/1.1 503" : "HTTP/1.1 200"));
  CHECK((answer.find("no descriptor left") != std::string::npos) == (left < 2));
  if (left < 2) CHECK(told_once == 1);
}

TEST_CASE("a refused connection is told so by the program that asks, though nobody read what it asked", "[api]") {
  const Scratch scratch;
  const Descriptor listener = make_socket();
  const sockaddr_un address = address_of(scratch / "socket");
  REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  std::thread door([&] {
    const Descriptor accepted(::accept(listener.get(), nullptr, nullptr));
    constexpr std::string_view no = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    ::send(accepted.get(), no.data(), no.size(), MSG_NOSIGNAL);
  });
  const auto answer = call(scratch / "socket", "GET", "/x", {}, 10s);
  door.join();
  REQUIRE(answer);
  CHECK(answer->status == 429);
}

TEST_CASE("where a process stands is known, or known not to be known", "[api]") {
  std::array<int, 2> wait{};
  REQUIRE(::pipe2(wait.data(), O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(wait[1]);
    char byte = 0;
    (void)!::read(wait[0], &byte, 1);
    ::_exit(0);
  }
  CHECK(standing_below(child, ::getpid()) == Standing::below);
  CHECK(standing_below(::getpid(), ::getpid()) == Standing::below);
  CHECK(standing_below(::getppid(), ::getpid()) == Standing::outside);
  CHECK(standing_below(child, child) == Standing::below);
  CHECK(standing_below(::getpid(), child) == Standing::outside);
  ::close(wait[1]);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  ::close(wait[0]);
  CHECK(standing_below(child, ::getpid()) == Standing::unknown);
  CHECK(standing_below(0, ::getpid()) == Standing::unknown);
}
