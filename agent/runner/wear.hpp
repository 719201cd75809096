// SPDX-License-Identifier: Apache-2.0
// Whether this process has used up most of what it may have: a plugin that leaks is replaced between two calls,
// before a call fails for it.
#pragma once

#include <atomic>
#include <cstdint>

#include "plugin/messages.hpp"

namespace ronda::runner {

class Wear {
 public:
  /// After confine: what was not to be had is reckoned with as it is.
  explicit Wear(const wire::Setup& setup);

  /// What it is worn by; looks at most twice a second, unless a call has just failed. [worker]
  wire::Worn worn(bool look_now) const;

 private:
  wire::Worn look() const;

  const std::int64_t memory_, tasks_, fds_;  // limits; 0: none
  mutable std::atomic<std::int64_t> looked_at_{0};
  mutable std::atomic<wire::Worn> worn_{wire::Worn::no};
};

}  // namespace ronda::runner
