// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

#include "chaos.hpp"

namespace chaos {

/// Named in back-traces, so it must stay a function of its own.
__attribute__((noinline)) void write_to_null() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

/// As deep as `levels` says, which is deeper than any stack.
__attribute__((noinline)) long recurse(long levels) {
  volatile char frame[512];
  frame[levels % 512] = 1;
  return levels == 0 ? 0 : recurse(levels - 1) + frame[levels % 512];
}

__attribute__((noinline)) int divide(int by) {
  const volatile int divisor = by;
  return 7 / divisor;
}

bool crash(const Deed& deed) {
  const std::string_view mode = deed.mode;
  if (mode == "segv") write_to_null();
  else if (mode == "abort") std::abort();
  else if (mode == "fpe") divide(0);
  else if (mode == "overflow") recurse(1L << 40);
  else if (mode == "exit") std::exit(0);
  else if (mode == "_exit") ::_exit(0);
  else if (mode == "exit_group") ::syscall(SYS_exit_group, 7);
  else if (mode == "kill-self") ::kill(::getpid(), SIGKILL);
  else if (mode == "stop-self") ::raise(SIGSTOP);
  else if (mode == "kill-parent") ::kill(::getppid(), SIGKILL);
  else if (mode == "terminate") std::thread([] { throw std::runtime_error("from a thread of its own"); }).join();
  else if (mode == "thread-segv") std::thread(write_to_null).join();
  else return false;
  return true;
}

}  // namespace chaos
