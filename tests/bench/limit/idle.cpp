// SPDX-License-Identifier: Apache-2.0
// The bare idle daemon: one epoll loop that wakes once a second. Ends when its standard input closes.
#include <sys/epoll.h>
#include <unistd.h>

#include "measure.hpp"

int main() {
  const int loop = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event input{};
  input.events = EPOLLIN | EPOLLHUP;
  if (::epoll_ctl(loop, EPOLL_CTL_ADD, STDIN_FILENO, &input) != 0) return 1;
  std::puts("ready");
  std::fflush(stdout);
  epoll_event event{};
  while (::epoll_wait(loop, &event, 1, 1000) == 0) {
  }
  return 0;
}
