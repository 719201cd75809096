// SPDX-License-Identifier: Apache-2.0
// The door on TCP: connections and their limits. Who is on the other end is not known here: see door.hpp.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "api/http.hpp"

namespace ronda::api {

class TcpServer {
 public:
  /// At once, of all clients; one more is answered 503.
  static constexpr std::size_t most_connections = 64;

  /// `listen`: a loopback address and a port, "127.0.0.1:8080", "[::1]:0", "localhost:8080"; port 0 is one that is free.
  static Result<std::unique_ptr<TcpServer>> open(boost::asio::io_context& loop, const std::string& listen, Handler handler);
  ~TcpServer();

  /// As UnixServer::close.
  void close(std::function<void()> closed);
  /// With the port that it has.
  const std::string& address() const;

 private:
  class Impl;
  explicit TcpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace ronda::api
