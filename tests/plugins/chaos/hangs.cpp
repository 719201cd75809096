// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <mutex>

#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "chaos.hpp"

namespace chaos {

void sleep_ms(std::int64_t ms) {
  timespec span{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1'000'000};
  while (::nanosleep(&span, &span) != 0) {
  }
}

/// Named in back-traces, so it must stay a function of its own.
__attribute__((noinline)) void hang_for_ever() {
  for (volatile bool more = true; more;) sleep_ms(1000);
}

bool hang(Deed& deed) {
  const std::string_view mode = deed.mode;
  if (mode == "hang") {
    hang_for_ever();
  } else if (mode == "hang-no-term") {
    ::signal(SIGTERM, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    hang_for_ever();
  } else if (mode == "until-cancel") {
    pollfd cancel{deed.call.cancel_fd(), POLLIN, 0};
    ::poll(&cancel, 1, -1);
  } else if (mode == "slow" || mode == "hang-cancel" || mode == "segv-cancel" || mode == "bad-destroy" || mode == "slow-destroy") {
    sleep_ms(deed.n);
  } else if (mode == "busy") {
    for (volatile bool more = true; more;) {
    }
  } else if (mode == "deadlock") {
    std::mutex once;
    once.lock();
    once.lock();
  } else {
    return false;
  }
  return true;
}

}  // namespace chaos
