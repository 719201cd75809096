// SPDX-License-Identifier: Apache-2.0
// Who started whom, as /proc tells it.
#pragma once

#include <sys/types.h>

namespace ronda {

/// Whether a process is below this one, however deep: orphans there go to their runner, which is their subreaper. True
/// also of one that cannot be looked at, because it is gone or for want of descriptors. An ancestor that is hidden
/// (hidepid) is not ours: ours have a user that we see.
bool is_below_us(pid_t pid);

}  // namespace ronda
