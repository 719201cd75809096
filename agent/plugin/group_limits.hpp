// SPDX-License-Identifier: Apache-2.0
// What a control group of runners may use at most. Plain data.
#pragma once

#include <cstdint>

namespace ronda::plugin {

/// Of one group; 0: none.
struct GroupLimits {
  std::int64_t memory_bytes = 0;  // with what the kernel holds for it, without swap
  std::int64_t tasks = 0;         // processes and threads
  double cores = 0;               // processor time per time, at least 0.01; as many as the host has, or more, are no limit
};

}  // namespace ronda::plugin
