// SPDX-License-Identifier: Apache-2.0
// The threads that run calls: as many as the manifest's max_concurrency, started on demand. Calls known to be
// quick share one thread and one message; calls that timed out recently hold at most half of the threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "plugin/blackbox.hpp"
#include "plugin/messages.hpp"
#include "runner/instance.hpp"
#include "runner/wear.hpp"

namespace ronda::runner {

struct Job {
  enum class What : std::uint8_t { call, deliver, probe, destroy };
  What what = What::call;
  std::shared_ptr<Instance> instance;
  wire::Call call;
  wire::Message message;
};

class Pool {
 public:
  Pool(Link& link, plugin::Blackbox& blackbox, const Wear& wear, std::size_t threads);

  /// [reader]
  void submit(std::vector<Job> jobs);
  /// Cancels what is past its deadline; when to look again, or nothing when no call is here. [reader]
  std::optional<std::uint64_t> check_deadlines(std::uint64_t now_mono_ns);
  /// Cancels one call, running or waiting. [reader]
  void cancel(std::uint64_t call_id);
  /// True while jobs wait that no thread has taken. [reader]
  bool has_backlog();
  /// True while more jobs wait than threads are on their way to them: then the reader looks again soon. [reader]
  bool is_behind();
  /// Another thread takes part if there is a backlog and a thread to spare. [reader]
  void help();
  /// No new jobs; calls that run are cancelled; true when all are back before `until`. [reader]
  bool drain(std::uint64_t until_mono_ns);

 private:
  struct Running {
    std::shared_ptr<ActiveCall> call;
    std::uint64_t deadline = 0;
    int cancel_fd = -1;
  };

  static void* enter(void* self);
  void work();
  bool take(Job& job);
  void execute(Job& job, std::size_t slot);
  void run_call(Job& job, std::size_t slot);
  void finish(const Job& job, wire::Outcome outcome);
  void add_thread();
  void cancel_running(Running& running, bool timed_out);
  static void* enter_canceller(void* self);
  void cancel_calls();
  bool cancel_waiting(std::uint64_t call_id);
  static bool start_thread(void* (*body)(void*), void* self);
  void call_thread();

  Link& link_;
  plugin::Blackbox& blackbox_;
  const Wear& wear_;
  const std::size_t limit_;

  std::mutex mutex_;  // of the queues and counters below
  std::condition_variable wake_;
  std::deque<Job> ready_;
  std::deque<Job> suspects_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  std::size_t called_ = 0;  // of the idle ones: on their way to the queue
  std::size_t busy_suspects_ = 0;
  std::size_t unsent_ = 0;

  std::atomic<std::size_t> unstarted_{0};  // calls submitted and not in running_ yet
  std::uint64_t look_at_ = UINT64_MAX;      // the earliest deadline submitted since the last look; the reader's

  std::mutex running_mutex_;
  std::vector<Running> running_;  // one a thread
  std::deque<std::shared_ptr<ActiveCall>> over_;  // the last that ended

  // a plugin's cancel may hang or crash: it is called on a thread of its own, started by the first that is needed
  std::mutex cancel_mutex_;
  std::condition_variable cancel_wake_;
  std::deque<std::shared_ptr<ActiveCall>> to_cancel_;
  bool has_canceller_ = false;
};

}  // namespace ronda::runner
