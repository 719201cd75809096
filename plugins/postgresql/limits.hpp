// SPDX-License-Identifier: Apache-2.0
// How long one run may wait for a server, and what ends a wait early: the call's deadline less a reserve for
// the answer's way back, and its cancel descriptor. Never reads a clock of its own.
#pragma once

#include <ronda/call.hpp>

#include <limits>

namespace postgresql {

enum class Woken { ready, timeout, cancelled };

class Limits {
 public:
  explicit Limits(const ronda::call& call) : call_(call), reserve_ms_(call.remaining_ms() / 20) {}

  int left_ms() const;
  /// What a server may be told to spend on one statement, so that it gives up before this run has to.
  int statement_ms() const { return left_ms() / 10 * 8 + 1; }
  /// POLLIN and POLLOUT as in poll(); without a descriptor (-1) only the time and a cancel end it.
  Woken wait(int fd, short events, int at_most_ms = std::numeric_limits<int>::max()) const;

 private:
  const ronda::call& call_;
  int reserve_ms_;
};

/// The same without a call: at most `timeout_ms`.
bool wait_for(int fd, short events, int timeout_ms);

}  // namespace postgresql
