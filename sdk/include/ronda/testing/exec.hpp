// SPDX-License-Identifier: Apache-2.0
// Runs a program for a test as ronda.exec/1 would: own process group, no shell, clean environment,
// bounded output, ended at the deadline or on cancel.
#pragma once

#include <ronda/testing/record.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ronda::testing {

class real_program {
 public:
  /// `cancel_fd` may be -1.
  static exec_answer run(const exec_request& request, int cancel_fd) {
    real_program p(request, cancel_fd);
    if (!p.start()) return p.answer_;
    p.exchange();
    p.finish();
    return p.answer_;
  }

 private:
  using clock = std::chrono::steady_clock;

  real_program(const exec_request& request, int cancel_fd)
      : request_(request), cancel_fd_(cancel_fd), start_(clock::now()), stop_(start_ + request.timeout) {}
  ~real_program() {
    for (int* fd : {&in_[0], &in_[1], &out_[0], &out_[1], &err_[0], &err_[1], &why_[0], &why_[1]})
      close_fd(*fd);
  }
  real_program(const real_program&) = delete;
  real_program& operator=(const real_program&) = delete;

  static void close_fd(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }

  bool refuse(const std::string& text) {
    answer_.code = RONDA_E_NOTFOUND;
    answer_.err = text;
    return false;
  }

  bool start() {
    for (const std::string& word : request_.argv) argv_.push_back(const_cast<char*>(word.c_str()));
    argv_.push_back(nullptr);
    if (!request_.clear_env) env_ = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"};
    for (const auto& [key, text] : request_.env) env_.push_back(key + "=" + text);
    for (std::string& entry : env_) envp_.push_back(entry.data());
    envp_.push_back(nullptr);
    if (request_.argv.empty() || request_.argv[0].substr(0, 1) != "/")
      return refuse("argv[0] is no absolute path");
    if (::pipe2(in_, O_CLOEXEC) + ::pipe2(out_, O_CLOEXEC) + ::pipe2(err_, O_CLOEXEC) +
            ::pipe2(why_, O_CLOEXEC) !=
        0)
      return refuse(text("pipe: ", std::strerror(errno)));
    child_ = ::fork();
    if (child_ < 0) return refuse(text("fork: ", std::strerror(errno)));
    if (child_ == 0) become();
    ::setpgid(child_, child_);
    close_fd(in_[0]), close_fd(out_[1]), close_fd(err_[1]), close_fd(why_[1]);
    int problem = 0;
    if (::read(why_[0], &problem, sizeof problem) != sizeof problem) return true;
    ::waitpid(child_, nullptr, 0);
    return refuse(text(request_.argv[0], ": ", std::strerror(problem)));
  }

  [[noreturn]] void become() {
    ::setpgid(0, 0);
    ::dup2(in_[0], 0);
    ::dup2(out_[1], 1);
    ::dup2(request_.merge_err ? out_[1] : err_[1], 2);
    ::signal(SIGPIPE, SIG_DFL);
    if (::chdir(request_.dir.empty() ? "/" : request_.dir.c_str()) == 0)
      ::execve(argv_[0], argv_.data(), envp_.data());
    int problem = errno;
    if (::write(why_[1], &problem, sizeof problem) < 0) ::_exit(126);
    ::_exit(127);
  }

  /// Feeds stdin and collects the output until both streams end or time is up.
  void exchange() {
    void (*old)(int) = ::signal(SIGPIPE, SIG_IGN);
    ::fcntl(in_[1], F_SETFL, O_NONBLOCK);
    std::size_t fed = 0;
    if (request_.input.empty()) close_fd(in_[1]);
    while ((out_[0] >= 0 || err_[0] >= 0) && !answer_.timed_out) {
      pollfd fds[] = {
          {out_[0], POLLIN, 0}, {err_[0], POLLIN, 0}, {in_[1], POLLOUT, 0}, {cancel_fd_, POLLIN, 0}};
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(stop_ - clock::now()).count();
      if (left <= 0 || ::poll(fds, 4, static_cast<int>(left < 60000 ? left + 1 : 60000)) < 0 ||
          fds[3].revents != 0) {
        answer_.timed_out = left <= 0 || fds[3].revents != 0;
        continue;
      }
      if (fds[0].revents != 0) drain(out_[0], answer_.out, answer_.out_total);
      if (fds[1].revents != 0) drain(err_[0], answer_.err, answer_.err_total);
      if (fds[2].revents != 0) feed(fed);
    }
    ::signal(SIGPIPE, old);
  }

  void feed(std::size_t& fed) {
    ssize_t n = ::write(in_[1], request_.input.data() + fed, request_.input.size() - fed);
    if (n > 0) fed += static_cast<std::size_t>(n);
    if ((n < 0 && errno != EAGAIN) || fed == request_.input.size()) close_fd(in_[1]);
  }

  void drain(int& fd, std::string& kept, std::uint64_t& total) {
    char bytes[4096];
    ssize_t n = ::read(fd, bytes, sizeof bytes);
    if (n <= 0) return close_fd(fd);
    total += static_cast<std::uint64_t>(n);
    std::size_t room = kept.size() < request_.output_limit ? request_.output_limit - kept.size() : 0;
    kept.append(bytes, static_cast<std::size_t>(n) < room ? static_cast<std::size_t>(n) : room);
  }

  void finish() {
    if (answer_.timed_out) ::kill(-child_, SIGKILL);
    int how = 0;
    while (::waitpid(child_, &how, 0) < 0 && errno == EINTR) {
    }
    ::kill(-child_, SIGKILL);  // whatever it left in its group
    answer_.exit_code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
    answer_.signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    answer_.duration = clock::now() - start_;
  }

  const exec_request& request_;
  int cancel_fd_;
  clock::time_point start_, stop_;
  std::vector<char*> argv_, envp_;
  std::vector<std::string> env_;
  int in_[2] = {-1, -1}, out_[2] = {-1, -1}, err_[2] = {-1, -1}, why_[2] = {-1, -1};
  pid_t child_ = -1;
  exec_answer answer_;
};

}  // namespace ronda::testing
