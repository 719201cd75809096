// SPDX-License-Identifier: Apache-2.0
// What an agent tells the service manager that started it.
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.hpp"
#include "catch.hpp"
#include "whole_agent.hpp"

namespace ronda::test {

/// The receiving end of NOTIFY_SOCKET: what a service manager would have been told, in order.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::chmod(path.c_str(), 0666);
  }

  /// Every message so far, each with the fields that came in one datagram.
  const std::vector<std::string>& messages() {
    char buffer[4096];
    for (ssize_t got = 0; (got = ::recv(socket_.get(), buffer, sizeof buffer, 0)) > 0;)
      messages_.emplace_back(buffer, static_cast<std::size_t>(got));
    return messages_;
  }

  /// The position of the first message from `from` on that starts like this; -1: none yet.
  int find(std::string_view start, std::size_t from = 0) {
    const auto& all = messages();
    for (std::size_t i = from; i < all.size(); ++i) {
      if (all[i].starts_with(start)) return static_cast<int>(i);
    }
    return -1;
  }
  int await(std::string_view start, std::size_t from = 0) {
    eventually([&] { return find(start, from) >= 0; });
    return find(start, from);
  }
  std::size_t count(std::string_view start) {
    std::size_t out = 0;
    for (const std::string& message : messages()) out += message.starts_with(start) ? 1 : 0;
    return out;
  }

 private:
  Descriptor socket_;
  std::vector<std::string> messages_;
};

}  // namespace ronda::test
