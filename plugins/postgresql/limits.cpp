// SPDX-License-Identifier: Apache-2.0
#include "limits.hpp"

#include <algorithm>
#include <cerrno>

namespace postgresql {

int Limits::left_ms() const {
  return std::max(0, call_.remaining_ms() - reserve_ms_);
}

Woken Limits::wait(int fd, short events, int at_most_ms) const {
  pollfd watched[] = {{fd, events, 0}, {call_.cancel_fd(), POLLIN, 0}};
  int ready = 0;
  do ready = ::poll(watched, 2, std::min(left_ms(), at_most_ms));
  while (ready < 0 && errno == EINTR);
  if (watched[0].revents != 0) return Woken::ready;
  return watched[1].revents != 0 ? Woken::cancelled : Woken::timeout;
}

bool wait_for(int fd, short events, int timeout_ms) {
  pollfd watched{fd, events, 0};
  int ready = 0;
  do ready = ::poll(&watched, 1, timeout_ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace postgresql
