// SPDX-License-Identifier: Apache-2.0
// Where the idle threads of a runner wait, all in one place: for bytes of the agent, for work that another thread
// leaves to them, for a point in time. Each event wakes one of them, the one that came last, whose caches are warm:
// whoever reads a call runs it, and no thread has to be woken to read the next one.
#pragma once

#include <cstdint>

namespace ronda::runner {

enum class Event : std::uint8_t { socket, bell, clock, broken };

class Gate {
 public:
  static constexpr std::uint64_t never = UINT64_MAX;

  /// Borrows the socket. Aborts when the kernel gives no descriptors: nothing is being served yet.
  explicit Gate(int socket);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Waits for one event. `socket` comes to one thread only until open() is called; `broken` when the descriptors
  /// were closed by somebody. [any]
  Event wait() const;
  /// The socket's next event may come. [who has its last one]
  void open() const;
  /// Wakes one thread. [any]
  void ring() const;
  /// The next clock event, in CLOCK_MONOTONIC ns, in place of the one before; `never`: none. [one at a time]
  void set_clock(std::uint64_t mono_ns) const;

 private:
  const int socket_;
  int epoll_ = -1, bell_ = -1, clock_ = -1;
};

}  // namespace ronda::runner
