// SPDX-License-Identifier: Apache-2.0
#include "door_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>
#include <string_view>

#include "base/descriptor.hpp"

namespace ronda::test {
namespace {

constexpr std::string_view door_line = "the API is also on http://127.0.0.1:";

}  // namespace

std::string ask_raw(int port, const std::string& bytes) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{20, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t one = ::send(socket.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (one <= 0) break;
    sent += static_cast<std::size_t>(one);
  }
  std::string out;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::recv(socket.get(), buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<std::size_t>(got));
  return out;
}

Answer ask_door(int port, const std::string& method, const std::string& target, const std::vector<std::string>& headers,
                const std::string& body) {
  std::string text = method + " " + target + " HTTP/1.1\r\nConnection: close\r\n";
  bool has_host = false;
  for (const std::string& header : headers) {
    text += header + "\r\n";
    has_host = has_host || header.starts_with("Host:");
  }
  if (!has_host) text += "Host: ronda.example\r\n";
  if (method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  const std::string answer = ask_raw(port, text + "\r\n" + body);
  const std::size_t end = answer.find("\r\n\r\n");
  Answer out;
  if (answer.size() > 12) out.status = std::atoi(answer.c_str() + 9);
  out.head = answer.substr(0, end);
  if (end != std::string::npos) out.body = answer.substr(end + 4);
  return out;
}

int port_of_door(const std::string& log) {
  const std::size_t at = log.rfind(door_line);
  return at == std::string::npos ? 0 : std::atoi(log.c_str() + at + door_line.size());
}

int times_of_door(const std::string& log) {
  int out = 0;
  for (std::size_t at = log.find(door_line); at != std::string::npos; at = log.find(door_line, at + 1)) ++out;
  return out;
}

}  // namespace ronda::test
