// SPDX-License-Identifier: Apache-2.0
// A lock of four bytes for what there is much of and who seldom waits for: a std::mutex has forty.
#pragma once

#include <atomic>
#include <cstdint>

namespace ronda::runner {

/// Lockable; whoever waits sleeps in the kernel. Not fair.
class Turn {
 public:
  void lock() {
    std::uint32_t seen = is_free;
    if (state_.compare_exchange_strong(seen, is_taken, std::memory_order_acquire, std::memory_order_relaxed)) return;
    // who has waited does not know whether others do, and leaves word that somebody does
    while (state_.exchange(is_waited_for, std::memory_order_acquire) != is_free) state_.wait(is_waited_for, std::memory_order_relaxed);
  }
  void unlock() {
    if (state_.exchange(is_free, std::memory_order_release) == is_waited_for) state_.notify_one();
  }

 private:
  static constexpr std::uint32_t is_free = 0, is_taken = 1, is_waited_for = 2;
  std::atomic<std::uint32_t> state_{is_free};
};

}  // namespace ronda::runner
