// SPDX-License-Identifier: Apache-2.0
// A bare round trip between two processes over a socketpair, as fast as it goes; both on one processor or
// each on its own. 64 bytes each way, about what a call and its result take.
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "measure.hpp"

namespace {

void pin(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

/// Sends back what comes until the other end closes.
[[noreturn]] void echo(int socket) {
  std::array<char, 64> bytes{};
  while (::recv(socket, bytes.data(), bytes.size(), MSG_WAITALL) == 64) {
    if (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) != 64) break;
  }
  ::_exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: pair same|cross SECONDS\n"), 2;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return 1;
  const bench::Meter meter;
  const std::int64_t until = bench::now_ns() + static_cast<std::int64_t>(std::atof(argv[2]) * 1e9);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    pin(std::string_view(argv[1]) == "cross" ? 1 : 0);
    echo(ends[1]);
  }
  ::close(ends[1]);
  pin(0);
  std::array<char, 64> bytes{};
  std::int64_t runs = 0;
  for (; bench::now_ns() < until; ++runs) {
    if (::send(ends[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) != 64) return 1;
    if (::recv(ends[0], bytes.data(), bytes.size(), MSG_WAITALL) != 64) return 1;
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  meter.print(runs);
  return 0;
}
