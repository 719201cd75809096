// SPDX-License-Identifier: Apache-2.0
// The bare scheduler: starts COUNT commands every INTERVAL_MS, each on a phase of its own, and takes their
// exit codes. INTERVAL_MS 0: four threads start and wait as fast as they can, for the ceiling of the machine.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdlib>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "measure.hpp"

extern char** environ;

namespace {

/// Starts argv with "{}" as the number of the check.
pid_t start(const std::vector<std::string>& command, std::int64_t number,
            const posix_spawn_file_actions_t& actions) {
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  for (std::string& word : words) {
    if (word == "{}") word = std::to_string(number);
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  pid_t pid = -1;
  return ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) == 0 ? pid : -1;
}

/// The phase of a check, spread like hashes are; run.py knows the same function (splitmix64).
std::int64_t phase_ms(std::uint64_t number, std::int64_t interval_ms) {
  std::uint64_t x = (number + 1) * 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return static_cast<std::int64_t>((x ^ (x >> 31)) % static_cast<std::uint64_t>(interval_ms));
}

std::int64_t reap() {
  std::int64_t reaped = 0;
  for (int status = 0; ::waitpid(-1, &status, WNOHANG) > 0;) ++reaped;
  return reaped;
}

std::int64_t paced(std::int64_t count, std::int64_t interval_ms, std::int64_t until,
                   const std::vector<std::string>& command, const posix_spawn_file_actions_t& actions) {
  using Turn = std::pair<std::int64_t, std::int64_t>;  // due, number
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  const std::int64_t interval = interval_ms * 1'000'000;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t phase = phase_ms(static_cast<std::uint64_t>(i), interval_ms) * 1'000'000;
    turns.emplace((bench::now_ns() - phase + interval - 1) / interval * interval + phase, i);
  }
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  std::int64_t started = 0, ended = 0;
  while (true) {
    const std::int64_t now = bench::now_ns();
    if (now >= until) break;
    for (; turns.top().first <= now; ++started) {
      const auto [due, number] = turns.top();
      turns.pop();
      turns.emplace(due + interval, number);
      if (start(command, number, actions) < 0) return -1;
    }
    ended += reap();
    const std::int64_t wait = std::min(turns.top().first, until) - bench::now_ns();
    const timespec limit = bench::to_timespec(std::max<std::int64_t>(wait, 0));
    if (::sigtimedwait(&child, nullptr, &limit) == SIGCHLD) ended += reap();
  }
  while (ended<started&& ::waitpid(-1, nullptr, 0)> 0) ++ended;
  return started;
}

std::int64_t ceiling(std::int64_t until, const std::vector<std::string>& command,
                     const posix_spawn_file_actions_t& actions) {
  std::atomic<std::int64_t> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      do {
        const pid_t pid = start(command, 0, actions);
        if (pid > 0 && ::waitpid(pid, nullptr, 0) == pid) ++done;
      } while (bench::now_ns() < until);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return std::fprintf(stderr, "usage: spawn COUNT INTERVAL_MS SECONDS COMMAND [ARG ...]\n"), 2;
  const std::int64_t count = std::atoll(argv[1]), interval_ms = std::atoll(argv[2]);
  const std::int64_t until = bench::now_ns() + static_cast<std::int64_t>(std::atof(argv[3]) * 1e9);
  const std::vector<std::string> command(argv + 4, argv + argc);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const bench::Meter meter;
  const std::int64_t runs = interval_ms == 0 ? ceiling(until, command, actions)
                                             : paced(count, interval_ms, until, command, actions);
  meter.print(runs);
  return runs >= 0 ? 0 : 1;
}
