// SPDX-License-Identifier: Apache-2.0
#include "config/parse_child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.hpp"

namespace ronda::config {
namespace {

Result<Descriptor> make_memory_file(const char* name) {
  Descriptor file(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return system_error("making a memory file", errno);
  return file;
}

Result<Descriptor> make_request_file(std::string_view bytes) {
  if (bytes.size() > max_request_bytes) return Error(Errc::range, "the configuration is larger than 96 MiB");
  RONDA_TRY(Descriptor file, make_memory_file("ronda-parse-request"));
  while (!bytes.empty()) {
    const ssize_t size = ::write(file.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("writing the request to the parser", errno);
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return system_error("writing the request to the parser", errno);
  ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return file;
}

/// posix_spawn's two objects, with standard streams set and every other descriptor closed.
class SpawnSetup {
 public:
  SpawnSetup(int in, int out) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, in, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, out, 1);
    ::posix_spawn_file_actions_addopen(&actions_, 2, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  Result<pid_t> spawn(const std::vector<std::string>& argv) const {
    std::vector<char*> arguments;
    for (const std::string& one : argv) arguments.push_back(const_cast<char*>(one.c_str()));
    arguments.push_back(nullptr);
    std::array<char*, 1> no_environment = {nullptr};
    pid_t pid = -1;
    const int error =
        ::posix_spawn(&pid, arguments[0], &actions_, &attributes_, arguments.data(), no_environment.data());
    if (error != 0) return system_error("starting the parser " + argv.front(), error);
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Result<std::string> read_answer(int file) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  if (size < 0 || static_cast<std::size_t>(size) > max_answer_bytes) {
    return Error(Errc::corrupt, "the parser gave an answer that is too large");
  }
  std::string bytes(static_cast<std::size_t>(size), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t got = ::pread(file, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return system_error("reading the parser's answer", got < 0 ? errno : EIO);
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

Error ended(const siginfo_t& end, bool killed) {
  if (killed) return {Errc::timeout, "parsing the configuration took too long; it is rejected"};
  if (end.si_code == CLD_EXITED) {
    return {Errc::corrupt, "parsing the configuration failed with code " + std::to_string(end.si_status) +
                               (end.si_status == 4 ? " (out of memory)" : "") + "; it is rejected"};
  }
  if (end.si_status == SIGXCPU) {
    return {Errc::timeout, "parsing the configuration took more than 10 s of CPU time; it is rejected"};
  }
  return {Errc::corrupt, "parsing the configuration crashed (" + std::string(::strsignal(end.si_status)) +
                             "); it is rejected"};
}

}  // namespace

Result<ParseChild> ParseChild::start(const std::vector<std::string>& argv, const Sources& sources,
                                     const Environment& environment, uid_t uid) {
  RONDA_TRY(const Descriptor request, make_request_file(encode_request(sources, environment, uid)));
  RONDA_TRY(Descriptor answer, make_memory_file("ronda-parse-answer"));
  RONDA_TRY(const pid_t pid, SpawnSetup(request.get(), answer.get()).spawn(argv));
  // not glibc's pidfd_open: the header of Debian 12 lacks extern "C"
  Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const int error = errno;
  ParseChild child(pid, std::move(pidfd), std::move(answer));
  if (!child.pidfd_) return system_error("watching the parser", error);
  return child;
}

ParseChild::ParseChild(ParseChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      answer_(std::move(other.answer_)),
      killed_(other.killed_) {}

ParseChild::~ParseChild() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ParseChild::kill() {
  if (pid_ < 0) return;
  killed_ = true;
  ::kill(pid_, SIGKILL);
}

Status ParseChild::reap() {
  siginfo_t end{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED) != 0) {
    if (errno != EINTR) return system_error("waiting for the parser", errno);
  }
  pid_ = -1;
  if (end.si_code == CLD_EXITED && end.si_status == 0) return done();
  return ended(end, killed_);
}

Result<ParseAnswer> ParseChild::finish(const Sources& sources) {
  RONDA_TRY([[maybe_unused]] Unit reaped, reap());
  RONDA_TRY(const std::string bytes, read_answer(answer_.get()));
  return decode_answer(bytes, sources);
}

Result<ParseAnswer> validate_in_child(const std::vector<std::string>& argv, const Sources& sources,
                                      const Environment& environment, uid_t uid,
                                      std::chrono::milliseconds deadline) {
  RONDA_TRY(ParseChild child, ParseChild::start(argv, sources, environment, uid));
  const auto end = monotonic() + deadline;
  pollfd waiting{child.pidfd(), POLLIN, 0};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - monotonic());
    const int ready = left.count() > 0 ? ::poll(&waiting, 1, static_cast<int>(left.count())) : 0;
    if (ready == 0) child.kill();
    if (ready >= 0 || errno != EINTR) return child.finish(sources);
  }
}

}  // namespace ronda::config
