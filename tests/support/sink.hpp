// SPDX-License-Identifier: Apache-2.0
// A server for what notifiers send: keeps each request, taken apart, and answers as the test says. On loopback, on a free
// port; ends with its object.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "servers.hpp"

struct SinkRequest {
  std::string method, target, body;
  std::vector<std::pair<std::string, std::string>> headers;

  /// Of any case; empty when there is none.
  std::string header(const std::string& name) const;
  /// The body as a form: percent-encoding and '+' undone.
  std::map<std::string, std::string> form() const;
};

/// A whole answer of HTTP/1.1 that closes the connection.
std::string http_answer(int status, const std::string& body = {}, const std::string& more_headers = {});

class Sink {
 public:
  using Answer = std::function<std::string(const SinkRequest&)>;
  /// What is answered is sent as it is; nothing: the connection is closed without a word.
  explicit Sink(Answer answer);
  explicit Sink(std::string answer) : Sink([answer = std::move(answer)](const SinkRequest&) { return answer; }) {}

  std::string base() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  std::string peer() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  std::vector<SinkRequest> requests() const;

 private:
  void serve(int fd);

  Answer answer_;
  mutable std::mutex mutex_;
  std::vector<SinkRequest> requests_;
  TinyServer server_;
};
