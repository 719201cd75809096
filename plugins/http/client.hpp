// SPDX-License-Identifier: Apache-2.0
// Makes requests with libcurl and keeps the connections for the next ones. One thread at a time.
// Speaks http and https only, reads no environment, follows redirects only as the policy says: never from https
// to http, to another origin without the headers and the body it was given, and to no address nearer to this host
// than where it came from (reach.hpp).
// Never throws for what a server does; every request ends by its deadline.
#pragma once

#include <chrono>
#include <memory>

#include "exchange.hpp"

namespace http {

/// When a request must have ended, and the descriptor that becomes readable if it should end earlier.
struct Limits {
  std::chrono::milliseconds time_left{0};
  int cancel_fd = -1;
};

class Client {
 public:
  Client();
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Exchange perform(const Request& request, const Policy& policy, const Limits& limits);
  /// Forgets cookies, what the last request set, and buffers that grew large; keeps connections.
  void clean();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
