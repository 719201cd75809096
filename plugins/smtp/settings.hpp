// SPDX-License-Identifier: Apache-2.0
// What an instance was configured to do, read once and checked as a whole.
#pragma once

#include <ronda/plugin.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "address.hpp"

namespace smtp {

enum class Security { starttls, implicit, none };

struct Server {
  std::string host;  ///< an IPv6 address without its brackets
  int port = 0;
  std::string text;  ///< as it was given: for people, and for the URL
};

/// "mail.example.com:587", "[::1]:25"
ronda::reply<Server> parse_server(const std::string& text);

struct Settings {
  Server server;
  Security security = Security::starttls;
  Address from;
  std::vector<ronda::reply<Address>> to;  ///< of messages without an address; all good
  std::string hello;                      ///< a host name, safe in a URL
  std::string ca;                         ///< empty: the system's
  std::chrono::milliseconds connect_timeout{0};
};

/// [worker], in create. Throws std::invalid_argument with what is wrong and what to do.
Settings read_settings(const ronda::value& config, const std::string& hostname);

}  // namespace smtp
