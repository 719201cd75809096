// SPDX-License-Identifier: Apache-2.0
// Names of hosts, looked up aside: the system's resolver waits for as long as it likes and cannot be told to stop, so it is
// asked in a thread, and a run waits for that within its own limits. One whose resolver hangs is left to end by itself; who
// asks for the same names meanwhile waits for that one, and there are never more than `max_lookups`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "answer.hpp"
#include "limits.hpp"

namespace postgresql {

/// Of all instances together: below what the manifest's `pids` and `fds` leave beside the calls.
constexpr std::size_t max_lookups = 8;

struct Resolved {
  std::string name;
  std::vector<std::string> addresses;  // numeric, in the order to try them
  std::string problem;                 // why there are none
};

/// What is known of the names, in their order. Fewer than were asked for: half of the run's time is over, the rest is still being
/// looked up, and there is somewhere to go: an address, or `has_other`, a host that is no name. A failure: nowhere to go in time.
Answer<std::vector<Resolved>> look_up(const std::vector<std::string>& names, bool has_other, const Limits& limits);

}  // namespace postgresql
