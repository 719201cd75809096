// SPDX-License-Identifier: Apache-2.0
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "attack.hpp"

namespace attack {
namespace {

/// A child, if one could be made, is gone at once.
int child_of(long pid) {
  if (pid < 0) return errno;
  if (pid == 0) ::syscall(SYS_exit_group, 0);
  ::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return 0;
}

int socket_of(int family, int type, int protocol = 0) {
  const int fd = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

/// Nobody listens on port 1 of loopback: ECONNREFUSED is as good as being let through.
int connect_out(const Target&) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(1);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int error = told(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
  ::close(fd);
  return error == ECONNREFUSED ? 0 : error;
}

int listen_on(int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  sockaddr_storage address{};  // any port, any name
  address.ss_family = static_cast<sa_family_t>(family);
  const socklen_t size = family == AF_UNIX ? sizeof(sa_family_t) : sizeof(sockaddr_in);
  int error = told(::bind(fd, reinterpret_cast<sockaddr*>(&address), size));
  if (error == 0) error = told(::listen(fd, 1));
  ::close(fd);
  return error;
}

int connect_abstract(const Target& target) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, target.abstract.data(), target.abstract.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + target.abstract.size());
  const int error = told(::connect(fd, reinterpret_cast<sockaddr*>(&address), size));
  ::close(fd);
  return error;
}

int raise_limit(pid_t pid) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0) return errno;
  limit.rlim_max = limit.rlim_cur = RLIM_INFINITY;
  return told(::prlimit(pid, RLIMIT_CORE, &limit, nullptr));
}

int get_capability() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct admin[2] = {{1U << CAP_SYS_ADMIN, 1U << CAP_SYS_ADMIN, 0}, {0, 0, 0}};
  return told(::syscall(SYS_capset, &header, admin));
}

// The keeper is the parent; it has the agent's user, and where there are PID namespaces it is all that can be named.
const Attempts processes = {
    {"kill-parent", [](const Target&) { return told(::kill(::getppid(), 0)); }},
    {"kill-everybody", [](const Target&) { return told(::kill(-1, 0)); }},
    {"kill-thread-of-parent", [](const Target&) { return told(::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0)); }},
    {"trace-parent", [](const Target&) { return told(::ptrace(PTRACE_SEIZE, ::getppid(), nullptr, nullptr)); }},
    {"read-parent",
     [](const Target&) {
       char byte = 0;
       iovec own{&byte, 1}, theirs{&byte, 1};
       const int error = told(::process_vm_readv(::getppid(), &own, 1, &theirs, 1, 0));
       return error == EFAULT ? 0 : error;
     }},
    {"compare-parent", [](const Target&) { return told(::syscall(SYS_kcmp, ::getppid(), ::getpid(), 1, 0UL, 0UL)); }},
    {"limit-of-parent", [](const Target&) { return raise_limit(::getppid()); }},
    {"own-limit", [](const Target&) { return raise_limit(0); }},
    {"dumpable", [](const Target&) { return told(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }},
    {"real-time",
     [](const Target&) {
       const sched_param first{1};
       return told(::sched_setscheduler(0, SCHED_FIFO, &first));
     }},
    {"real-time-attributes", [](const Target&) { return told(::syscall(SYS_sched_setattr, 0, nullptr, 0)); }},
    {"priority", [](const Target&) { return told(::setpriority(PRIO_PROCESS, 0, -20)); }},
    {"user", [](const Target&) { return told(::syscall(SYS_setuid, 0)); }},
    {"group", [](const Target&) { return told(::syscall(SYS_setgid, 0)); }},
    {"groups",
     [](const Target&) {
       const gid_t root = 0;
       return told(::syscall(SYS_setgroups, 1, &root));
     }},
    {"capability", [](const Target&) { return get_capability(); }},
    {"child-in-namespace",
     [](const Target&) { return child_of(::syscall(SYS_clone, 0x10000000 | SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }},
    {"clone3", [](const Target&) { return child_of(::syscall(435, nullptr, 0)); }},
};

const Attempts network = {
    {"raw-socket", [](const Target&) { return socket_of(AF_INET, SOCK_RAW, IPPROTO_ICMP); }},
    {"packet-socket", [](const Target&) { return socket_of(AF_PACKET, SOCK_RAW); }},
    {"crypto-socket", [](const Target&) { return socket_of(AF_ALG, SOCK_SEQPACKET); }},
    {"vm-socket", [](const Target&) { return socket_of(AF_VSOCK, SOCK_STREAM); }},
};

// Refused unless a grant opens it; the test knows which.
const Attempts by_grant = {
    {"program",
     [](const Target&) {
       char* none[] = {nullptr};
       const int error = told(::execve("/nonexistent/ronda-attack", none, none));
       return error == ENOENT ? 0 : error;
     }},
    {"child", [](const Target&) { return child_of(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }},
    {"connect", connect_out},
    {"datagrams", [](const Target&) { return socket_of(AF_INET6, SOCK_DGRAM); }},
    {"listen", [](const Target&) { return listen_on(AF_INET); }},
    {"listen-local", [](const Target&) { return listen_on(AF_UNIX); }},
    {"abstract-socket", connect_abstract},
};

}  // namespace

const Attempts& on_others() {
  static const Attempts attempts = [] {
    Attempts all = processes;
    all.insert(all.end(), network.begin(), network.end());
    all.insert(all.end(), by_grant.begin(), by_grant.end());
    return all;
  }();
  return attempts;
}

}  // namespace attack
