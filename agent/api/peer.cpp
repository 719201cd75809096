// SPDX-License-Identifier: Apache-2.0
#include "api/peer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

namespace ronda::api {
namespace {

#ifdef SO_PEERPIDFD
constexpr int peer_pidfd = SO_PEERPIDFD;
#else
constexpr int peer_pidfd = 77;  // of asm-generic/socket.h since Linux 6.5; older headers do not name it
#endif

struct Stat {
  pid_t parent = 0;
  std::uint64_t started = 0;  // ticks since boot
};

std::optional<Stat> read_stat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');  // a name may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 1));
  Stat out;
  std::string skipped;
  fields >> skipped >> out.parent;
  for (int field = 5; field < 22; ++field) fields >> skipped;
  fields >> out.started;
  if (!fields) return {};
  return out;
}

}  // namespace

std::optional<Peer> Peer::of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
  Peer out;
  out.uid_ = credentials.uid;
  out.gid_ = credentials.gid;
  out.pid_ = credentials.pid;
  out.groups_.resize(256);
  size = static_cast<socklen_t>(out.groups_.size() * sizeof(gid_t));
  out.groups_.resize(::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, out.groups_.data(), &size) == 0 ? size / sizeof(gid_t) : 0);
  int pidfd = -1;
  size = sizeof pidfd;
  if (::getsockopt(socket, SOL_SOCKET, peer_pidfd, &pidfd, &size) != 0)
    pidfd = errno == ENOPROTOOPT ? static_cast<int>(::syscall(SYS_pidfd_open, out.pid_, 0)) : -1;
  if (pidfd < 0 && (errno == EMFILE || errno == ENFILE)) return {};  // which is not its fault
  out.pidfd_ = Descriptor(pidfd);
  return out;
}

bool Peer::is_there() const {
  if (!pidfd_) return false;
  pollfd ended{pidfd_.get(), POLLIN, 0};
  return ::poll(&ended, 1, 0) == 0;
}

Standing standing_below(pid_t pid, pid_t root) {
  constexpr int deepest = 1000;
  std::uint64_t child_started = UINT64_MAX;
  for (int depth = 0; depth < deepest; ++depth) {
    if (pid == root) return Standing::below;
    if (pid == 1) return Standing::outside;
    const auto stat = read_stat(pid);
    // a parent that is younger than its child is another process, which has got the parent's number meanwhile
    if (!stat || stat->started > child_started) return Standing::unknown;
    if (stat->parent == 0) return Standing::outside;  // it was put into this PID namespace from outside
    child_started = stat->started;
    pid = stat->parent;
  }
  return Standing::unknown;
}

}  // namespace ronda::api
