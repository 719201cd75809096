// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos.hpp"

namespace chaos {
namespace {

/// A process with sessions and parents of its own, which has no reason to end.
void daemonize() {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGPIPE}) ::signal(signal, SIG_IGN);
  while (true) ::sleep(1000);
}

/// Never the same process for long: each forks its successor and ends. Its name has a number, by which a test knows its own.
void fly_as_comet(std::int64_t number) {
  if (::fork() != 0) return;
  ::setsid();
  ::prctl(PR_SET_NAME, ("ronda-" + std::to_string(number)).c_str());
  while (true) {
    if (::fork() > 0) ::_exit(0);
  }
}

/// Bounded, so that a machine without limits survives the test.
void fork_bomb(std::int64_t most) {
  for (std::int64_t i = 0; i < most; ++i) {
    const pid_t child = ::fork();
    if (child < 0) return;
    if (child > 0) continue;
    while (true) ::sleep(1000);
  }
}

}  // namespace

bool spawn(Deed& deed) {
  if (deed.mode == "daemon") daemonize();
  else if (deed.mode == "fork-bomb") fork_bomb(deed.n);
  else if (deed.mode == "daemon-hang") daemonize(), sleep_ms(600'000);
  else if (deed.mode == "comet") fly_as_comet(deed.n);
  else return false;
  return true;
}

}  // namespace chaos
