// SPDX-License-Identifier: Apache-2.0
// A local sink: takes what is posted to it on kept connections and appends to FILE, a line each, when it was there in full (ns of
// CLOCK_BOOTTIME) and its body. Prints its port; ends when its standard input closes.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "measure.hpp"

namespace {

struct Client {
  int socket = -1;
  std::string text;  // what has come and was not answered
};

/// How long the request at the begin of `text` is, its body from `body` on; 0: it is not there in full.
std::size_t request_size(const std::string& text, std::size_t& body) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  std::size_t length = 0;
  for (std::size_t line = text.find("\r\n"); line < end; line = text.find("\r\n", line + 2)) {
    constexpr std::string_view name = "content-length:";
    if (::strncasecmp(text.c_str() + line + 2, name.data(), name.size()) == 0)
      length = static_cast<std::size_t>(std::atoll(text.c_str() + line + 2 + name.size()));
  }
  body = end + 4;
  return text.size() < body + length ? 0 : body + length;
}

/// False: it is gone.
bool serve(Client& client, int file) {
  char bytes[65536];
  const ssize_t got = ::recv(client.socket, bytes, sizeof bytes, 0);
  const std::int64_t now = bench::now_ns();
  if (got <= 0) return false;
  client.text.append(bytes, static_cast<std::size_t>(got));
  std::size_t body = 0;
  for (std::size_t size = 0; (size = request_size(client.text, body)) != 0; client.text.erase(0, size)) {
    std::string line = std::to_string(now) + " " + client.text.substr(body, size - body);
    std::replace(line.begin(), line.end(), '\n', ' ');
    line += '\n';
    if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return false;
    constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    if (::send(client.socket, answer.data(), answer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size())) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: sink FILE\n"), 2;
  const int file = ::open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (file < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 64) != 0) return 1;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  std::vector<Client> clients;
  while (true) {
    std::vector<pollfd> wanted{{STDIN_FILENO, POLLIN, 0}, {listener, POLLIN, 0}};
    for (const Client& client : clients) wanted.push_back({client.socket, POLLIN, 0});
    ::poll(wanted.data(), wanted.size(), -1);
    if (wanted[0].revents != 0) return 0;
    for (std::size_t i = clients.size(); i-- > 0;) {
      if (wanted[i + 2].revents == 0 || serve(clients[i], file)) continue;
      ::close(clients[i].socket);
      clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (wanted[1].revents == 0) continue;
    const int one = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), on = 1;
    if (one < 0) continue;
    ::setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    clients.push_back({one, {}});
  }
}
