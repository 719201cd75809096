// SPDX-License-Identifier: Apache-2.0
#include "cli/plugin_child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "base/pipe.hpp"

namespace ronda::cli {
namespace {

constexpr std::size_t output_kept = 64 << 10;

/// A nameless file: input of any size needs nobody to write while the child reads.
Result<Descriptor> as_file(std::string_view input) {
  Descriptor file(static_cast<int>(::syscall(SYS_memfd_create, "input", 1U)));
  if (!file) return system_error("make a file in memory", errno);
  if (::pwrite(file.get(), input.data(), input.size(), 0) != static_cast<ssize_t>(input.size()))
    return system_error("write to memory", errno);
  return file;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

Result<pid_t> spawn(const std::vector<std::string>& argv, const ChildPlace& place, int input, int output) {
  const std::vector<char*> words = pointers(argv);
  const std::vector<char*> variables = place.environment ? pointers(*place.environment) : std::vector<char*>();
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  if (!place.directory.empty()) ::posix_spawn_file_actions_addchdir_np(&actions, place.directory.c_str());
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, words[0], &actions, &attributes, words.data(), place.environment ? variables.data() : environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (code != 0) return system_error("start " + argv[0], code);
  return pid;
}

/// Reads until everybody who could write is gone; false when the time is over.
bool read_output(int fd, std::string& out, std::chrono::nanoseconds until) {
  std::array<char, 4096> buffer{};
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - monotonic()).count();
    if (left <= 0) return false;
    pollfd watched{fd, POLLIN, 0};
    if (::poll(&watched, 1, static_cast<int>(left)) <= 0) continue;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return true;
    if (got > 0 && out.size() < output_kept) out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// False when it still runs at that time; a kernel without pidfd waits for as long as it takes.
bool wait_for_end(pid_t pid, std::chrono::nanoseconds until) {
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  pollfd watched{process.get(), POLLIN, 0};
  while (process) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - monotonic()).count();
    if (left <= 0) return false;
    if (::poll(&watched, 1, static_cast<int>(left)) > 0) break;
  }
  return true;
}

}  // namespace

Result<ChildEnd> run_child(const std::vector<std::string>& argv, std::string_view input, std::chrono::milliseconds limit,
                           const ChildPlace& place) {
  RONDA_TRY(Pipe output, make_pipe());
  RONDA_TRY(const Descriptor in, as_file(input));
  RONDA_TRY(const pid_t pid, spawn(argv, place, in.get(), output.write.get()));
  output.write.reset();
  ::lseek(in.get(), 0, SEEK_SET);
  ChildEnd end;
  const auto until = monotonic() + limit;
  end.too_late = !read_output(output.read.get(), end.output, until) || !wait_for_end(pid, until);
  // not reaped yet: the number of the group cannot belong to anybody else
  if (end.too_late) ::kill(-pid, SIGKILL);
  siginfo_t gone{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &gone, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

Result<ChildEnd> run_child(const std::vector<std::string>& argv, std::string_view input, std::chrono::milliseconds limit) {
  return run_child(argv, input, limit, {});
}

}  // namespace ronda::cli
