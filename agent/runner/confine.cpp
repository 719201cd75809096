// SPDX-License-Identifier: Apache-2.0
#include "runner/confine.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "plugin/blackbox.hpp"
#include "runner/landlock.hpp"
#include "runner/proc_files.hpp"
#include "runner/syscall_filter.hpp"

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

// Room for what other runners of the same user start later: the kernel counts by user, not by runner.
constexpr rlim_t spare_tasks = 1024;

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

bool holds(const wire::Setup& setup, std::string_view grant) {
  return std::ranges::find(setup.grants, grant) != setup.grants.end();
}

/// What the agent was given, by its unit say, is not meant for plugins. Root stays what it is: it was asked for by name.
void drop_capabilities() {
  if (::geteuid() == 0) return;
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  ::syscall(SYS_capset, &header, none.data());
}

std::string lock_files(const wire::Setup& setup, bool network) {
  // tasks are there to change something
  const bool files = std::ranges::find(setup.kinds, wire::Kind::task) != setup.kinds.end();
  const auto version = apply_landlock({files, network});
  if (!version) return ", no " + version.error().message();
  return *version == 0 ? "" : ", landlock " + std::to_string(*version);
}

}  // namespace

std::string lock_down(const wire::Setup& setup) {
  // both are inherited by what is started, and a set-uid program could be fooled by them
  if (!setup.no_new_privs) return "nothing: grant setuid";
  const bool programs = holds(setup, "exec");
  const bool network = programs || holds(setup, "net") || holds(setup, "db");
  // any program may be started, and may need to write anywhere and look into processes of its user: landlock forbids that
  const std::string files = programs ? std::string() : lock_files(setup, network);
  const auto filtered = install_syscall_filter(make_syscall_filter({programs, network, ::getpid()}));
  return (filtered ? "seccomp" : "no " + filtered.error().message()) + files;
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
  drop_capabilities();
  if (holds(setup, "secrets")) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::umask(077);
  if (::chdir("/") != 0) return system_error("go to /", errno);
  return done();
}

}  // namespace ronda::runner
