// SPDX-License-Identifier: Apache-2.0
// The start of a program: what posix_spawn does, for less (decision 0021).
#pragma once

#include <sys/types.h>

#include "runner/programs.hpp"

namespace ronda::runner {

/// What a program starts with. Nothing is owned; all of it must stay as it is until spawn() has returned.
struct Program {
  char* const* argv = nullptr;         // argv[0] is the path of the file
  char* const* environment = nullptr;  // as execve wants it
  const char* directory = "/";         // it starts there
  int input = -1;                      // descriptors above 2; -1 as input is /dev/null
  int output = -1;
  int error = -1;
  Programs* programs = nullptr;  // where it is listed before it begins; null: nowhere
};

/// Starts a program as the leader of a process group of its own, with no signal blocked or ignored, and with no other descriptor
/// than those that lack close-on-exec. The calling thread waits until the program has begun; others go on. From any thread.
/// 0 and its number in `pid`, or an errno (EAGAIN: the list is full); nothing is left to be reaped or listed then.
int spawn(const Program& program, pid_t& pid);

}  // namespace ronda::runner
