// SPDX-License-Identifier: Apache-2.0
// How often something was started anew between looks: pure state, kept as text in ronda.kv/1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "processes.hpp"

namespace host {

struct Restarts {
  std::string boot;                   // boot id; another one starts afresh, for everything restarted then
  std::vector<std::string> last;      // "pid:start" of the roots, as last seen alive
  std::vector<std::int64_t> times_s;  // of the latest restarts, at most 64
  std::uint64_t total = 0;
};

/// A damaged text gives an empty state: then only what happens from now on is counted.
Restarts parse_restarts(std::string_view text);
std::string format(const Restarts& restarts);

/// A root that is new counts as a restart when one that we knew is gone: more workers are no restart, and a
/// process that was down at a look is counted when it is back.
void look(Restarts& restarts, std::string_view boot, const std::vector<Process>& roots, std::int64_t now_s);

/// Restarts in (now - window, now].
std::uint64_t within(const Restarts& restarts, std::int64_t now_s, std::int64_t window_s);

}  // namespace host
