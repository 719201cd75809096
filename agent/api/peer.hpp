// SPDX-License-Identifier: Apache-2.0
// The process at the other end of a Unix socket: what the kernel says of it, whether it is still there, and where it
// stands in the tree of processes. Whatever cannot be read counts against it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/descriptor.hpp"

namespace ronda::api {

class Peer {
 public:
  /// Of a connected socket; asks the kernel only. Nothing: no descriptor is left, or it does not say. `socket` stays the caller's.
  static std::optional<Peer> of(int socket);

  uid_t uid() const { return uid_; }
  gid_t gid() const { return gid_; }
  pid_t pid() const { return pid_; }
  const std::vector<gid_t>& groups() const { return groups_; }

  /// Whether the process that connected still runs. By its pidfd where the kernel gives one (Linux 6.5); else by that of
  /// whoever had its number at `of`.
  bool is_there() const;

 private:
  uid_t uid_ = static_cast<uid_t>(-1);
  gid_t gid_ = static_cast<gid_t>(-1);
  pid_t pid_ = 0;
  std::vector<gid_t> groups_;
  Descriptor pidfd_;  // none: it was gone already
};

enum class Standing : std::uint8_t { outside, below, unknown };

/// Whether `pid` is `root` or below it, however deep. `unknown`: an ancestor could not be read, up to the first process
/// of this PID namespace; orphans below a runner go to that runner, which is their subreaper.
Standing standing_below(pid_t pid, pid_t root);

}  // namespace ronda::api
