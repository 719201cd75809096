// SPDX-License-Identifier: Apache-2.0
#include "runner/keeper.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <utility>
#include <vector>

#include "base/code_pages.hpp"
#include "base/proc_files.hpp"

namespace ronda::runner {
namespace {

constexpr int most_continued = 1000;
constexpr int most_ms_for_groups = 1500;
constexpr int killed_by_us = 128 + SIGKILL;
constexpr std::size_t most_children = std::size_t{1} << 22;  // the kernel has no more processes
constexpr int most_reaped = 65'536;  // at once: more may come for ever
constexpr int most_lists = 8;

[[noreturn]] void leave(int status) {
  ::syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

[[noreturn]] void pass_on(plugin::Blackbox& blackbox, int status) {
  blackbox.wait_status.store(status);
  leave(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

std::vector<pid_t> children() {
  return children_of(::getpid(), most_children);
}

/// Whether this is a child that has not been reaped, so that the number cannot be another process's.
bool is_child(pid_t pid) {
  siginfo_t seen{};
  return pid > 1 && ::waitid(P_PID, static_cast<id_t>(pid), &seen, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0;
}

/// Reaps those of our children in this group that have ended; whether others are in it still.
bool reap_group(pid_t group) {
  for (int reaped = 0; reaped < most_reaped; ++reaped) {
    siginfo_t ended{};
    if (::waitid(P_PGID, static_cast<id_t>(group), &ended, WEXITED | WNOHANG) != 0) return false;
    if (ended.si_pid == 0) break;
  }
  return true;
}

void pause_ms(long ms) {
  const timespec pause{0, ms * 1'000'000};
  ::nanosleep(&pause, nullptr);
}

class Keeper {
 public:
  Keeper(plugin::Blackbox& blackbox, pid_t worker, Orphans orphans, const Programs* programs)
      : blackbox_(blackbox), worker_(worker), orphans_(orphans), programs_(programs) {}

  /// Waits for the signals of `ours`, which are blocked.
  [[noreturn]] void keep(const sigset_t& ours) {
    release_code_pages();
    while (true) {
      reap();
      int signal = 0;
      ::sigwait(&ours, &signal);
      if (signal != SIGTERM) continue;
      if (orphans_ == Orphans::stay) {
        ::kill(worker_, SIGKILL);
        ::waitpid(worker_, nullptr, 0);  // then the programs that it waited for are ours
      }
      end_rest();
      leave(killed_by_us);
    }
  }

 private:
  void reap() {
    while (true) {
      int status = 0;
      const pid_t ended = take_next(status);
      if (ended < 0 && errno == ECHILD) pass_on(blackbox_, 127 << 8);
      if (ended <= 0) return;
      // a stopped runner holds up all of its calls; whoever wants to look at it has a debugger
      if (WIFSTOPPED(status)) {
        if (++continued_ <= most_continued) ::kill(ended, SIGCONT);
        continue;
      }
      if (ended != worker_) continue;
      end_rest();
      pass_on(blackbox_, status);
    }
  }

  /// The next child that has ended or stopped. One of the programs can only be ours when the worker is dead: its group is
  /// ended while its number still names it.
  pid_t take_next(int& status) {
    if (programs_ == nullptr) return ::waitpid(-1, &status, WUNTRACED | WNOHANG);
    siginfo_t next{};
    if (::waitid(P_ALL, 0, &next, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0) return -1;
    if (next.si_pid == 0) return 0;
    end_if_program(next.si_pid);
    return ::waitpid(next.si_pid, &status, WUNTRACED | WNOHANG);
  }

  /// Of a child that is not reaped: it is no other process, whatever the worker has written there.
  void end_if_program(pid_t child) {
    if (!programs_->holds(child) || std::ranges::find(ended_groups_, child) != ended_groups_.end()) return;
    ::kill(-child, SIGKILL);
    ended_groups_.push_back(child);
  }

  /// Once the worker is gone.
  void end_rest() {
    if (orphans_ == Orphans::keeper_ends) end_descendants(INT_MAX);
    if (orphans_ == Orphans::stay) end_programs();
  }

  /// Who stays is known once those that are killed have handed on their children. The programs are asked for one by one: a list of
  /// children may be long, and miss one while others come and go.
  void end_programs() {
    for (int waited = 0; waited < most_ms_for_groups; ++waited) {
      programs_->each([this](pid_t leader) {
        if (is_child(leader)) end_if_program(leader);
      });
      if (std::ranges::count_if(ended_groups_, reap_group) == 0) break;  // each of them is looked at
      pause_ms(1);
    }
    const std::vector<pid_t> all = those_who_stay();
    const std::size_t count = std::min(all.size(), blackbox_.left.size());
    for (std::size_t i = 0; i < count; ++i) blackbox_.left[i].store(all[i]);
  }

  /// Without those that have ended, which would take the places of others.
  std::vector<pid_t> those_who_stay() {
    std::vector<pid_t> out;
    for (int lists = 0; lists < most_lists; ++lists) {
      reap_ended();
      std::vector<pid_t> again = children();
      if (lists > 0 && again == out) break;
      out = std::move(again);
    }
    return out;
  }

  void reap_ended() {
    siginfo_t next{};
    for (int reaped = 0; reaped < most_reaped; ++reaped) {
      if (::waitid(P_ALL, 0, &next, WEXITED | WNOHANG | WNOWAIT) != 0 || next.si_pid == 0) return;
      end_if_program(next.si_pid);
      ::waitpid(next.si_pid, nullptr, WNOHANG);
      next = {};
    }
  }

  plugin::Blackbox& blackbox_;
  const pid_t worker_;
  const Orphans orphans_;
  const Programs* const programs_;
  std::vector<pid_t> ended_groups_;
  int continued_ = 0;
};

}  // namespace

void die_with_parent(int signal) {
  ::prctl(PR_SET_PDEATHSIG, signal);
}

void become_keeper(plugin::Blackbox& blackbox, Orphans orphans, Programs* programs) {
  sigset_t ours, before;
  ::sigemptyset(&ours);
  ::sigaddset(&ours, SIGCHLD);
  ::sigaddset(&ours, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ours, &before);
  if (orphans != Orphans::kernel_ends) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    die_with_parent(SIGTERM);
  }
  const pid_t keeper = ::getpid();
  const pid_t worker = ::fork();
  if (worker < 0) leave(127);
  if (worker == 0) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    die_with_parent(SIGKILL);
    if (::getppid() != keeper) leave(0);
    return;
  }
  // nothing is left open here: the end of the socketpair must be the worker's alone
  ::syscall(SYS_close_range, 0U, ~0U, 0U);
  Keeper(blackbox, worker, orphans, programs).keep(ours);
}

void end_descendants(int most_ms) {
  std::vector<pid_t> before;
  int waited = 0;
  while (true) {
    std::vector<pid_t> now = children();
    if (now.empty()) return;
    // not reaped since they were listed, so none of these ids can have become somebody else's
    for (const pid_t pid : now) ::kill(pid, SIGKILL);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    // killing a child hands us its children: as long as new ones come, there is no time to lose to who forks them
    if (now == before) {
      if (waited >= most_ms) return;
      const long pause = waited < 2000 ? 1 : 50;
      pause_ms(pause);
      waited += static_cast<int>(pause);
    }
    before = std::move(now);
  }
}

}  // namespace ronda::runner
