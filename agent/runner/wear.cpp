// SPDX-License-Identifier: Apache-2.0
#include "runner/wear.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/clock.hpp"
#include "base/sanitized.hpp"

namespace ronda::runner {
namespace {

constexpr std::int64_t look_interval_ns = 500'000'000;

/// Private writable memory, as RLIMIT_DATA counts it.
std::int64_t data_bytes() {
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  std::array<char, 128> text{};
  const ssize_t got = fd < 0 ? -1 : ::read(fd, text.data(), text.size() - 1);
  if (fd >= 0) ::close(fd);
  long data = 0;
  const bool read = got > 0 && std::sscanf(text.data(), "%*d %*d %*d %*d %*d %ld", &data) == 1;
  return read ? std::int64_t{data} * ::sysconf(_SC_PAGESIZE) : 0;
}

/// The lowest number that a new descriptor would get; no number left is most of all.
std::int64_t next_descriptor() {
  const int fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return INT32_MAX;
  ::close(fd);
  return fd;
}

/// Threads of this process: directories know how many they hold.
std::int64_t threads() {
  struct stat info {};
  return ::stat("/proc/self/task", &info) == 0 ? static_cast<std::int64_t>(info.st_nlink) - 2 : 0;
}

/// At most what may be opened.
std::int64_t descriptors(std::int64_t wanted) {
  rlimit present{};
  if (wanted <= 0 || ::getrlimit(RLIMIT_NOFILE, &present) != 0 || present.rlim_cur == RLIM_INFINITY) return wanted;
  return std::min(wanted, static_cast<std::int64_t>(present.rlim_cur));
}

}  // namespace

Wear::Wear(const wire::Setup& setup) : memory_(is_sanitized ? 0 : setup.memory_bytes), tasks_(setup.pids), fds_(descriptors(setup.fds)) {}

wire::Worn Wear::look() const {
  if (memory_ > 0 && data_bytes() > memory_ / 4 * 3) return wire::Worn::memory;
  if (tasks_ > 0 && threads() > tasks_) return wire::Worn::threads;
  return fds_ > 0 && next_descriptor() > fds_ / 4 * 3 ? wire::Worn::fds : wire::Worn::no;
}

wire::Worn Wear::worn(bool look_now) const {
  const std::int64_t now = monotonic().count();
  if (worn_ != wire::Worn::no || (!look_now && now - looked_at_ < look_interval_ns)) return worn_;
  looked_at_ = now;
  worn_ = look();
  return worn_;
}

}  // namespace ronda::runner
