// SPDX-License-Identifier: Apache-2.0
#include "plugin/vet_child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "base/descriptor.hpp"
#include "base/sanitized.hpp"
#include "plugin/catalogue.hpp"

namespace ronda::plugin {

namespace {

constexpr int out_of_memory = 4;
constexpr int unreadable = 5;

void limit(decltype(RLIMIT_CPU) what, rlim_t soft, rlim_t hard) {
  const rlimit wanted{soft, hard};
  ::setrlimit(what, &wanted);
}

Result<Descriptor> file_of(std::span<const std::uint8_t> bytes) {
  Descriptor file(::memfd_create("plugin", MFD_CLOEXEC));
  if (!file) return system_error("a memory file for the plugin", errno);
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t put = ::pwrite(file.get(), bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return system_error("a memory file for the plugin", put < 0 ? errno : ENOSPC);
    at += static_cast<std::size_t>(put);
  }
  return file;
}

Result<pid_t> spawn(const std::vector<std::string>& argv, int in) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  std::vector<char*> arguments;
  for (const std::string& one : argv) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  std::array<char*, 1> no_environment = {nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), no_environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return system_error("starting " + argv.front() + " to read the plugin", error);
  return pid;
}

}  // namespace

int vet_child_main(int in) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (!is_sanitized) limit(RLIMIT_DATA, 256 << 20, 256 << 20);
  limit(RLIMIT_CPU, 5, 6);
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_FSIZE, 0, 0);
  const off_t size = ::lseek(in, 0, SEEK_END);
  if (size < 0) return unreadable;
  try {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t got = ::pread(in, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return unreadable;
      at += static_cast<std::size_t>(got);
    }
    read_hostile_bytes(bytes);
  } catch (const std::bad_alloc&) {
    return out_of_memory;
  }
  return 0;
}

Result<VetChild> VetChild::start(const std::vector<std::string>& argv, std::span<const std::uint8_t> bytes) {
  RONDA_TRY(const Descriptor file, file_of(bytes));
  RONDA_TRY(const pid_t pid, spawn(argv, file.get()));
  VetChild child(pid, Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
  if (!child.pidfd_) return system_error("watching what reads the plugin", errno);  // child is killed on the way
  return child;
}

VetChild::VetChild(VetChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), given_up_(other.given_up_) {}

VetChild::~VetChild() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  reap();
}

void VetChild::give_up(std::chrono::milliseconds deadline) {
  given_up_ = deadline;
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

int VetChild::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

Result<Unit> VetChild::finish() {
  const int status = reap();
  if (given_up_.count() > 0) return Error(Errc::timeout, "reading it took longer than " + std::to_string(given_up_.count()) + "ms");
  if (WIFSIGNALED(status)) return Error(Errc::corrupt, std::string("reading it ended with ") + ::strsignal(WTERMSIG(status)));
  if (WEXITSTATUS(status) == out_of_memory) return Error(Errc::corrupt, "reading it takes more than 256 MiB");
  if (WEXITSTATUS(status) != 0) return Error(Errc::corrupt, "it could not be read apart from the agent");
  return done();
}

std::function<Result<Unit>()> vet_in_child(const std::vector<std::string>& argv, std::span<const std::uint8_t> bytes,
                                           std::chrono::milliseconds deadline) {
  auto started = VetChild::start(argv, bytes);
  if (!started) return [error = started.error()]() -> Result<Unit> { return error; };
  return [child = std::make_shared<VetChild>(std::move(*started)), deadline] {
    pollfd ended{child->pidfd(), POLLIN, 0};
    int ready = 0;
    do {
      ready = ::poll(&ended, 1, static_cast<int>(deadline.count()));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) child->give_up(deadline);
    return child->finish();
  };
}

}  // namespace ronda::plugin
