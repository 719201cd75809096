// SPDX-License-Identifier: Apache-2.0
// The bare watchman: RATE times a second it starts a command, waits for it, and where that is critical commits a row to a new
// database FILE and then posts to URL on a kept connection. COUNT commands, with "{}" as their number.
#include <curl/curl.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "durable.hpp"
#include "measure.hpp"

extern char** environ;

namespace {

std::size_t drop(char*, std::size_t size, std::size_t count, void*) {
  return size * count;
}

/// The exit code; -1: it could not be run.
int run(const std::vector<std::string>& command, std::int64_t number, const posix_spawn_file_actions_t& actions) {
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  for (std::string& word : words) {
    if (word == "{}") word = std::to_string(number);
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  pid_t pid = -1;
  int status = 0;
  if (::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0 || ::waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool post(CURL* easy, std::int64_t number) {
  const std::string body = R"({"event": "open", "fields": {"check": "c)" + std::to_string(number) + R"("}})";
  ::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  ::curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body.c_str());
  return ::curl_easy_perform(easy) == CURLE_OK;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return std::fprintf(stderr, "usage: page COUNT RATE FILE URL COMMAND [ARG ...]\n"), 2;
  const std::int64_t count = std::atoll(argv[1]), rate = std::atoll(argv[2]);
  bench::Durable database(argv[3]);
  if (!database.good() || rate <= 0) return std::fprintf(stderr, "%s: cannot be opened as a new database\n", argv[3]), 1;
  CURL* const easy = ::curl_easy_init();
  ::curl_easy_setopt(easy, CURLOPT_URL, argv[4]);
  ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
  ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
  const std::vector<std::string> command(argv + 5, argv + argc);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  const bench::Meter meter;
  const std::int64_t begin = bench::now_ns();
  for (std::int64_t i = 0; i < count; ++i) {
    bench::sleep_until(begin + i * 1'000'000'000 / rate);
    if (run(command, i, actions) == 2 && (!database.commit(bench::now_ns()) || !post(easy, i))) return 1;
  }
  meter.print(count);
  ::curl_easy_cleanup(easy);
  return 0;
}
