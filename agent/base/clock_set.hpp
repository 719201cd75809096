// SPDX-License-Identifier: Apache-2.0
// What a clock that is set forward does to what was dated by it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ronda {

/// An instant that has been (0: it has not) where the clock that dated it is set forward by so much, to `now_ns`. What lay ahead of that
/// clock was dated by another one, which was right: it has been, and is not carried into the future.
inline std::int64_t moved_with_clock(std::int64_t at_ns, std::int64_t by_ns, std::int64_t now_ns) {
  if (at_ns == 0) return 0;
  return at_ns > now_ns - by_ns ? std::min(at_ns, now_ns) : at_ns + by_ns;
}

}  // namespace ronda
