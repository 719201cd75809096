// SPDX-License-Identifier: Apache-2.0
#include "runner/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace ronda::runner {
namespace {

constexpr int last_standard_signal = 31;

constexpr mode_t program_mask = 077;

/// A handler must not run in the child: its memory is ours until it has become the program. Signals stay blocked until there
/// is none. The C library keeps the handlers of the real-time ones, which no one outside of this process can aim at the child.
void forget_signals() {
  struct sigaction nothing {};
  nothing.sa_handler = SIG_DFL;
  for (int number = 1; number <= last_standard_signal; ++number) ::sigaction(number, &nothing, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool take_streams(const Program& program) {
  int input = program.input;
  if (input < 0) input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input == 0) ::fcntl(0, F_SETFD, 0);  // it took the place of one that somebody had closed
  return input >= 0 && ::dup2(input, 0) == 0 && ::dup2(program.output, 1) == 1 && ::dup2(program.error, 2) == 2;
}

/// In the child, which shares our memory: only calls that are safe in a signal handler, and no return to the caller.
[[noreturn]] void become(const Program& program, pid_t parent, volatile int& error) {
  const bool listed = program.programs == nullptr || program.programs->add(::getpid());
  if (!listed) errno = EAGAIN;
  // Whose parent was killed before this ends here: the keeper may have looked at the list already. If it is killed later,
  // this is on the list, with its group.
  const auto has_parent = [&] { return program.programs == nullptr || ::getppid() == parent; };
  if (listed && ::setpgid(0, 0) == 0 && has_parent() && take_streams(program) && ::chdir(program.directory) == 0) {
    forget_signals();
    ::umask(program_mask);  // whatever a call has made of the runner's
    ::execve(program.argv[0], program.argv, program.environment);
  }
  error = errno;
  while (true) ::syscall(SYS_exit_group, 127);  // _exit is the runner's own, which tells of a plugin that ends its process
}

/// Apart from spawn(), so that what the child writes to its stack is only what is below this frame.
[[gnu::noinline]] pid_t start(const Program& program, volatile int& error) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::vfork();
  if (pid == 0) become(program, parent, error);
  return pid;
}

}  // namespace

int spawn(const Program& program, pid_t& pid) {
  volatile int error = 0;
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t started = start(program, error);
  const int refused = started < 0 ? errno : 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (refused != 0) return refused;
  if (error != 0) {
    if (program.programs != nullptr) program.programs->remove(started);
    ::waitpid(started, nullptr, 0);
    return error;
  }
  pid = started;
  return 0;
}

}  // namespace ronda::runner
