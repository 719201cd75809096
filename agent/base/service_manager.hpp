// SPDX-License-Identifier: Apache-2.0
// What the service manager is told (sd_notify(3)): a datagram to $NOTIFY_SOCKET, nothing when there is none.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ronda {

class ServiceManager {
 public:
  /// Reads NOTIFY_SOCKET and WATCHDOG_USEC and takes them out of the environment, so that no child finds them.
  static ServiceManager from_environment();

  void ready(std::string_view status) const;
  /// RELOADING=1 with MONOTONIC_USEC in the same datagram: without it systemd waits for ever.
  void reloading() const;
  void stopping(std::string_view text) const;
  void extend_timeout(std::chrono::microseconds by) const;
  void watchdog() const;
  /// How often watchdog() must be called; half of what the manager allows.
  std::optional<std::chrono::microseconds> watchdog_interval() const { return watchdog_interval_; }

 private:
  void send(const std::string& text) const;
  std::string socket_;
  std::optional<std::chrono::microseconds> watchdog_interval_;
};

}  // namespace ronda
