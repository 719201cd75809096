// SPDX-License-Identifier: Apache-2.0
// Which system calls a plugin's process, and all that it starts, may make: a seccomp filter as data, so that it can be
// looked at without a kernel. Decision 0016 says what is refused and why.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <vector>

#include "base/result.hpp"

namespace ronda::runner {

struct FilterNeeds {
  bool programs = false;  // starts any program (grant exec): less can be refused, as these live under the filter too
  bool network = false;   // internet sockets (grants net, db, exec)
  pid_t self = 0;         // the process that will be filtered, as it sees itself
};

/// What is refused answers EPERM; what came after this list was written, and what has an older way that can be judged
/// (clone3), answers ENOSYS, which libraries know how to live with.
std::vector<sock_filter> make_syscall_filter(const FilterNeeds& needs);

/// For this process for ever, and for what it starts. Needs no_new_privs. Errors: the kernel has no seccomp.
Status install_syscall_filter(const std::vector<sock_filter>& filter);

}  // namespace ronda::runner
