// SPDX-License-Identifier: Apache-2.0
#include "runner/pool.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/clock.hpp"
#include "base/sanitized.hpp"
#include "runner/crash.hpp"
#include "runner/link.hpp"

namespace ronda::runner {
namespace {

constexpr std::size_t stack_bytes = 256 << 10;
constexpr std::size_t calls_kept = 64;
constexpr std::size_t gone_kept = 64, gone_bytes_kept = 64 << 10;
constexpr std::size_t results_per_message = 64;
constexpr std::size_t bytes_per_message = 32 << 10;
constexpr std::uint64_t look_again_ns = 100'000'000;
constexpr std::uint64_t tick_ns = 2'000'000;    // how long a call keeps what waits behind it; half of it more at most
constexpr std::uint64_t unsent_ns = 4'000'000;  // how long a finished result waits for others of its batch

std::uint64_t mono_ns() {
  return static_cast<std::uint64_t>(monotonic().count());
}

}  // namespace

Pool::Pool(Link& link, plugin::Blackbox& blackbox, const Wear& wear, const Ambient& ambient, std::size_t threads,
           std::function<void()> read)
    : link_(link),
      blackbox_(blackbox),
      wear_(wear),
      ambient_(ambient),
      limit_(std::min(std::max<std::size_t>(threads, 1), plugin::Blackbox::slot_count)),
      read_(std::move(read)),
      gate_(plugin::runner_socket_fd),
      running_(limit_) {
  // the first are taken first, so that few descriptors are made and few lines of the blackbox touched
  for (std::size_t slot = limit_; slot > 0; --slot) free_slots_.push_back(slot - 1);
}

/// The stack that the kernel gives the first thread grows to 8 MiB: a call that goes too deep would come back from there and
/// crash on any other thread. Sanitizers know that stack and none besides.
void Pool::join() {
  {
    const std::lock_guard lock(mutex_);
    first_ = ::pthread_self();
    ++threads_;
  }
  call_threads();
  if constexpr (is_sanitized) work();
  const auto guard = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const stack = ::mmap(nullptr, guard + stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  ucontext_t here{};
  if (stack == MAP_FAILED || ::mprotect(stack, guard, PROT_NONE) != 0 || ::getcontext(&here) != 0) leave_in_peace(126);
  here.uc_stack.ss_sp = static_cast<char*>(stack) + guard;
  here.uc_stack.ss_size = stack_bytes;
  here.uc_link = nullptr;
  const auto self = reinterpret_cast<std::uintptr_t>(this);  // in halves: a context is handed nothing wider than an int
  ::makecontext(&here, reinterpret_cast<void (*)()>(enter_joined), 2, static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
  ::setcontext(&here);
  leave_in_peace(126);
}

void Pool::enter_joined(unsigned high, unsigned low) {
  reinterpret_cast<Pool*>(std::uintptr_t{high} << 32 | low)->work();
}

bool Pool::start_thread(void* (*body)(void*), void* self) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_bytes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  const bool started = ::pthread_create(&thread, &attributes, body, self) == 0;
  ::pthread_attr_destroy(&attributes);
  return started;
}

bool Pool::add_thread() {
  if (!start_thread(enter, this)) return false;
  ++threads_;
  return true;
}

void* Pool::enter(void* self) {
  const CrashStack crash_stack;
  static_cast<Pool*>(self)->work();
}

void Pool::submit(std::vector<Job> jobs) {
  const std::lock_guard lock(mutex_);
  bool has_quick = wanted_ > 0;
  for (Job& job : jobs) {
    // quick calls queue behind one thread: waking a second one costs more than they do
    if (!job.call.quick || !std::exchange(has_quick, true)) ++wanted_;
    if (job.what == Job::What::call || job.what == Job::What::deliver) {
      ++unstarted_;
      deadline_at_ = std::min(deadline_at_, job.call.deadline_mono_ns);
    }
    (job.call.suspect ? suspects_ : ready_).push_back(std::move(job));
  }
  set_clock();
}

void Pool::call_threads() {
  const std::lock_guard lock(mutex_);
  for (std::size_t others = std::exchange(wanted_, 0); others > 1; --others) call_thread();
}

/// One more thread comes to the queue, if there is one to spare.
void Pool::call_thread() {
  if (called_ < idle_) {
    if (++called_ == 1) gate_.ring();  // of two that come together, one is lost: each one called calls the next
  } else if (!unpark() && threads_ <= limit_) {
    add_thread();
  }
}

/// A job and a place for it. There is always a thread left for the gate, unless the kernel gives no more of them.
bool Pool::take(Job& job, std::size_t& slot) {
  const std::size_t suspect_limit = std::max<std::size_t>(limit_ / 2, 1);
  std::deque<Job>& queue = ready_.empty() && busy_suspects_ < suspect_limit ? suspects_ : ready_;
  if (queue.empty() || free_slots_.empty()) return false;
  job = std::move(queue.front());
  queue.pop_front();
  slot = free_slots_.back();
  free_slots_.pop_back();
  if (job.call.suspect) ++busy_suspects_;
  if (++busy_ == threads_)
    add_thread();
  else if (idle_ == 0)
    unpark();
  // A finished result may have been left for this job to send, which may take long or not come back. Counted anew with
  // each job: as long as they come to an end another thread would only wake up for nothing.
  const bool waits = has_backlog() || link_.waiting_bytes() > 0;
  if (!waits) return true;
  const std::uint64_t now = mono_ns();
  if (tick_at_ == Gate::never || tick_at_ < now + tick_ns) {  // not for each of many short jobs
    tick_at_ = now + tick_ns + tick_ns / 2;
    set_clock();
  }
  return true;
}

void Pool::give_back(const Job& job, std::size_t slot) {
  --busy_;
  free_slots_.push_back(slot);
  if (job.call.suspect) --busy_suspects_;
}

bool Pool::is_first() const {
  return ::pthread_equal(::pthread_self(), first_) != 0;
}

/// The last to come to the gate gets the next call, and of a process a debugger shows the first thread: while that one waits
/// there, whoever else has nothing to do waits here.
void Pool::park(std::unique_lock<std::mutex>& lock) {
  ++parked_;
  unparked_.wait(lock, [this] { return to_unpark_ > 0; });
  --to_unpark_;
  --parked_;
}

bool Pool::unpark() {
  if (to_unpark_ == parked_) return false;
  ++to_unpark_;
  unparked_.notify_one();
  return true;
}

void Pool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    Job job;
    std::size_t slot = 0;
    while (take(job, slot)) {
      lock.unlock();
      execute(job, slot);
      lock.lock();
      give_back(job, slot);
      job = {};
    }
    if (tick_at_ != Gate::never && !has_backlog()) {
      tick_at_ = Gate::never;
      set_clock();
    }
    if (first_waits_) {
      park(lock);
      continue;
    }
    first_waits_ = is_first();
    ++idle_;
    lock.unlock();
    wait();
    lock.lock();
  }
}

/// At the gate, until there may be something to take.
void Pool::wait() {
  if (link_.waiting_bytes() > 0) link_.flush();
  const Event event = gate_.wait();
  bool is_for_first = false;
  {
    const std::lock_guard lock(mutex_);
    --idle_;
    if (is_first()) first_waits_ = false;
    is_for_first = first_waits_ && event == Event::socket;
    if (event == Event::bell && called_ > 0 && --called_ > 0) gate_.ring();
  }
  if (is_for_first) return gate_.open();  // we came to the gate behind it, having seen it busy
  switch (event) {
    case Event::bell:
      return;
    case Event::clock:
      return on_clock();
    case Event::broken:
      leave_in_peace(0);  // a call has closed what is ours: the agent sees the end of the stream
    case Event::socket:
      break;
  }
  {
    const std::lock_guard lock(reading_);
    read_();
  }
  gate_.open();
  call_threads();
}

void Pool::set_clock() {
  const std::uint64_t at = std::min(deadline_at_, tick_at_);
  if (at == clock_at_) return;
  clock_at_ = at;
  gate_.set_clock(at);
}

/// Results that are ready leave, and the thread that came for this takes part if jobs wait.
void Pool::on_clock() {
  const std::uint64_t now = mono_ns();
  if (link_.waiting_bytes() > 0) link_.flush();
  std::unique_lock lock(mutex_);
  clock_at_ = Gate::never;
  if (tick_at_ <= now) tick_at_ = Gate::never;
  const bool look = deadline_at_ <= now;
  if (look) deadline_at_ = Gate::never;
  lock.unlock();
  if (look) check_deadlines(now);
  lock.lock();
  set_clock();
}

void Pool::execute(Job& job, std::size_t slot) {
  const std::lock_guard turn(job.instance->turn());
  switch (job.what) {
    case Job::What::probe:
      link_.send(job.instance->probe());
      break;
    case Job::What::destroy:
      job.instance->destroy();
      job.instance->wipe();
      keep_gone(job.instance);
      break;
    case Job::What::call:
    case Job::What::deliver:
      return run_call(job, slot);
  }
  put_back(job, false);
}

/// Its address is not used again soon: what the plugin still asks by it is answered, and of no other instance.
void Pool::keep_gone(std::shared_ptr<Instance> instance) {
  const std::lock_guard lock(running_mutex_);
  gone_bytes_ += instance->spec().options().size();
  gone_.push_back(std::move(instance));
  while (gone_.size() > 1 && (gone_.size() > gone_kept || gone_bytes_ > gone_bytes_kept)) {
    gone_bytes_ -= gone_.front()->spec().options().size();
    gone_.pop_front();
  }
}

/// What it has left changed is told of its instance; of calls that overlap it may have been the other one.
bool Pool::put_back(const Job& job, bool look) const {
  const std::string changed = ambient_.put_back(look);
  if (changed.empty()) return false;
  link_.log(
      wire::Log{job.instance->id(), RONDA_LOG_WARNING, "changed " + changed + ", which every call shares (RONDA-P-045); it is put back"});
  return true;
}

void Pool::run_call(Job& job, std::size_t slot) {
  const auto call = std::make_shared<ActiveCall>();
  static_cast<ronda_call&>(*call) = {sizeof(ronda_call),        job.call.flags, job.call.id, job.call.deadline_mono_ns, -1, job.call.reason,
                                     job.call.scheduled_wall_ns};
  call->instance = job.instance.get();
  {
    const std::lock_guard lock(running_mutex_);
    if (running_[slot].cancel_fd < 0) running_[slot].cancel_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    call->cancel_fd = running_[slot].cancel_fd;
    running_[slot].call = call;
    running_[slot].deadline = job.call.deadline_mono_ns;
    --unstarted_;
    if (std::erase(cancelled_early_, call->id) > 0) cancel_running(running_[slot], false);
    if (unstarted_ == 0) cancelled_early_.clear();  // what is left had ended before its cancel came
  }
  blackbox_.running[slot].store(call->id, std::memory_order_relaxed);
  enter_call(call->id);
  wire::Outcome outcome = job.instance->run(*call, job.what == Job::What::deliver ? &job.message : nullptr);
  {
    const std::lock_guard lock(running_mutex_);
    running_[slot].call = nullptr;
    std::uint64_t drained = 0;
    if (call->cancelled) static_cast<void>(::read(call->cancel_fd, &drained, sizeof drained));
    // its address is not used again soon: a thread of the plugin's own may still speak of it
    over_.push_back(call);
    if (over_.size() > calls_kept) over_.pop_front();
  }
  const bool failed = outcome.end != wire::End::reported;
  outcome.worn = wear_.worn(failed);
  if (put_back(job, failed) && outcome.worn == wire::Worn::no) outcome.worn = wire::Worn::changed;
  // it is to blame until its result is on its way: it may have broken what carries that
  finish(job, std::move(outcome));
  enter_call(0);
  blackbox_.running[slot].store(0, std::memory_order_relaxed);
}

/// Results that are ready when the runner writes share a message; the clock's tick sends what a job that takes long was to
/// send.
void Pool::finish(const Job& job, wire::Outcome outcome) {
  link_.post(outcome);
  std::unique_lock lock(mutex_);
  const std::uint64_t now = mono_ns();
  if (unsent_ == 0) unsent_since_ = now;
  const bool more_to_come = job.call.quick && !ready_.empty() && now - unsent_since_ < unsent_ns;
  if (more_to_come && ++unsent_ < results_per_message && link_.waiting_bytes() < bytes_per_message) return;
  unsent_ = 0;
  lock.unlock();
  link_.flush();
}

void Pool::cancel_running(Running& running, bool timed_out) {
  ActiveCall& call = *running.call;
  if (call.cancelled.exchange(true)) return;
  call.timed_out = timed_out;
  const std::uint64_t one = 1;
  static_cast<void>(::write(running.cancel_fd, &one, sizeof one));
  const std::lock_guard lock(cancel_mutex_);
  to_cancel_.push_back(running.call);
  if (!has_canceller_) has_canceller_ = start_thread(enter_canceller, this);
  cancel_wake_.notify_one();
}

void* Pool::enter_canceller(void* self) {
  static_cast<Pool*>(self)->cancel_calls();
  return nullptr;
}

void Pool::cancel_calls() {
  const CrashStack crash_stack;
  std::unique_lock lock(cancel_mutex_);
  while (true) {
    cancel_wake_.wait(lock, [&] { return !to_cancel_.empty(); });
    const std::shared_ptr<ActiveCall> call = std::move(to_cancel_.front());
    to_cancel_.pop_front();
    lock.unlock();
    enter_call(call->id);
    call->instance->cancel(*call);
    enter_call(0);
    lock.lock();
  }
}

void Pool::check_deadlines(std::uint64_t now) {
  // a call that no thread has begun is not seen below: the look is then repeated
  std::uint64_t next = unstarted_ > 0 ? now + look_again_ns : Gate::never;
  {
    const std::lock_guard lock(running_mutex_);
    for (Running& running : running_) {
      if (running.call == nullptr || running.call->cancelled) continue;
      if (running.deadline <= now)
        cancel_running(running, true);
      else
        next = std::min(next, running.deadline);
    }
  }
  const std::lock_guard lock(mutex_);
  deadline_at_ = std::min(deadline_at_, next);
}

bool Pool::cancel_waiting(std::uint64_t call_id) {
  const std::lock_guard lock(mutex_);
  for (auto* queue : {&ready_, &suspects_}) {
    const auto found = std::find_if(queue->begin(), queue->end(), [&](const Job& job) { return job.call.id == call_id; });
    if (found == queue->end()) continue;
    queue->erase(found);
    --unstarted_;
    return true;
  }
  return false;
}

void Pool::cancel(std::uint64_t call_id) {
  if (cancel_waiting(call_id)) {
    wire::Outcome outcome;
    outcome.call = call_id;
    outcome.end = wire::End::failed;
    outcome.summary = "cancelled before it began";
    return link_.send(outcome);
  }
  const std::lock_guard lock(running_mutex_);
  for (Running& running : running_) {
    if (running.call != nullptr && running.call->id == call_id) return cancel_running(running, false);
  }
  // a thread may have taken it and not begun it: it waits for its instance's turn, or for a processor
  if (unstarted_ > 0) cancelled_early_.push_back(call_id);
}

bool Pool::is_calm() {
  const std::lock_guard lock(mutex_);
  return busy_ == 0 && !has_backlog();
}

bool Pool::drain(std::chrono::nanoseconds until) {
  {
    const std::lock_guard lock(running_mutex_);
    for (Running& running : running_) {
      if (running.call != nullptr) cancel_running(running, false);
    }
  }
  while (monotonic() < until) {
    if (is_calm()) return true;
    const timespec pause{0, 5'000'000};
    ::nanosleep(&pause, nullptr);
  }
  return false;
}

}  // namespace ronda::runner
