// SPDX-License-Identifier: Apache-2.0
// Asks the agent on its socket: CONNECTIONS kept ones post BODY to TARGET, each again as soon as it has its answer, for SECONDS.
// Prints how many were answered with 200, and how long an answer took in ms.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "measure.hpp"

namespace {

int connect_to(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int one = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return ::connect(one, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? one : -1;
}

/// Whether a whole answer came, and it is 200.
bool read_answer(int socket) {
  std::string text;
  char bytes[4096];
  while (true) {
    const std::size_t end = text.find("\r\n\r\n"), field = text.find("Content-Length: ");
    if (end != std::string::npos && field < end && text.size() >= end + 4 + static_cast<std::size_t>(std::atoll(text.c_str() + field + 16)))
      return text.starts_with("HTTP/1.1 200");
    const ssize_t got = ::recv(socket, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    text.append(bytes, static_cast<std::size_t>(got));
  }
}

/// The time of each answer; one that is negative ends it: something else than 200 came.
void ask(const char* path, const std::string& request, std::int64_t until, std::vector<double>& took) {
  const int socket = connect_to(path);
  while (bench::now_ns() < until) {
    const std::int64_t begin = bench::now_ns();
    const bool good =
        ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()) && read_answer(socket);
    took.push_back(good ? static_cast<double>(bench::now_ns() - begin) / 1e6 : -1);
    if (!good) break;
  }
  ::close(socket);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return std::fprintf(stderr, "usage: ask SOCKET CONNECTIONS SECONDS TARGET BODY\n"), 2;
  const std::string body = argv[5];
  const std::string request = "POST " + std::string(argv[4]) + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  const std::int64_t begin = bench::now_ns(), until = begin + static_cast<std::int64_t>(std::atof(argv[3]) * 1e9);
  std::vector<std::vector<double>> took(static_cast<std::size_t>(std::max(std::atoi(argv[2]), 1)));
  std::vector<std::thread> threads;
  for (std::vector<double>& one : took) threads.emplace_back([&, argv] { ask(argv[1], request, until, one); });
  for (std::thread& one : threads) one.join();
  const double wall = static_cast<double>(bench::now_ns() - begin) / 1e9;
  std::vector<double> all;
  for (const std::vector<double>& one : took) all.insert(all.end(), one.begin(), one.end());
  std::sort(all.begin(), all.end());
  if (all.empty() || all.front() < 0) return std::fputs("the agent did not answer with 200\n", stderr), 1;
  std::printf("{\"runs\": %zu, \"wall_s\": %.6f, \"p50_ms\": %.6f, \"p99_ms\": %.6f}\n", all.size(), wall, all[all.size() / 2],
              all[std::min(all.size() - 1, all.size() * 99 / 100)]);
  return 0;
}
