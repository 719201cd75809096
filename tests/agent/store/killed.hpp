// SPDX-License-Identifier: Apache-2.0
// A program that writes until it is killed.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "catch.hpp"

namespace ronda::store::test {

/// A process of its own, and all that it said.
class Killed {
 public:
  Killed(const std::string& program, const std::vector<std::string>& arguments) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    std::vector<char*> argv = {const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execv(program.c_str(), argv.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Killed() {
    if (pid_ > 0) kill();
    ::close(out_);
  }
  Killed(const Killed&) = delete;
  Killed& operator=(const Killed&) = delete;

  /// Reads what there is; false at the end of the output.
  bool read_some() {
    char buffer[65536];
    const ssize_t size = ::read(out_, buffer, sizeof buffer);
    if (size <= 0) return false;
    said_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    CHECK(WIFSIGNALED(status));
    while (read_some()) {
    }
  }
  const std::string& said() const { return said_; }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string said_;
};

}  // namespace ronda::store::test
