// SPDX-License-Identifier: Apache-2.0
#include "plugin/runner_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/proc_files.hpp"

namespace ronda::plugin {
namespace {

constexpr std::size_t page_bytes = 4096;

/// While it lives, children of this thread are born into a new PID namespace.
class PidNamespaceGuard {
 public:
  explicit PidNamespaceGuard(bool wanted) {
    if (!wanted) return;
    own_ = Descriptor(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
    active_ = own_ && ::unshare(CLONE_NEWPID) == 0;
  }
  ~PidNamespaceGuard() {
    if (active_) ::setns(own_.get(), CLONE_NEWPID);
  }
  PidNamespaceGuard(const PidNamespaceGuard&) = delete;
  PidNamespaceGuard& operator=(const PidNamespaceGuard&) = delete;
  bool active() const { return active_; }

 private:
  Descriptor own_;
  bool active_ = false;
};

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  void dup(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void open_null(int fd) { ::posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0); }
  void close_from(int fd) { ::posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// The descriptor again, at a number that the child's own numbers cannot overwrite.
Descriptor above_own_numbers(int fd) {
  return Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 16));
}

Result<pid_t> spawn(const SpawnOptions& options, int socket, int output, int blackbox) {
  const Descriptor s = above_own_numbers(socket), o = above_own_numbers(output), b = above_own_numbers(blackbox),
                   p = above_own_numbers(options.plugin_fd);
  if (!s || !o || !b || !p) return system_error("start a runner", errno);
  FileActions actions;
  actions.open_null(0);
  actions.dup(o.get(), 1);
  actions.dup(o.get(), 2);
  actions.dup(s.get(), runner_socket_fd);
  actions.dup(p.get(), runner_plugin_fd);
  actions.dup(b.get(), runner_blackbox_fd);
  actions.close_from(runner_blackbox_fd + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  ::sigemptyset(&none);
  ::sigfillset(&defaults);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string path = options.path;
  std::array<char*, 2> argv = {path.data(), nullptr};
  std::array<std::string, 3> entries = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "MALLOC_ARENA_MAX=2"};
  std::array<char*, 4> environment = {entries[0].data(), entries[1].data(), entries[2].data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), actions.get(), &attributes, argv.data(), environment.data());
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return system_error("start " + path, error);
  return pid;
}

std::string module_text(const Blackbox& box) {
  const std::size_t length = ::strnlen(box.module.data(), box.module.size());
  if (length == 0) return {};
  std::array<char, 64> offset{};
  std::snprintf(offset.data(), offset.size(), "+0x%llx", static_cast<unsigned long long>(box.offset.load()));
  std::string path(box.module.data(), length);
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos) path.erase(0, slash + 1);
  return " in " + path + offset.data();
}

std::string end_text(const Blackbox& box, int status) {
  const auto death = static_cast<Death>(box.death.load());
  if (death == Death::uncaught) return "ended by an uncaught C++ exception";
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* const name = ::sigabbrev_np(signal);
    const std::string module = death == Death::signal ? module_text(box) : std::string();
    return "killed by SIG" + std::string(name == nullptr ? std::to_string(signal).c_str() : name) + module;
  }
  return "exited with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<SharedBlackbox> SharedBlackbox::make() {
  Descriptor fd(::memfd_create("ronda-blackbox", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), page_bytes) != 0) return system_error("make a runner's blackbox", errno);
  // whoever holds it could else cut it short, and our next look at the page would be SIGBUS
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(fd.get(), F_ADD_SEALS, seals) != 0) return system_error("seal a runner's blackbox", errno);
  void* const page = ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (page == MAP_FAILED) return system_error("map a runner's blackbox", errno);
  return SharedBlackbox(std::move(fd), new (page) Blackbox);
}

SharedBlackbox::SharedBlackbox(SharedBlackbox&& other) noexcept : fd_(std::move(other.fd_)), box_(std::exchange(other.box_, nullptr)) {}

SharedBlackbox& SharedBlackbox::operator=(SharedBlackbox&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(box_, other.box_);
  return *this;
}

SharedBlackbox::~SharedBlackbox() {
  if (box_ != nullptr) ::munmap(box_, page_bytes);
}

Result<RunnerProcess> spawn_runner(const SpawnOptions& options) {
  RONDA_TRY(SharedBlackbox blackbox, SharedBlackbox::make());
  std::array<int, 2> sockets{}, pipe{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) return system_error("start a runner", errno);
  Descriptor ours(sockets[0]), theirs(sockets[1]);
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return system_error("start a runner", errno);
  Descriptor output(pipe[0]), output_theirs(pipe[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  const PidNamespaceGuard guard(options.pid_namespace);
  RONDA_TRY(const pid_t pid, spawn(options, theirs.get(), output_theirs.get(), blackbox.fd()));
  Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {  // nobody would see it end; it has loaded nothing yet
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return system_error("watch a runner", error);
  }
  return RunnerProcess{pid, std::move(ours), std::move(pidfd), std::move(output), std::move(blackbox), guard.active()};
}

pid_t worker_of(const RunnerProcess& keeper, pid_t inner) {
  if (!keeper.pid_namespace) return inner;
  constexpr std::size_t most_children = 64;  // there is one as long as no plugin is loaded
  for (const pid_t pid : children_of(keeper.pid, most_children)) {
    const std::string status = read_proc("/proc/" + std::to_string(pid) + "/status");
    const std::size_t line = status.find("\nNSpid:"), end = status.find('\n', line + 1);
    if (line == std::string::npos || end == std::string::npos) continue;
    const std::size_t innermost = status.find_last_of("\t ", end) + 1;
    if (std::atoi(status.c_str() + innermost) == inner) return pid;
  }
  return -1;
}

bool can_use_pid_namespace() {
  if (::geteuid() != 0) return false;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWPID) == 0 ? 0 : 1);
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

RunnerEnd reap_runner(const RunnerProcess& process) {
  RunnerEnd end;
  ::waitpid(process.pid, &end.wait_status, 0);
  const Blackbox& box = *process.blackbox;
  const std::int32_t inner = box.wait_status.load();
  // killed from outside, the keeper leaves no status of its worker
  if (inner >= 0 && WIFEXITED(end.wait_status)) end.wait_status = inner;
  // a keeper that was killed before it could tell: what the worker noted itself, just before
  if (inner < 0 && box.death.load() == static_cast<std::uint32_t>(Death::signal)) end.wait_status = box.signal.load() & 0x7f;
  end.by_itself = box.death.load() != 0;
  end.culprit_call = end.by_itself ? box.culprit.load() : 0;
  end.text = end_text(box, end.wait_status);
  return end;
}

}  // namespace ronda::plugin
