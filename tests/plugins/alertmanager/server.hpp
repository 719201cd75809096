// SPDX-License-Identifier: Apache-2.0
// A real Alertmanager on free ports of loopback, as a user without privileges, with a configuration of the test's. Ends with
// its object.
#pragma once

#include <chrono>
#include <string>

#include "servers.hpp"

class AlertmanagerServer {
 public:
  /// What it notifies by webhook goes to that URL, half a second after an alert came; throws std::runtime_error where there is no
  /// such program.
  explicit AlertmanagerServer(const std::string& webhook_url);
  ~AlertmanagerServer();
  AlertmanagerServer(const AlertmanagerServer&) = delete;
  AlertmanagerServer& operator=(const AlertmanagerServer&) = delete;

  std::string base() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// The body of GET /api/v2/alerts.
  std::string alerts() const;

 private:
  TempDir dir_;
  int port_ = free_port(), pid_ = -1;
};

/// The body of an answer to GET; empty when there is none.
std::string http_get(int port, const std::string& target);

/// Where Debian's package puts it.
constexpr const char* alertmanager_program = "/usr/bin/prometheus-alertmanager";
