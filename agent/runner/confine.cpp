// SPDX-License-Identifier: Apache-2.0
#include "runner/confine.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace ronda::runner {
namespace {

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

void write_oom_score() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(::write(fd, "500", 3));
  ::close(fd);
}

[[noreturn]] void pass_on(plugin::Blackbox& blackbox, int status) {
  blackbox.wait_status.store(status);
  ::syscall(SYS_exit_group, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  __builtin_unreachable();
}

}  // namespace

void die_with_parent(int signal) { ::prctl(PR_SET_PDEATHSIG, signal); }

void become_init(plugin::Blackbox& blackbox) {
  const pid_t worker = ::fork();
  if (worker == 0) return;
  if (worker < 0) ::syscall(SYS_exit_group, 127);
  // nothing is left open here: the end of the socketpair must be the worker's alone
  ::syscall(SYS_close_range, 0U, ~0U, 0U);
  while (true) {
    int status = 0;
    const pid_t ended = ::wait(&status);
    if (ended == worker) pass_on(blackbox, status);
    if (ended < 0 && errno == ECHILD) pass_on(blackbox, 127 << 8);
  }
}

namespace {

/// Kills the children that one thread of ours has started; false when it has none.
bool kill_children_of(const std::string& thread) {
  const int fd = ::open(("/proc/self/task/" + thread + "/children").c_str(), O_RDONLY | O_CLOEXEC);
  std::array<char, 4096> buffer{};
  const ssize_t got = fd < 0 ? -1 : ::read(fd, buffer.data(), buffer.size() - 1);
  if (fd >= 0) ::close(fd);
  if (got <= 0) return false;
  const char* at = buffer.data();
  char* end = nullptr;
  for (long pid = std::strtol(at, &end, 10); end != at; at = end, pid = std::strtol(at, &end, 10)) {
    ::kill(static_cast<pid_t>(pid), SIGKILL);
  }
  return true;
}

}  // namespace

void end_descendants() {
  // killing a child hands us its children, since we are their subreaper; so rounds end when there are no more
  for (int round = 0; round < 1000; ++round) {
    bool any = false;
    std::error_code error;
    // the kernel lists a child at the thread that started it
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) any = kill_children_of(thread.path().filename()) || any;
    if (!any) return;
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }
}

Status confine(const wire::Setup& setup) {
  ::syscall(SYS_close_range, static_cast<unsigned>(plugin::runner_blackbox_fd + 1), ~0U, 0U);
  limit(RLIMIT_CORE, 0);
  if (setup.fds > 0) limit(RLIMIT_NOFILE, static_cast<rlim_t>(setup.fds));
  // RLIMIT_AS would be met by thread stacks and sanitizers long before any real use
  if (setup.memory_bytes > 0) limit(RLIMIT_DATA, static_cast<rlim_t>(setup.memory_bytes));
  write_oom_score();
  if (setup.gid >= 0) {
    if (::setgroups(0, nullptr) != 0) return system_error("leave all groups", errno);
    const auto gid = static_cast<gid_t>(setup.gid);
    if (::setresgid(gid, gid, gid) != 0) return system_error("become group " + std::to_string(setup.gid), errno);
  }
  if (setup.uid >= 0) {
    const auto uid = static_cast<uid_t>(setup.uid);
    if (::setresuid(uid, uid, uid) != 0) return system_error("become user " + std::to_string(setup.uid), errno);
  }
  // counted per user by the kernel, so set only where the runner has become a user of its own
  if (setup.pids > 0 && setup.uid > 0) limit(RLIMIT_NPROC, static_cast<rlim_t>(setup.pids));
  if (setup.no_new_privs) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (const std::string& grant : setup.grants) {
    if (grant == "secrets") ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  ::umask(077);
  if (::chdir("/") != 0) return system_error("go to /", errno);
  return done();
}

}  // namespace ronda::runner
