// SPDX-License-Identifier: Apache-2.0
// The runner's end of the socketpair. One thread reads; any thread posts, flushes and asks.
// Writing blocks when the agent does not read: the runner waits, never the agent.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "plugin/messages.hpp"

namespace ronda::runner {

class Link {
 public:
  explicit Link(int fd) : fd_(fd) {}

  /// Queues a message; it leaves with the next flush. [any]
  template <class M>
  void post(const M& message) {
    const std::lock_guard lock(mutex_);
    frames_.message([&](wire::Writer& w) { wire::encode(w, message); });
    waiting_.store(frames_.size(), std::memory_order_relaxed);
  }

  /// Sends what is queued. Ends the process when the agent is gone. [any]
  void flush();

  template <class M>
  void send(const M& message) {
    post(message);
    flush();
  }

  /// A line of the plugin's log, at once: it may be its last words. Beyond the rate lines are counted only. [any]
  void log(wire::Log line);

  std::size_t waiting_bytes() const { return waiting_.load(std::memory_order_relaxed); }

  /// Reads what is there into `frames`; false at the end of the stream. [reader]
  bool receive(wire::FrameReader& frames);

  /// Sends a request and waits for its reply; code RONDA_E_TIMEOUT after five seconds. [worker]
  wire::Reply ask(wire::Request request);
  /// Hands a reply to whoever asked. [reader]
  void answer(wire::Reply reply);

 private:
  const int fd_;
  std::array<char, 65536> buffer_;  // of the one who reads; a thread's own would be taken from the stack of every call
  std::mutex mutex_;
  wire::FrameWriter frames_;
  std::atomic<std::size_t> waiting_{0};

  std::mutex log_mutex_;
  std::int64_t log_minute_ = 0;
  std::size_t log_lines_ = 0, log_dropped_ = 0;

  std::mutex ask_mutex_;
  std::condition_variable answered_;
  std::uint64_t next_sequence_ = 1;
  std::map<std::uint64_t, wire::Reply> open_;  // sequence 0 in the value: no reply yet
};

}  // namespace ronda::runner
