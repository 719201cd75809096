// SPDX-License-Identifier: Apache-2.0
#include "runner/link.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/clock.hpp"
#include "ronda/abi.h"
#include "runner/crash.hpp"

namespace ronda::runner {

namespace {
constexpr std::size_t log_lines_per_minute = 600;
}

void Link::flush() {
  const std::lock_guard lock(mutex_);
  const std::string bytes = frames_.take();
  waiting_.store(0, std::memory_order_relaxed);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    // the agent is gone, or wants no more of it, and nothing is owed to it: no deed of the call that answers just now
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) leave_in_peace(0);
    if (sent <= 0) ::_exit(0);  // a call has closed our end: it is told
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Link::log(wire::Log line) {
  std::size_t dropped = 0;
  {
    const std::lock_guard lock(log_mutex_);
    const std::int64_t minute = monotonic() / std::chrono::minutes(1) + 1;
    if (minute != log_minute_) {
      log_minute_ = minute;
      log_lines_ = 0;
      dropped = std::exchange(log_dropped_, 0);
    }
    if (++log_lines_ > log_lines_per_minute) {
      ++log_dropped_;
      return;
    }
  }
  if (dropped > 0) post(wire::Log{0, RONDA_LOG_WARNING, std::to_string(dropped) + " lines of the log were dropped"});
  send(line);
}

bool Link::receive(wire::FrameReader& frames) {
  const ssize_t got = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  frames.feed({buffer_.data(), static_cast<std::size_t>(got)});
  return got > 0;
}

wire::Reply Link::ask(wire::Request request) {
  std::unique_lock lock(ask_mutex_);
  request.sequence = next_sequence_++;
  open_[request.sequence] = {};
  lock.unlock();
  send(request);
  lock.lock();
  const auto replied = [&] { return open_[request.sequence].sequence != 0; };
  const bool in_time = answered_.wait_for(lock, std::chrono::seconds(5), replied);
  wire::Reply reply = std::move(open_[request.sequence]);
  open_.erase(request.sequence);
  if (!in_time) reply.code = RONDA_E_TIMEOUT;
  return reply;
}

void Link::answer(wire::Reply reply) {
  const std::lock_guard lock(ask_mutex_);
  const auto waiting = open_.find(reply.sequence);
  if (waiting == open_.end()) return;
  waiting->second = std::move(reply);
  answered_.notify_all();
}

}  // namespace ronda::runner
