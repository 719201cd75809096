// SPDX-License-Identifier: Apache-2.0
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <list>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "chaos.hpp"

namespace chaos {
namespace {

/// Memory that nobody gives back, `n` MiB a call.
void leak(std::int64_t mib) {
  for (std::int64_t i = 0; i < mib; ++i) {
    void* const block = std::malloc(std::size_t{1} << 20);
    if (block == nullptr) throw std::bad_alloc();
    std::memset(block, 1, std::size_t{1} << 20);
  }
}

void start_threads(std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) std::thread([] { sleep_ms(600'000); }).detach();
}

void open_files() {
  while (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
  }
}

/// A bounded file of its own, removed at once; the space is held until the process ends.
void fill_disk(std::int64_t mib) {
  std::string name = "/tmp/ronda-chaos-XXXXXX";
  const int fd = ::mkstemp(name.data());
  if (fd < 0) return;
  ::unlink(name.c_str());
  const std::vector<char> block(std::size_t{1} << 20, 'x');
  for (std::int64_t i = 0; i<mib&& ::write(fd, block.data(), block.size())> 0; ++i) {
  }
}

void garbage(std::string_view mode, std::int64_t n) {
  std::string bytes(static_cast<std::size_t>(n), '\0');
  std::uint32_t state = 1;
  for (char& c : bytes) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
  if (mode == "partial-frame") bytes = std::string("\xff\x00\x00\x00half", 8);
  if (mode == "huge-frame") bytes = std::string("\xff\xff\xff\x7f", 4);
  if (mode == "empty-frame") bytes = std::string(4, '\0');
  static_cast<void>(::write(3, bytes.data(), bytes.size()));
}

/// Comes back just when the agent has let go of the runner: what is answered then meets a closed socket.
void wait_until_closed() {
  pollfd socket{3, 0, 0};
  ::poll(&socket, 1, 5000);
}

/// What follows "send-", in hex, goes to the agent as it is; of "resend-" `n` times.
void send(std::string_view hex, std::int64_t times = 1) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::strtol(std::string(hex.substr(i, 2)).c_str(), nullptr, 16));
  for (; times > 0; --times) static_cast<void>(::write(3, bytes.data(), bytes.size()));
}

/// Bytes between here and the end of this thread's stack.
std::size_t stack_left() {
  pthread_attr_t attributes;
  void* lowest = nullptr;
  std::size_t size = 0;
  ::pthread_getattr_np(::pthread_self(), &attributes);
  ::pthread_attr_getstack(&attributes, &lowest, &size);
  ::pthread_attr_destroy(&attributes);
  const char here = 0;
  return static_cast<std::size_t>(&here - static_cast<const char*>(lowest));
}

void block_all_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

bool spoil(Deed& deed) {
  const std::string_view mode = deed.mode;
  if (mode == "leak")
    leak(deed.n);
  else if (mode == "threads")
    start_threads(deed.n);
  else if (mode == "files")
    open_files();
  else if (mode == "disk")
    fill_disk(deed.n);
  else if (mode == "close-all")
    ::syscall(SYS_close_range, 0U, ~0U, 0U);
  else if (mode == "garbage" || mode == "partial-frame" || mode == "huge-frame" || mode == "empty-frame")
    garbage(mode, deed.n);
  else if (mode == "garbage-then-answer")
    garbage(mode, deed.n), wait_until_closed();
  else if (mode.starts_with("send-"))
    send(mode.substr(5)), sleep_ms(deed.n);
  else if (mode.starts_with("resend-"))
    send(mode.substr(7), deed.n);
  else if (mode == "stack")
    throw std::runtime_error(ronda::text("stack left ", stack_left()));
  else if (mode == "chdir")
    static_cast<void>(::chdir("/tmp"));
  else if (mode == "umask")
    ::umask(0777);
  else if (mode == "block-signals")
    block_all_signals();
  else if (mode == "ignore-term")
    ::signal(SIGTERM, SIG_IGN);
  else if (mode == "own-handlers")
    ::signal(SIGSEGV, SIG_IGN), ::signal(SIGCHLD, SIG_IGN);
  else if (mode == "environment")
    ::setenv("LANG", "xx_XX", 1), ::setenv("TZ", "Nowhere/At_all", 1), ::tzset();
  else if (mode == "setlocale")
    ::setlocale(LC_ALL, "C.UTF-8");
  else if (mode == "sigpipe")
    ::signal(SIGPIPE, SIG_DFL);
  else
    return false;
  return true;
}

}  // namespace chaos
