// SPDX-License-Identifier: Apache-2.0
// How much work something is, counted instead of timed: what it asks of the allocator.
#pragma once

#include <cstddef>

namespace ronda::measure::test {

struct Allocations {
  std::size_t count = 0, bytes = 0;
};
/// Of this thread, since it began.
Allocations allocations();

/// While `work` runs.
template <class Work>
Allocations allocations_of(Work&& work) {
  const Allocations before = allocations();
  work();
  const Allocations after = allocations();
  return {after.count - before.count, after.bytes - before.bytes};
}

}  // namespace ronda::measure::test
