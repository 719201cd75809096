// SPDX-License-Identifier: Apache-2.0
// One POST by the transfer of curl.hpp.
// Speaks http and https only, reads nothing of the environment, follows no redirect, always verifies a certificate and the
// name in it, keeps no connection. Never throws for what the other side does; comes back by the deadline.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "outgoing/url.hpp"

namespace outgoing {

constexpr std::size_t max_body_bytes = 64 * 1024;    // of an answer; what is beyond is not read
constexpr std::size_t max_header_bytes = 64 * 1024;  // of an answer; more is a failure

using Header = std::pair<std::string, std::string>;

struct Request {
  Url url;
  std::vector<Header> headers;
  std::string body;
  std::optional<std::pair<std::string, std::string>> login = {};  ///< user and password, sent as basic authentication
};

struct Policy {
  std::string ca;                                   ///< file of trusted certificates; empty: the system's
  std::string proxy;                                ///< empty: none, whatever the environment says
  std::chrono::milliseconds connect_timeout{5000};  ///< for name, connection and TLS handshake together
};

/// When it must have ended, and the descriptor that becomes readable when it should end earlier.
struct Limits {
  std::chrono::milliseconds time_left{0};
  int cancel_fd = -1;
};

struct Answer {
  int status = 0;           ///< of HTTP; 0 when there is no whole answer
  std::string failure;      ///< why there is none
  std::string retry_after;  ///< the header, as it came
  std::string body;         ///< at most max_body_bytes
};

Answer post(const Request& request, const Policy& policy, const Limits& limits);

}  // namespace outgoing
