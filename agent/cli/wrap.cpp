// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/descriptor.hpp"
#include "base/pipe.hpp"
#include "cli/cli.hpp"
#include "cli/show.hpp"

namespace ronda::cli {

namespace {

constexpr std::size_t tail_size = 4096;
constexpr auto report_time = std::chrono::seconds(5);

constexpr std::array<int, 4> passed_on = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile pid_t wrapped_pid = 0;  // the one process-wide thing: a signal handler has nothing else

void pass_on(int number) {
  if (wrapped_pid > 0) ::kill(wrapped_pid, number);
}

/// How signals are set up while the command runs, and how it finds them: as whoever called us had set them. What was
/// ignored then stays ignored, so nohup keeps its meaning; nothing that comes before there is a command is lost.
class Signals {
 public:
  Signals() {
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (const int number : passed_on) ::sigaddset(&blocked, number);
    ::sigprocmask(SIG_BLOCK, &blocked, &mask_);
    ::sigemptyset(&defaults_);
    for (const int number : passed_on) {
      if (is_ignored(number)) continue;
      ::sigaddset(&defaults_, number);
      ::signal(number, pass_on);
    }
    if (!is_ignored(SIGPIPE)) ::sigaddset(&defaults_, SIGPIPE);
    ::signal(SIGPIPE, SIG_IGN);
  }
  /// From now on `pass_on` is called.
  void deliver() const { ::sigprocmask(SIG_SETMASK, &mask_, nullptr); }

  void for_the_command(posix_spawnattr_t& attributes) const {
    ::posix_spawnattr_setsigdefault(&attributes, &defaults_);
    ::posix_spawnattr_setsigmask(&attributes, &mask_);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }

 private:
  static bool is_ignored(int number) {
    struct sigaction now {};
    return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
  }

  sigset_t mask_{}, defaults_{};
};

Result<pid_t> spawn(const std::vector<std::string>& command, const Pipe& out, const Pipe& err, const Signals& signals) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  signals.for_the_command(attributes);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return Error(Errc::not_found, command.front() + ": " + std::strerror(error));
  return pid;
}

/// What came is written on to where it would have gone, and its end is kept.
bool pass_bytes(const Descriptor& from, int to, std::string& tail) {
  std::array<char, 8192> buffer{};
  const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  std::size_t written = 0;
  while (written < static_cast<std::size_t>(got)) {
    const ssize_t put = ::write(to, buffer.data() + written, static_cast<std::size_t>(got) - written);
    if (put < 0 && errno != EINTR) break;  // nobody listens: the command goes on all the same
    written += put > 0 ? static_cast<std::size_t>(put) : 0;
  }
  tail.append(buffer.data(), static_cast<std::size_t>(got));
  if (tail.size() > 2 * tail_size) tail.erase(0, tail.size() - tail_size);
  return true;
}

/// Until the command has ended. A daemon that it left behind may keep the pipes: it is not waited for.
int follow(pid_t pid, Pipe& out, Pipe& err, std::string& tail) {
  std::array<pollfd, 2> wanted = {{{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
  int status = 0;
  bool ended = false;
  for (;;) {
    const int ready = ::poll(wanted.data(), wanted.size(), ended ? 0 : 200);
    bool moved = false;
    for (std::size_t i = 0; ready > 0 && i < wanted.size(); ++i) {
      if (wanted[i].revents == 0) continue;
      moved = true;
      if (!pass_bytes(i == 0 ? out.read : err.read, i == 0 ? STDOUT_FILENO : STDERR_FILENO, tail)) wanted[i].fd = -1;
    }
    if (ended && !moved) return status;
    if (!ended) ended = ::waitpid(pid, &status, wanted[0].fd < 0 && wanted[1].fd < 0 ? 0 : WNOHANG) == pid;
  }
}

void report(const Options& options, const std::string& name, std::string_view event, int code, std::string_view text) {
  const auto answer = ask_agent(options, "POST", "/v1/inbox/" + percent_encode(name), ping_body(event, code, text), report_time);
  if (!answer)
    complain("not reported: " + answer.error().message());
  else if (answer->status >= 300)
    complain("not reported: " + refusal_text(*answer));
}

}  // namespace

int wrap(const Options& options) {
  if (options.arguments.size() < 2) {
    complain("usage: ronda wrap NAME -- COMMAND ...");
    return exit_usage;
  }
  const std::string& name = options.arguments.front();
  const std::vector<std::string> command(options.arguments.begin() + 1, options.arguments.end());
  auto out = make_pipe();
  auto err = make_pipe();
  if (!out || !err) {
    complain((!out ? out : err).error().message());
    return exit_undetermined;
  }
  report(options, name, "start", 0, "");
  const Signals signals;
  const auto pid = spawn(command, *out, *err, signals);
  if (!pid) {
    complain(pid.error().message());
    report(options, name, "fail", 127, pid.error().message());
    return 127;
  }
  wrapped_pid = *pid;
  signals.deliver();
  out->write = Descriptor();
  err->write = Descriptor();
  std::string tail;
  const int status = follow(*pid, *out, *err, tail);
  wrapped_pid = 0;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (tail.size() > tail_size) {
    std::size_t cut = tail.size() - tail_size;  // not inside a character
    for (int i = 0; i < 3 && (static_cast<unsigned char>(tail[cut]) & 0xC0) == 0x80; ++i) ++cut;
    tail.erase(0, cut);
  }
  report(options, name, code == 0 ? "success" : "fail", code, tail);
  return code;
}

}  // namespace ronda::cli
