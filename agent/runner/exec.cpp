// SPDX-License-Identifier: Apache-2.0
// ronda.exec/1: one child in a process group of its own, argv only, its output bounded, ended with the call. Only where the
// instance is detached is what a program leaves alive, when it ends by itself, left alone.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/clock.hpp"
#include "base/descriptor.hpp"
#include "runner/instance.hpp"
#include "runner/services.hpp"
#include "runner/spawn.hpp"

namespace ronda::runner {
namespace {

constexpr std::uint64_t default_output_limit = 64 << 10;
constexpr std::uint64_t largest_output_limit = 512 << 10;
constexpr std::uint64_t term_grace_ns = 500'000'000;  // from TERM to KILL; well inside the runner's own grace

std::uint64_t mono_ns() {
  return static_cast<std::uint64_t>(monotonic().count());
}

std::int32_t refuse(ronda_error* err, std::int32_t code, const std::string& text) {
  if (err != nullptr && err->size >= 16) {
    err->code = code;
    std::snprintf(err->msg, std::min<std::size_t>(err->size - 8, sizeof err->msg), "%s", text.c_str());
  }
  return code;
}

struct Pipe {
  Descriptor read, write;
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    return above_standard(read) && above_standard(write);
  }

 private:
  /// Who has closed 0 to 2 has made room there, and the child's own streams must not fall on what they are made from.
  static bool above_standard(Descriptor& fd) {
    if (fd.get() <= STDERR_FILENO) fd = Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    return fd.get() >= 0;
  }
};

/// Bytes of one stream: kept up to a limit, counted beyond.
struct Stream {
  Descriptor fd;
  std::string kept;
  std::uint64_t total = 0;

  void drain(std::uint64_t limit) {
    __attribute__((uninitialized)) std::array<char, 16384> buffer;  // filling it costs more than what most programs say
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) return fd.reset();
    total += static_cast<std::uint64_t>(got);
    const std::uint64_t room = limit - std::min<std::uint64_t>(limit, kept.size());
    kept.append(buffer.data(), static_cast<std::size_t>(std::min<std::uint64_t>(room, static_cast<std::uint64_t>(got))));
  }
};

/// NUL-terminated copies in the shape that posix_spawn wants.
class Strings {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  char** data() {
    pointers_.clear();
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
    return pointers_.data();
  }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

/// argv and environment of a spec, or what is wrong with them.
std::string make_strings(const ronda_exec_spec& spec, Strings& argv, Strings& env) {
  if (spec.argc == 0 || spec.argv == nullptr) return "the command is empty";
  if (!view(spec.argv[0]).starts_with('/')) {
    return "\"" + std::string(view(spec.argv[0])) + "\" is not an absolute path; nothing is looked up in PATH";
  }
  for (std::uint64_t i = 0; i < spec.argc; ++i) {
    if (view(spec.argv[i]).find('\0') != std::string_view::npos) return "an argument holds a NUL";
    argv.add(std::string(view(spec.argv[i])));
  }
  if ((spec.flags & RONDA_EXEC_NO_ENV) == 0) {
    for (char** entry = environ; *entry != nullptr; ++entry) env.add(*entry);
  }
  for (std::uint64_t i = 0; spec.env != nullptr && i < spec.env_count; ++i) {
    const std::string entry = std::string(view(spec.env[i].key)) + "=" + std::string(view(spec.env[i].value));
    if (entry.find('\0') != std::string::npos) return "the environment holds a NUL";
    env.add(entry);
  }
  return {};
}

class Child {
 public:
  /// With `programs` it is listed there while it runs, and what it leaves alive when it ends by itself stays.
  Child(const ronda_exec_spec& spec, Programs* programs) : spec_(spec), programs_(programs) {
    limit_ = std::min(spec.output_limit == 0 ? default_output_limit : spec.output_limit, largest_output_limit);
  }

  int start(Strings& argv, Strings& env);
  /// Reads until the child is gone, or until `deadline` or cancel ends it.
  void wait(std::uint64_t deadline, int cancel_fd);

  Stream out, err;
  int status = 0;
  bool timed_out = false;

 private:
  bool step(std::uint64_t until, int cancel_fd);
  void feed();
  void reap();
  void take_status();
  void end_group();

  const ronda_exec_spec& spec_;
  Programs* const programs_;
  std::uint64_t limit_ = 0;
  pid_t pid_ = -1;
  std::array<Descriptor, 2> write_ends_;
  Descriptor input_;
  std::string_view unsent_;
  Descriptor pidfd_;
  bool gone_ = false;  // exited, not reaped yet
};

int Child::start(Strings& argv, Strings& env) {
  Pipe in, to_out, to_err;
  const bool merged = (spec_.flags & RONDA_EXEC_MERGE_ERR) != 0;
  if (!to_out.open() || (!merged && !to_err.open()) || (spec_.input.len > 0 && !in.open())) return errno;
  const std::string dir = spec_.dir.len > 0 ? std::string(view(spec_.dir)) : "/";
  Program program;
  program.argv = argv.data();
  program.environment = env.data();
  program.directory = dir.c_str();
  program.input = in.read.get();
  program.output = to_out.write.get();
  program.error = merged ? program.output : to_err.write.get();
  program.programs = programs_;
  const int error = spawn(program, pid_);
  if (error != 0) return error;
  pidfd_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (pidfd_.get() < 0) {  // its end would never be seen
    const int why = errno;
    ::kill(-pid_, SIGKILL);
    take_status();
    return why;
  }
  out.fd = std::move(to_out.read);
  err.fd = std::move(to_err.read);
  // Held until the end, which only the child's own end tells: that it closes them would be a wake-up each, for nothing.
  write_ends_ = {std::move(to_out.write), std::move(to_err.write)};
  input_ = std::move(in.write);
  unsent_ = view(spec_.input);
  if (input_.get() >= 0) ::fcntl(input_.get(), F_SETFL, O_NONBLOCK);
  return 0;
}

void Child::feed() {
  const ssize_t sent = ::write(input_.get(), unsent_.data(), unsent_.size());
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (sent > 0) unsent_.remove_prefix(static_cast<std::size_t>(sent));
  if (sent <= 0 || unsent_.empty()) input_.reset();
}

/// One wait for output, end or cancel; false when `until` passed or the call was cancelled.
bool Child::step(std::uint64_t until, int cancel_fd) {
  std::array<pollfd, 5> fds = {{{out.fd.get(), POLLIN, 0},
                                {err.fd.get(), POLLIN, 0},
                                {input_.get(), POLLOUT, 0},
                                {pidfd_.get(), POLLIN, 0},
                                {cancel_fd, POLLIN, 0}}};
  const std::uint64_t now = mono_ns();
  if (now >= until) return false;
  const timespec wait{static_cast<time_t>((until - now) / 1'000'000'000U), static_cast<long>((until - now) % 1'000'000'000U)};
  if (::ppoll(fds.data(), fds.size(), &wait, nullptr) < 0) return errno == EINTR;
  if (fds[0].revents != 0) out.drain(limit_);
  if (fds[1].revents != 0) err.drain(limit_);
  if (fds[2].revents != 0) feed();
  gone_ = fds[3].revents != 0;
  return fds[4].revents == 0;
}

void Child::take_status() {
  if (programs_ != nullptr) programs_->remove(pid_);
  ::waitpid(pid_, &status, 0);
}

/// Takes the exit status of a child that is gone, and ends what is left of its group.
void Child::reap() {
  siginfo_t info{};
  // without reaping it first, so that the group can be ended while its id cannot have been reused
  if (!gone_) ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  if (programs_ == nullptr || timed_out) ::kill(-pid_, SIGKILL);
  take_status();
  // a process that left the group may hold the pipes open: take what is there, do not wait for it
  for (Stream* stream : {&out, &err}) {
    if (stream->fd.get() < 0) continue;
    ::fcntl(stream->fd.get(), F_SETFL, O_NONBLOCK);
    for (std::uint64_t before = stream->total + 1; before != stream->total && stream->fd.get() >= 0;) {
      before = stream->total;
      stream->drain(limit_);
    }
  }
}

void Child::wait(std::uint64_t deadline, int cancel_fd) {
  while (!gone_) {
    if (!step(deadline, cancel_fd) && !gone_) return end_group();
  }
  reap();
}

void Child::end_group() {
  timed_out = true;
  ::kill(-pid_, SIGTERM);
  const std::uint64_t until = mono_ns() + term_grace_ns;
  while (!gone_ && step(until, -1)) {
  }
  if (!gone_) ::kill(-pid_, SIGKILL);
  reap();
}

std::int32_t run(const ronda_inst* inst, const ronda_call* call, const ronda_exec_spec* spec, ronda_exec_result* result,
                 ronda_error* err) noexcept try {
  if (inst == nullptr || call == nullptr || spec == nullptr || result == nullptr || !RONDA_HAS(spec, deadline_mono_ns) ||
      !RONDA_HAS(result, duration_ns)) {
    return refuse(err, RONDA_E_INVALID, "exec needs an instance, a call, a spec and a result");
  }
  Instance& instance = *Instance::of(inst);
  if (!instance.is_in(call)) return refuse(err, RONDA_E_INVALID, "exec is used in a call only (RONDA-P-033)");
  Strings argv, env;
  if (const std::string wrong = make_strings(*spec, argv, env); !wrong.empty()) return refuse(err, RONDA_E_INVALID, wrong);
  const std::uint64_t start = mono_ns();
  Child child(*spec, instance.programs());
  if (const int error = child.start(argv, env); error != 0) {
    return refuse(err,
                  error == ENOENT   ? RONDA_E_NOTFOUND
                  : error == EACCES ? RONDA_E_DENIED
                                    : RONDA_E_AGAIN,
                  "cannot start " + std::string(view(spec->argv[0])) + ": " + ::strerror(error));
  }
  const std::uint64_t own = spec->deadline_mono_ns == 0 ? call->deadline_mono_ns : std::min(spec->deadline_mono_ns, call->deadline_mono_ns);
  child.wait(own, call->cancel_fd);
  result->exit_code = WIFEXITED(child.status) ? WEXITSTATUS(child.status) : -1;
  result->signal = WIFSIGNALED(child.status) ? WTERMSIG(child.status) : 0;
  result->timed_out = child.timed_out ? 1 : 0;
  result->out_total = child.out.total;
  result->err_total = child.err.total;
  result->out = instance.keep(std::move(child.out.kept));
  result->err = instance.keep(std::move(child.err.kept));
  result->duration_ns = static_cast<std::int64_t>(mono_ns() - start);
  return RONDA_OK;
} catch (...) {
  return refuse(err, RONDA_E_INTERNAL, "out of memory");
}

}  // namespace

const ronda_exec_1 exec_service = {sizeof(ronda_exec_1), 0, run};

}  // namespace ronda::runner
