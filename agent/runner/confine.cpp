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

#include "base/proc_files.hpp"
#include "base/sanitized.hpp"
#include "plugin/blackbox.hpp"
#include "runner/landlock.hpp"
#include "runner/syscall_filter.hpp"

namespace ronda::runner {
namespace {

struct Limit {
  __rlimit_resource what;
  const char* name;
  rlim_t value;
  bool wanted;
};

/// What may not be had is set as near to it as this process may, which is said in `remarks`.
Status limit(const Limit& wanted, std::vector<std::string>& remarks) {
  if (!wanted.wanted) return done();
  const rlimit both{wanted.value, wanted.value};
  if (::setrlimit(wanted.what, &both) == 0) return done();
  rlimit present{};
  if (errno != EPERM || ::getrlimit(wanted.what, &present) != 0) return system_error("limit " + std::string(wanted.name), errno);
  const rlimit nearest{present.rlim_max, present.rlim_max};
  if (::setrlimit(wanted.what, &nearest) != 0) return system_error("limit " + std::string(wanted.name), errno);
  remarks.push_back("its limit of " + std::string(wanted.name) + " is " + std::to_string(nearest.rlim_cur) + " instead of " +
                    std::to_string(wanted.value) + ": the agent may have no more itself");
  return done();
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
  // tasks are there to change something; a check or notifier has to ask for it
  const bool files = holds(setup, "files") || std::ranges::find(setup.kinds, wire::Kind::task) != setup.kinds.end();
  const auto version = apply_landlock({files, network});
  if (!version) return ", no " + version.error().message();
  return *version == 0 ? "" : ", landlock " + std::to_string(*version);
}

}  // namespace

std::string lock_down(const wire::Setup& setup) {
  // both are inherited by what is started, and a set-uid program could be fooled by them
  if (!setup.no_new_privs) return "nothing: grant setuid";
  if (is_sanitized) return "nothing: a build with a sanitizer";
  const bool programs = holds(setup, "exec");
  const bool network = programs || holds(setup, "net") || holds(setup, "db");
  // any program may be started, and may need to write anywhere and look into processes of its user: landlock forbids that
  const std::string files = programs ? std::string() : lock_files(setup, network);
  const auto filtered = install_syscall_filter(make_syscall_filter({programs, network, ::getpid()}));
  return (filtered ? "seccomp" : "no " + filtered.error().message()) + files;
}

Status confine(const wire::Setup& setup, std::vector<std::string>& remarks) {
  ::syscall(SYS_close_range, static_cast<unsigned>(plugin::runner_blackbox_fd + 1), ~0U, 0U);
  // RLIMIT_AS would be met by thread stacks and sanitizers long before any real use
  // a program that is started has a limit of its own, which it inherits; else the group counts what is used, not what is mapped
  const bool memory = setup.memory_bytes > 0 && (!setup.memory_by_group || holds(setup, "exec")) && !is_sanitized;
  const std::array<Limit, 3> limits = {{{RLIMIT_CORE, "core files", 0, true},
                                        {RLIMIT_NOFILE, "descriptors", static_cast<rlim_t>(setup.fds), setup.fds > 0},
                                        {RLIMIT_DATA, "memory", static_cast<rlim_t>(setup.memory_bytes), memory}}};
  for (const Limit& wanted : limits) {
    if (auto set = limit(wanted, remarks); !set) return set;
  }
  write_oom_score();
  const bool counted = setup.pids > 0 && setup.uid > 0 && !setup.pids_by_group;
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
  if (auto set = limit({RLIMIT_NPROC, "processes", tasks, tasks > 0}, remarks); !set) return set;
  if (setup.no_new_privs) ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  drop_capabilities();
  if (holds(setup, "secrets")) ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::umask(077);
  if (::chdir("/") != 0) return system_error("go to /", errno);
  return done();
}

}  // namespace ronda::runner
