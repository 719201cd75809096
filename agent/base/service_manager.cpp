// SPDX-License-Identifier: Apache-2.0
#include "base/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/text.hpp"

namespace ronda {

ServiceManager ServiceManager::from_environment() {
  ServiceManager out;
  if (const char* socket = std::getenv("NOTIFY_SOCKET"); socket != nullptr) out.socket_ = socket;
  const char* usec = std::getenv("WATCHDOG_USEC");
  const char* pid = std::getenv("WATCHDOG_PID");
  const bool ours = pid == nullptr || std::to_string(::getpid()) == pid;
  std::int64_t value = 0;
  if (usec != nullptr && ours && std::from_chars(usec, usec + std::strlen(usec), value).ec == std::errc() && value > 0) {
    out.watchdog_interval_ = std::chrono::microseconds(value / 2);
  }
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  return out;
}

void ServiceManager::send(const std::string& text) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  ::sendto(socket.get(), text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
}

void ServiceManager::ready(std::string_view status) const {
  send("READY=1\nSTATUS=" + escape_controls(status));
}
void ServiceManager::stopping(std::string_view text) const {
  send("STOPPING=1\nSTATUS=" + escape_controls(text));
}
void ServiceManager::extend_timeout(std::chrono::microseconds by) const {
  send("EXTEND_TIMEOUT_USEC=" + std::to_string(by.count()));
}
void ServiceManager::watchdog() const {
  send("WATCHDOG=1");
}

void ServiceManager::reloading() const {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(monotonic());
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

}  // namespace ronda
