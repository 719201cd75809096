// SPDX-License-Identifier: Apache-2.0
// Who may ask what on the control socket: by user and groups, and by where the peer stands in the tree of processes. [loop]
#pragma once

#include <sys/types.h>

#include <vector>

#include "api/http.hpp"
#include "base/accounts.hpp"
#include "schedule/candidate.hpp"
#include "schedule/scheduler.hpp"

namespace ronda {

class Roles {
 public:
  /// `active` and `scheduler` are seen as they are at each question. `pid_namespaces`: runners have one each.
  Roles(const schedule::Candidate& active, const schedule::Scheduler& scheduler, bool pid_namespaces)
      : active_(active), scheduler_(scheduler), pid_namespaces_(pid_namespaces) {}

  /// root, the agent's own user and group ronda operate; what runs inside a runner has no say at all.
  api::Role of(uid_t uid, gid_t gid, const std::vector<gid_t>& groups, pid_t pid);

 private:
  bool is_reporter(uid_t uid);

  const schedule::Candidate& active_;
  const schedule::Scheduler& scheduler_;
  const bool pid_namespaces_;
  Accounts accounts_;
};

}  // namespace ronda
