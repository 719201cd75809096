// SPDX-License-Identifier: Apache-2.0
// The threads that run calls: as many as the manifest's max_concurrency and one to spare, started on demand, so that
// one always waits at the gate or is on its way there; the process's first, if it has nothing to do (decision 0091). Whoever reads calls
// there runs the first of them itself. Calls known to be quick share one thread and one message; calls that timed out recently hold at most
// half of the threads.
#pragma once

#include <atomic>
#include <chrono>
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
#include "runner/ambient.hpp"
#include "runner/gate.hpp"
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
  /// `read` takes what has come from the agent and submits it; it is called by one thread at a time.
  Pool(Link& link, plugin::Blackbox& blackbox, const Wear& wear, const Ambient& ambient, std::size_t threads, std::function<void()> read);

  /// The calling thread is the first of the pool from now on, on a stack of the size that all of them have. [once, the process's
  /// first thread]
  [[noreturn]] void join();
  /// [reader]
  void submit(std::vector<Job> jobs);
  /// Threads for what was submitted, besides the reader itself, which takes the first. [reader]
  void call_threads();
  /// Cancels one call, running or waiting. [reader]
  void cancel(std::uint64_t call_id);
  /// No new jobs; calls that run are cancelled; true when all are back before `until`, monotonic. [any]
  bool drain(std::chrono::nanoseconds until);
  /// No call runs or waits. [any]
  bool is_calm();
  /// A detached thread with the stack of a call; false when the kernel gives none. [any]
  static bool start_thread(void* (*body)(void*), void* self);

 private:
  struct Running {
    std::shared_ptr<ActiveCall> call;
    std::uint64_t deadline = 0;
    int cancel_fd = -1;
  };

  static void* enter(void* self);
  [[noreturn]] static void enter_joined(unsigned high, unsigned low);
  bool is_first() const;
  void park(std::unique_lock<std::mutex>& lock);
  bool unpark();
  [[noreturn]] void work();
  void wait();
  bool take(Job& job, std::size_t& slot);
  void give_back(const Job& job, std::size_t slot);
  void execute(Job& job, std::size_t slot);
  void run_call(Job& job, std::size_t slot);
  void keep_gone(std::shared_ptr<Instance> instance);
  bool put_back(const Job& job, bool look) const;
  void finish(const Job& job, wire::Outcome outcome);
  bool add_thread();
  void set_clock();
  void on_clock();
  void check_deadlines(std::uint64_t now);
  void cancel_running(Running& running, bool timed_out);
  static void* enter_canceller(void* self);
  void cancel_calls();
  bool cancel_waiting(std::uint64_t call_id);
  void call_thread();
  bool has_backlog() const { return !ready_.empty() || !suspects_.empty(); }

  Link& link_;
  plugin::Blackbox& blackbox_;
  const Wear& wear_;
  const Ambient& ambient_;
  const std::size_t limit_;  // of calls at once
  const std::function<void()> read_;
  Gate gate_;
  std::mutex reading_;  // never waited for: the gate lets one in. It orders what successive readers see

  pthread_t first_{};  // who joined; the process's first
  std::condition_variable unparked_;

  std::mutex mutex_;  // of the queues and counters below
  std::deque<Job> ready_;
  std::deque<Job> suspects_;
  std::vector<std::size_t> free_slots_;  // places in running_ without a call
  std::size_t threads_ = 0;
  std::size_t busy_ = 0;       // threads with a job
  std::size_t idle_ = 0;       // threads at the gate
  std::size_t parked_ = 0;     // threads with nothing to do, while the first is at the gate
  std::size_t to_unpark_ = 0;  // of these: on their way
  bool first_waits_ = false;   // at the gate
  std::size_t called_ = 0;     // of the idle ones: on their way to the queue
  std::size_t wanted_ = 0;     // threads for what was submitted since call_threads
  std::size_t busy_suspects_ = 0;
  std::size_t unsent_ = 0;
  std::uint64_t unsent_since_ = 0;           // CLOCK_MONOTONIC, while unsent_ > 0
  std::uint64_t deadline_at_ = Gate::never;  // the earliest that may have to be enforced
  std::uint64_t tick_at_ = Gate::never;      // when finished results and waiting jobs have waited long enough
  std::uint64_t clock_at_ = Gate::never;     // what the gate's clock is set to

  std::atomic<std::size_t> unstarted_{0};  // calls submitted and not in running_ yet

  std::mutex running_mutex_;
  std::vector<Running> running_;                  // `limit_` places
  std::deque<std::shared_ptr<ActiveCall>> over_;  // the last that ended
  std::deque<std::shared_ptr<Instance>> gone_;    // the last that were destroyed
  std::size_t gone_bytes_ = 0;                    // of their options
  std::vector<std::uint64_t> cancelled_early_;    // calls that a thread has taken and not begun; empty when there are none

  // a plugin's cancel may hang or crash: it is called on a thread of its own, started by the first that is needed
  std::mutex cancel_mutex_;
  std::condition_variable cancel_wake_;
  std::deque<std::shared_ptr<ActiveCall>> to_cancel_;
  bool has_canceller_ = false;
};

}  // namespace ronda::runner
