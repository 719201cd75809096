// SPDX-License-Identifier: Apache-2.0
// A client of the agent's door on TCP that sends what it is given, well-formed or not.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace ronda::test {

/// What comes back for these bytes, until the other side closes.
inline std::string exchange_tcp(int port, const std::string& bytes) {
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

/// Where an agent's log says last that the door is; 0: nowhere.
inline int door_port(const std::string& log) {
  constexpr std::string_view line = "the API is also on http://127.0.0.1:";
  const std::size_t at = log.rfind(line);
  return at == std::string::npos ? 0 : std::atoi(log.c_str() + at + line.size());
}

}  // namespace ronda::test
