// SPDX-License-Identifier: Apache-2.0
#include "runner/confine.hpp"

#include <dirent.h>
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
#include <ctime>
#include <string>
#include <vector>

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

constexpr int most_continued = 1000;
constexpr int most_rounds = 1500;  // of a millisecond, to end what was started below us
// Room for what other runners of the same user start later: the kernel counts by user, not by runner.
constexpr rlim_t spare_tasks = 1024;

/// Reads a small file of /proc; empty when it cannot be read.
std::string read_proc(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::array<char, 4096> buffer{};
  const ssize_t got = fd < 0 ? -1 : ::read(fd, buffer.data(), buffer.size());
  if (fd >= 0) ::close(fd);
  return got <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(got));
}

/// The numbers that name directories below `path`: processes of /proc, threads of a task directory.
std::vector<long> numbers_in(const char* path) {
  std::vector<long> out;
  DIR* const dir = ::opendir(path);
  if (dir == nullptr) return out;
  while (const dirent* const entry = ::readdir(dir)) {
    char* end = nullptr;
    const long number = std::strtol(entry->d_name, &end, 10);
    if (end != entry->d_name && *end == '\0') out.push_back(number);
  }
  ::closedir(dir);
  return out;
}

/// Processes and threads that the kernel counts for a user now.
rlim_t tasks_of(uid_t uid) {
  rlim_t count = 0;
  for (const long pid : numbers_in("/proc")) {
    const std::string path = "/proc/" + std::to_string(pid);
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0 || info.st_uid != uid) continue;
    // the name may hold anything and ends with the last parenthesis; num_threads is field 20
    const std::string text = read_proc(path + "/stat");
    std::size_t at = text.rfind(')');
    for (int field = 2; field < 20 && at != std::string::npos; ++field) at = text.find(' ', at + 1);
    count += at == std::string::npos ? 1 : static_cast<rlim_t>(std::strtol(text.c_str() + at, nullptr, 10));
  }
  return count;
}

/// Children of every thread: the kernel lists them by the thread that made them.
std::vector<pid_t> children() {
  std::vector<pid_t> out;
  for (const long thread : numbers_in("/proc/self/task")) {
    const std::string text = read_proc("/proc/self/task/" + std::to_string(thread) + "/children");
    const char* at = text.c_str();
    char* end = nullptr;
    for (long pid = std::strtol(at, &end, 10); end != at; at = end, pid = std::strtol(at, &end, 10)) out.push_back(static_cast<pid_t>(pid));
  }
  return out;
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
  int continued = 0;
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WUNTRACED);
    if (ended > 0 && WIFSTOPPED(status)) {
      // a stopped runner holds up all of its calls; whoever wants to look at it has a debugger
      if (++continued <= most_continued) ::kill(ended, SIGCONT);
      continue;
    }
    if (ended == worker) pass_on(blackbox, status);
    if (ended < 0 && errno == ECHILD) pass_on(blackbox, 127 << 8);
  }
}

void end_descendants() {
  // killing a child hands us its children, since we are their subreaper; so rounds end when there are no more
  for (int round = 0; round < most_rounds; ++round) {
    const std::vector<pid_t> now = children();
    if (now.empty()) return;
    for (const pid_t pid : now) ::kill(pid, SIGKILL);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const timespec pause{0, 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

Status confine(const wire::Setup& setup) {
  ::syscall(SYS_close_range, static_cast<unsigned>(plugin::runner_blackbox_fd + 1), ~0U, 0U);
  limit(RLIMIT_CORE, 0);
  if (setup.fds > 0) limit(RLIMIT_NOFILE, static_cast<rlim_t>(setup.fds));
  // RLIMIT_AS would be met by thread stacks and sanitizers long before any real use
  if (setup.memory_bytes > 0) limit(RLIMIT_DATA, static_cast<rlim_t>(setup.memory_bytes));
  write_oom_score();
  const bool counted = setup.pids > 0 && setup.uid > 0;
  const rlim_t tasks = counted ? tasks_of(static_cast<uid_t>(setup.uid)) + static_cast<rlim_t>(setup.pids) + spare_tasks : 0;
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
  if (tasks > 0) limit(RLIMIT_NPROC, tasks);
  if (setup.no_new_privs) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (const std::string& grant : setup.grants) {
    if (grant == "secrets") ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  ::umask(077);
  if (::chdir("/") != 0) return system_error("go to /", errno);
  return done();
}

}  // namespace ronda::runner
