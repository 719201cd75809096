// SPDX-License-Identifier: Apache-2.0
#include "plugin/supervisor.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <unordered_map>

#include "base/clock.hpp"
#include "plugin/output_capture.hpp"
#include "plugin/runner_link.hpp"
#include "ronda/abi.h"

namespace ronda::plugin {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto answer_limit = 500ms;   // past its deadline, a call is called timed out by us
constexpr auto grace = 2s;             // past its deadline, its runner gets no new work
constexpr auto suspect_time = 10min;   // an instance that timed out is watched for so long
constexpr auto healthy_time = 60s;     // of service, after which earlier deaths are forgotten
constexpr auto partial_frame_limit = 5s;
constexpr std::size_t quick_limit = 1024;              // quick calls handed over at once
constexpr std::size_t unread_limit = std::size_t{8} << 20;  // bytes a runner may leave unread
constexpr std::size_t log_lines_per_minute = 600;

Mono mono_now() { return monotonic(); }

std::uint64_t as_count(Mono t) { return static_cast<std::uint64_t>(t.count()); }

}  // namespace

std::string_view name_of(Fate fate) {
  constexpr std::array<std::string_view, 7> names = {"finished", "timeout", "crashed", "limit", "protocol", "lost", "unavailable"};
  return names[static_cast<std::size_t>(fate)];
}

class Supervisor::Impl : public std::enable_shared_from_this<Supervisor::Impl> {
 public:
  Impl(asio::io_context& loop, RunnerSpec spec, SupervisorClient& client)
      : loop_(loop), spec_(std::move(spec)), client_(&client), timer_(loop) {}

  void dispatch(std::vector<CallSpec> calls);
  void cancel(std::uint64_t call);
  void probe(std::uint32_t instance);
  void forget(std::uint32_t instance);
  void retire();
  void kill_all();
  void shut();
  SupervisorStatus status() const;

  asio::io_context& loop_;
  RunnerSpec spec_;
  SupervisorClient* client_;
  RestartPolicy policy_;
  std::chrono::nanoseconds idle_limit_ = 60s;

  struct Process;
  std::vector<std::unique_ptr<Process>> processes_;

 private:
  struct InFlight {
    CallSpec spec;
    Process* process = nullptr;
    Mono deadline{0};
    int attempt = 1;
    bool suspect = false;  // holds one of the places of those that timed out
    bool ended = false;    // told already; a result that still comes is late
  };
  struct Waiting {
    CallSpec spec;
    Mono until{0};
    int attempt = 1;
  };
  struct Check {  // of a call, at a time
    Mono at;
    std::uint64_t call;
    bool operator>(const Check& other) const { return at > other.at; }
  };

  // calls
  bool is_suspect(std::uint32_t instance, Mono now);
  void pump();
  bool may_send(const Process& process, const CallSpec& spec, bool suspect) const;
  void send(Process& process, Waiting waiting, bool suspect, Mono now);
  bool pump_queue(std::deque<Waiting>& queue, bool suspect, Mono now);
  void pump_alone(Mono now);
  std::string unavailable_reason(const CallSpec& spec, Mono now);
  void end(CallEnd call_end);
  void tell_ends();
  void finish_waiting(std::string_view cause, Fate fate);
  void expire_waiting(Mono now);
  void check_call(std::uint64_t id, Mono now);
  void release(const InFlight& call);

  // processes
  Process* start(Mono now);
  void step(Process& process, LifeEvent event);
  void act(Process& process, LifeAction action);
  void on_loaded(Process& process, const wire::Loaded& loaded);
  void on_outcome(Process& process, wire::Outcome outcome);
  void on_broken(Process& process, std::string_view why);
  void on_end(Process& process, const RunnerEnd& end);
  void settle(Process& process, const RunnerEnd& end);
  void settle_call(std::uint64_t id, InFlight& call, std::optional<std::uint64_t> culprit, bool was_running, Fate fate, const std::string& cause);
  void blame(std::uint32_t instance, std::string_view cause, Mono now);
  void trouble(std::uint32_t instance, std::string text);
  void log(std::uint32_t instance, std::int64_t level, std::string_view text);

  // time
  void arm(Mono at);
  void on_timer();
  void watch_processes(Mono now);

  Process* current_ = nullptr;  // the one that gets new work
  std::deque<Waiting> ready_, suspects_, alone_;
  std::unordered_map<std::uint64_t, InFlight> calls_;
  std::unordered_map<std::uint32_t, Mono> suspect_until_;
  std::priority_queue<Check, std::vector<Check>, std::greater<>> checks_;
  std::vector<CallEnd> ends_;
  bool ends_scheduled_ = false;
  asio::steady_timer timer_;
  Mono armed_for_ = Mono::max();
  Mono last_activity_{0};
  OutputCapture output_;
  Mono log_minute_{0};
  std::size_t log_lines_ = 0;
  std::size_t deaths_ = 0, late_results_ = 0;
  std::string last_trouble_, refused_;
  bool retiring_ = false;
};

/// One runner and what is known of it; hands its events on with itself as the first argument.
struct Supervisor::Impl::Process final : RunnerEvents {
  explicit Process(Impl& owner) : owner_(owner) {}

  void on_loaded(const wire::Loaded& loaded) override { owner_.on_loaded(*this, loaded); }
  void on_created(const wire::Created& probed) override {
    if (owner_.client_ != nullptr) owner_.client_->on_probed(probed.instance, probed.ok, probed.error);
  }
  void on_outcome(wire::Outcome outcome) override { owner_.on_outcome(*this, std::move(outcome)); }
  void on_log(wire::Log log) override { owner_.log(log.instance, log.level, log.text); }
  void on_event(wire::Event event) override {
    if (owner_.client_ != nullptr && owner_.calls_.contains(event.call)) owner_.client_->on_event(event);
  }
  void on_progress(wire::Progress progress) override {
    if (owner_.client_ != nullptr && owner_.calls_.contains(progress.call)) owner_.client_->on_progress(progress);
  }
  void on_request(wire::Request request) override;
  void on_output(std::string_view bytes) override {
    owner_.output_.feed(bytes, mono_now(), [this](std::string_view line) { owner_.log(0, RONDA_LOG_INFO, line); });
  }
  void on_broken(std::string_view why) override { owner_.on_broken(*this, why); }
  void on_end(const RunnerEnd& end) override { owner_.on_end(*this, end); }

  bool is_running(std::uint64_t call) const {
    const auto& running = link->process().blackbox->running;
    return std::ranges::any_of(running, [&](const auto& slot) { return slot.load(std::memory_order_relaxed) == call; });
  }
  bool runs_nothing() const {
    const auto& running = link->process().blackbox->running;
    return std::ranges::all_of(running, [](const auto& slot) { return slot.load(std::memory_order_relaxed) == 0; });
  }
  void ensure_created(std::uint32_t instance) {
    if (instance >= created.size()) created.resize(instance + 1);
    if (created[instance]) return;
    created[instance] = true;
    link->post(owner_.client_->describe(instance));
  }

  std::unique_ptr<RunnerLink> link;
  Life life = Life::starting;
  Mono since{0};                 // in this life
  Mono started{0};
  Mono partial_since{0};
  std::vector<bool> created;     // by instance
  std::size_t quick = 0, slow = 0, suspects = 0;
  std::size_t unfinished = 0;    // calls in flight that were not told an end
  std::string broken;            // why, if it broke the protocol
  bool our_kill = false;

 private:
  Impl& owner_;
};

void Supervisor::Impl::Process::on_request(wire::Request request) {
  const std::uint64_t sequence = request.sequence;
  const auto reply = [weak = owner_.weak_from_this(), this, sequence](std::int32_t code, std::string payload) {
    const auto owner = weak.lock();
    if (!owner) return;
    const auto alive = std::ranges::any_of(owner->processes_, [&](const auto& p) { return p.get() == this; });
    if (alive) link->post(wire::Reply{sequence, code, std::move(payload)});
  };
  if (owner_.client_ == nullptr) return reply(RONDA_E_AGAIN, {});
  owner_.client_->on_request(std::move(request), reply);
}

// ---- calls ----------------------------------------------------------------------------------

bool Supervisor::Impl::is_suspect(std::uint32_t instance, Mono now) {
  const auto found = suspect_until_.find(instance);
  if (found == suspect_until_.end()) return false;
  if (found->second > now) return true;
  suspect_until_.erase(found);
  return false;
}

/// Why no runner will take this call soon; empty when one will.
std::string Supervisor::Impl::unavailable_reason(const CallSpec& spec, Mono now) {
  if (retiring_) return "the plugin is being replaced";
  if (policy_.is_quarantined(spec.instance)) {
    if (!policy_.probe_due(spec.instance, now)) return "in quarantine after repeated failures: " + last_trouble_;
    policy_.on_probe(spec.instance, now);
  }
  const Mono wait = policy_.start_allowed_at() - now;
  if (current_ == nullptr && wait > spec.timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait).count();
    return "its runner starts again in " + std::to_string(seconds) + "s: " + (refused_.empty() ? last_trouble_ : refused_);
  }
  return {};
}

void Supervisor::Impl::dispatch(std::vector<CallSpec> calls) {
  const Mono now = mono_now();
  last_activity_ = now;
  for (CallSpec& spec : calls) {
    if (std::string why = unavailable_reason(spec, now); !why.empty()) {
      end({spec.id, spec.instance, Fate::unavailable, std::move(why), {}});
      continue;
    }
    auto& queue = is_suspect(spec.instance, now) ? suspects_ : ready_;
    const Mono until = now + 2 * spec.timeout;
    queue.push_back({std::move(spec), until, 1});
  }
  pump();
}

bool Supervisor::Impl::may_send(const Process& process, const CallSpec& spec, bool suspect) const {
  const auto threads = static_cast<std::size_t>(std::max<std::int64_t>(spec_.setup.concurrency, 1));
  if (process.link->unread_bytes() > unread_limit) return false;
  if (suspect && process.suspects >= std::max<std::size_t>(threads / 2, 1)) return false;
  if (spec.quick) return process.quick < quick_limit && (process.slow < threads || threads > 1);
  return process.slow < threads;
}

void Supervisor::Impl::send(Process& process, Waiting waiting, bool suspect, Mono now) {
  const CallSpec& spec = waiting.spec;
  process.ensure_created(spec.instance);
  const Mono deadline = now + spec.timeout;
  const wire::Call call{spec.instance, spec.id, as_count(deadline), spec.reason, spec.flags, spec.scheduled_wall_ns, suspect, spec.quick};
  if (spec.message != nullptr) process.link->post(call, *spec.message);
  else process.link->post(call);
  ++(spec.quick ? process.quick : process.slow);
  process.suspects += suspect ? 1 : 0;
  ++process.unfinished;
  checks_.push({deadline + answer_limit, spec.id});
  arm(deadline + answer_limit);
  const std::uint64_t id = spec.id;
  calls_[id] = {std::move(waiting.spec), &process, deadline, waiting.attempt, suspect, false};
}

/// Sends from one queue what may go; false when something must wait.
bool Supervisor::Impl::pump_queue(std::deque<Waiting>& queue, bool suspect, Mono now) {
  while (!queue.empty()) {
    if (!may_send(*current_, queue.front().spec, suspect)) return false;
    Waiting next = std::move(queue.front());
    queue.pop_front();
    send(*current_, std::move(next), suspect, now);
  }
  return true;
}

/// After a crash that nobody could be blamed for, its calls run one at a time: the next crash names its culprit.
void Supervisor::Impl::pump_alone(Mono now) {
  if (current_->unfinished > 0) return;
  Waiting next = std::move(alone_.front());
  alone_.pop_front();
  send(*current_, std::move(next), false, now);
}

void Supervisor::Impl::pump() {
  if (ready_.empty() && suspects_.empty() && alone_.empty()) return;
  const Mono now = mono_now();
  if (current_ == nullptr) {
    if (policy_.start_allowed_at() > now) return arm(policy_.start_allowed_at());
    if (start(now) == nullptr) return;
  }
  if (!alone_.empty()) return pump_alone(now);
  const bool all_sent = pump_queue(ready_, false, now) && pump_queue(suspects_, true, now);
  if (!all_sent) arm(now + 1s);  // to end those that wait too long
}

void Supervisor::Impl::end(CallEnd call_end) {
  ends_.push_back(std::move(call_end));
  if (std::exchange(ends_scheduled_, true)) return;
  asio::post(loop_, [self = shared_from_this()] { self->tell_ends(); });
}

void Supervisor::Impl::tell_ends() {
  ends_scheduled_ = false;
  for (CallEnd& call_end : std::exchange(ends_, {})) {
    if (client_ != nullptr) client_->on_call_end(std::move(call_end));
  }
}

void Supervisor::Impl::finish_waiting(std::string_view cause, Fate fate) {
  for (auto* queue : {&ready_, &suspects_, &alone_}) {
    for (Waiting& waiting : std::exchange(*queue, {})) end({waiting.spec.id, waiting.spec.instance, fate, std::string(cause), {}});
  }
}

void Supervisor::Impl::expire_waiting(Mono now) {
  for (auto* queue : {&ready_, &suspects_}) {
    while (!queue->empty() && queue->front().until <= now) {
      const CallSpec& spec = queue->front().spec;
      end({spec.id, spec.instance, Fate::timeout, "no thread of its runner was free in time", {}});
      queue->pop_front();
    }
  }
}

/// Gives back what a call held of its process.
void Supervisor::Impl::release(const InFlight& call) {
  Process& process = *call.process;
  --(call.spec.quick ? process.quick : process.slow);
  if (call.suspect) --process.suspects;
  if (!call.ended) --process.unfinished;
}

void Supervisor::Impl::cancel(std::uint64_t id) {
  const auto found = calls_.find(id);
  if (found != calls_.end()) found->second.process->link->post(wire::Tag::cancel, id);
}

void Supervisor::Impl::check_call(std::uint64_t id, Mono now) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  InFlight& call = found->second;
  Process& process = *call.process;
  const bool running = process.is_running(id);
  if (!call.ended) {
    call.ended = true;
    --process.unfinished;
    suspect_until_[call.spec.instance] = now + suspect_time;
    if (call.spec.quick) call.spec.quick = false, --process.quick, ++process.slow;
    if (!std::exchange(call.suspect, true)) ++process.suspects;
    end({id, call.spec.instance, Fate::timeout, running ? "not back by its deadline" : "its runner did not take it up in time", {}});
    checks_.push({call.deadline + grace, id});
    arm(call.deadline + grace);
    return;
  }
  if (process.life != Life::serving && process.life != Life::starting) return;
  if (!running && !process.runs_nothing()) return;  // it only waits behind others, which are checked themselves
  blame(call.spec.instance, "a call did not come back within 2s after its deadline", now);
  step(process, LifeEvent::overdue);
  if (process.unfinished == 0) step(process, LifeEvent::drained);
  pump();
}

// ---- processes ------------------------------------------------------------------------------

Supervisor::Impl::Process* Supervisor::Impl::start(Mono now) {
  auto spawned = spawn_runner({spec_.runner_path, spec_.plugin_fd.get(), spec_.pid_namespace});
  if (!spawned) {
    policy_.on_death(now);
    trouble(0, spawned.error().message());
    finish_waiting("no runner: " + spawned.error().message(), Fate::unavailable);
    return nullptr;
  }
  auto process = std::make_unique<Process>(*this);
  process->since = process->started = now;
  process->link = std::make_unique<RunnerLink>(loop_, std::move(*spawned), *process);
  wire::Setup setup = spec_.setup;
  setup.pid_namespace = process->link->process().pid_namespace;
  process->link->post(setup);
  process->link->flush();  // alone in its frame: it is read before there is anybody to take calls
  arm(now + life_limit(Life::starting));
  current_ = process.get();
  processes_.push_back(std::move(process));
  return current_;
}

void Supervisor::Impl::step(Process& process, LifeEvent event) {
  const LifeStep taken = next_life(process.life, event);
  if (taken.next != process.life) process.since = mono_now();
  process.life = taken.next;
  const bool takes_work = taken.next == Life::starting || taken.next == Life::serving;
  if (current_ == &process && !takes_work) current_ = nullptr;
  if (life_limit(taken.next) > 0s) arm(process.since + life_limit(taken.next));
  act(process, taken.action);
}

void Supervisor::Impl::act(Process& process, LifeAction action) {
  switch (action) {
    case LifeAction::none: return;
    case LifeAction::shut_down: return process.link->post(wire::Tag::shutdown, 0);
    case LifeAction::terminate:
      process.our_kill = true;
      // the init of a PID namespace ignores all signals from inside and SIGTERM from outside: it has no handler
      return process.link->signal(process.link->process().pid_namespace ? SIGKILL : SIGTERM);
    case LifeAction::kill:
      process.our_kill = true;
      return process.link->signal(SIGKILL);
    case LifeAction::report_stuck:
      return trouble(0, "a runner cannot be killed (pid " + std::to_string(process.link->process().pid) + "): it is stuck in the kernel");
  }
}

void Supervisor::Impl::on_loaded(Process& process, const wire::Loaded& loaded) {
  if (loaded.ok) {
    refused_.clear();
    step(process, LifeEvent::loaded);
    return pump();
  }
  refused_ = loaded.error;
  const Mono now = mono_now();
  policy_.on_death(now);
  blame(RestartPolicy::whole_plugin, "it does not load: " + loaded.error, now);
  step(process, LifeEvent::refused);
  for (auto& [id, call] : calls_) {
    if (call.process != &process || call.ended) continue;
    call.ended = true;
    --process.unfinished;
    end({id, call.spec.instance, Fate::unavailable, "the plugin does not load: " + loaded.error, {}});
  }
  finish_waiting("the plugin does not load: " + loaded.error, Fate::unavailable);
}

void Supervisor::Impl::on_outcome(Process& process, wire::Outcome outcome) {
  const auto found = calls_.find(outcome.call);
  if (found == calls_.end() || found->second.process != &process) {
    ++late_results_;
    return;
  }
  const Mono now = mono_now();
  InFlight call = std::move(found->second);
  calls_.erase(found);
  release(call);
  last_activity_ = now;
  if (call.ended) {
    ++late_results_;
  } else {
    if (outcome.timed_out) suspect_until_[call.spec.instance] = now + suspect_time;
    else if (policy_.is_quarantined(call.spec.instance) && outcome.end == wire::End::reported) policy_.clear(call.spec.instance);
    if (now - process.started > healthy_time) policy_.on_healthy();
    end({call.spec.id, call.spec.instance, Fate::finished, {}, std::move(outcome)});
  }
  if (process.unfinished == 0) step(process, retiring_ ? LifeEvent::retire : LifeEvent::drained);
  pump();
}

void Supervisor::Impl::on_broken(Process& process, std::string_view why) {
  process.broken = why;
  if (process.life == Life::leaving) return;  // it closes its end when it goes
  step(process, LifeEvent::broken);
}

void Supervisor::Impl::settle_call(std::uint64_t id, InFlight& call, std::optional<std::uint64_t> culprit, bool was_running,
                                   Fate fate, const std::string& cause) {
  if (call.ended) return;
  if (culprit == id) {
    end({id, call.spec.instance, fate, cause, {}});
    return blame(call.spec.instance, cause, mono_now());
  }
  if (call.spec.kind != wire::Kind::check) {
    return end({id, call.spec.instance, Fate::lost, "its runner ended while it ran: " + cause, {}});
  }
  if (call.attempt > 1) return end({id, call.spec.instance, fate, cause, {}});
  auto& queue = was_running && !culprit ? alone_ : ready_;
  queue.push_back({std::move(call.spec), mono_now() + 2 * call.spec.timeout, call.attempt + 1});
}

/// Every call that was in flight in a process that is gone comes to its end or is done once more.
void Supervisor::Impl::settle(Process& process, const RunnerEnd& end) {
  std::vector<std::uint64_t> here, running;
  for (const auto& [id, call] : calls_) {
    if (call.process != &process) continue;
    here.push_back(id);
    if (!call.ended && process.is_running(id)) running.push_back(id);
  }
  std::optional<std::uint64_t> culprit;
  if (!process.our_kill || !process.broken.empty()) {
    if (end.culprit_call != 0 && std::ranges::find(here, end.culprit_call) != here.end()) culprit = end.culprit_call;
    else if (running.size() == 1) culprit = running.front();
  }
  const bool killed_outside = !process.our_kill && !end.by_itself && WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == SIGKILL;
  const Fate fate = !process.broken.empty() && process.our_kill ? Fate::protocol : killed_outside ? Fate::limit : Fate::crashed;
  const std::string cause = fate == Fate::protocol ? process.broken : end.text;
  for (const std::uint64_t id : here) {
    const bool was_running = std::ranges::find(running, id) != running.end();
    settle_call(id, calls_[id], culprit, was_running, fate, cause);
    calls_.erase(id);
  }
}

void Supervisor::Impl::on_end(Process& process, const RunnerEnd& end) {
  const Mono now = mono_now();
  const bool expected = process.life == Life::leaving && !process.our_kill && !end.by_itself;
  const bool refused = !refused_.empty();
  if (current_ == &process) current_ = nullptr;
  if (!expected && !refused) {
    ++deaths_;
    if (now - process.started > healthy_time) policy_.on_healthy();
    policy_.on_death(now);
    if (process.life == Life::starting) blame(RestartPolicy::whole_plugin, "it " + end.text + " while it was loaded", now);
    last_trouble_ = process.broken.empty() ? end.text : process.broken;
    log(0, RONDA_LOG_ERROR, "runner " + std::to_string(process.link->process().pid) + ": " + last_trouble_);
  }
  settle(process, end);
  std::erase_if(processes_, [&](const auto& p) { return p.get() == &process; });
  pump();
}

void Supervisor::Impl::blame(std::uint32_t instance, std::string_view cause, Mono now) {
  last_trouble_ = cause;
  switch (policy_.on_failure(instance, now)) {
    case RestartPolicy::Verdict::nothing: return;
    case RestartPolicy::Verdict::quarantine_instance:
      return trouble(instance, "quarantined after 5 failures in 10 minutes; the last: " + std::string(cause));
    case RestartPolicy::Verdict::quarantine_plugin:
      trouble(0, "the plugin is quarantined after 5 failures in 10 minutes; the last: " + std::string(cause));
      return finish_waiting("in quarantine after repeated failures: " + std::string(cause), Fate::unavailable);
  }
}

void Supervisor::Impl::trouble(std::uint32_t instance, std::string text) {
  last_trouble_ = text;
  if (client_ != nullptr) client_->on_trouble(spec_.plugin_id, instance, text);
}

void Supervisor::Impl::log(std::uint32_t instance, std::int64_t level, std::string_view text) {
  const Mono now = mono_now();
  if (now - log_minute_ >= 1min) log_minute_ = now, log_lines_ = 0;
  if (++log_lines_ > log_lines_per_minute || client_ == nullptr) return;
  client_->on_log(spec_.plugin_id, instance, level, text);
  if (log_lines_ == log_lines_per_minute) client_->on_log(spec_.plugin_id, 0, RONDA_LOG_WARNING, "too many log lines: the rest of this minute is dropped");
}

// ---- time -----------------------------------------------------------------------------------

/// One timer, set to the earliest of all that is waited for; a wake-up that finds nothing to do is cheap.
void Supervisor::Impl::arm(Mono at) {
  if (at >= armed_for_) return;
  armed_for_ = at;
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::duration_cast<std::chrono::steady_clock::duration>(at)));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (const auto self = weak.lock(); self && !error) self->on_timer();
  });
}

void Supervisor::Impl::on_timer() {
  armed_for_ = Mono::max();
  const Mono now = mono_now();
  while (!checks_.empty() && checks_.top().at <= now) {
    const std::uint64_t id = checks_.top().call;
    checks_.pop();
    check_call(id, now);
  }
  watch_processes(now);
  expire_waiting(now);
  pump();
  if (!checks_.empty()) arm(checks_.top().at);
}

void Supervisor::Impl::watch_processes(Mono now) {
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    Process& process = *processes_[i];
    const auto limit = life_limit(process.life);
    if (limit > 0s && process.since + limit <= now) step(process, LifeEvent::waited);
    else if (limit > 0s) arm(process.since + limit);
    if (!process.link->has_partial_frame()) process.partial_since = Mono{0};
    else if (process.partial_since == Mono{0}) process.partial_since = now, arm(now + partial_frame_limit);
    else if (now - process.partial_since > partial_frame_limit) on_broken(process, "it stopped in the middle of a frame");
    const bool idle = process.life == Life::serving && process.unfinished == 0 && ready_.empty();
    if (!idle) continue;
    if (now - last_activity_ >= idle_limit_) step(process, LifeEvent::retire);
    else arm(last_activity_ + idle_limit_);
  }
}

void Supervisor::Impl::probe(std::uint32_t instance) {
  const Mono now = mono_now();
  last_activity_ = now;
  if (current_ == nullptr && start(now) == nullptr) return client_->on_probed(instance, false, last_trouble_);
  current_->ensure_created(instance);
  current_->link->post(wire::Tag::probe, instance);
}

void Supervisor::Impl::forget(std::uint32_t instance) {
  policy_.clear(instance);
  suspect_until_.erase(instance);
  for (const auto& process : processes_) {
    if (instance < process->created.size() && process->created[instance]) process->link->post(wire::Tag::destroy, instance);
  }
}

void Supervisor::Impl::retire() {
  retiring_ = true;
  finish_waiting("the plugin is being replaced", Fate::unavailable);
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    if (processes_[i]->unfinished == 0) step(*processes_[i], LifeEvent::retire);
  }
}

void Supervisor::Impl::kill_all() {
  retiring_ = true;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    processes_[i]->our_kill = true;
    processes_[i]->link->signal(SIGKILL);
  }
}

void Supervisor::Impl::shut() {
  client_ = nullptr;
  timer_.cancel();
  kill_all();
  processes_.clear();
  current_ = nullptr;
}

SupervisorStatus Supervisor::Impl::status() const {
  SupervisorStatus out;
  out.plugin_id = spec_.plugin_id;
  out.sha256 = spec_.sha256;
  for (const auto& process : processes_) out.runners.push_back({process->link->process().pid, process->life, process->unfinished});
  out.waiting = ready_.size() + suspects_.size() + alone_.size();
  out.deaths = deaths_;
  out.late_results = late_results_;
  out.last_trouble = last_trouble_;
  out.refused = refused_;
  out.quarantined = policy_.is_quarantined(RestartPolicy::whole_plugin);
  out.starts_in = std::max<Mono>(policy_.start_allowed_at() - mono_now(), 0s);
  return out;
}

// ---- the public face ------------------------------------------------------------------------

Supervisor::Supervisor(asio::io_context& loop, RunnerSpec spec, SupervisorClient& client)
    : impl_(std::make_shared<Impl>(loop, std::move(spec), client)) {}
Supervisor::~Supervisor() { impl_->shut(); }
void Supervisor::dispatch(std::vector<CallSpec> calls) { impl_->dispatch(std::move(calls)); }
void Supervisor::cancel(std::uint64_t call) { impl_->cancel(call); }
void Supervisor::probe(std::uint32_t instance) { impl_->probe(instance); }
void Supervisor::forget(std::uint32_t instance) { impl_->forget(instance); }
void Supervisor::set_idle_limit(std::chrono::nanoseconds limit) { impl_->idle_limit_ = limit; }
void Supervisor::retire() { impl_->retire(); }
void Supervisor::kill_all() { impl_->kill_all(); }
bool Supervisor::is_empty() const { return impl_->processes_.empty(); }
void Supervisor::clear_quarantine(std::uint32_t instance) {
  if (instance == RestartPolicy::whole_plugin) impl_->policy_.clear_all();
  else impl_->policy_.clear(instance);
}
bool Supervisor::is_quarantined(std::uint32_t instance) const { return impl_->policy_.is_quarantined(instance); }
SupervisorStatus Supervisor::status() const { return impl_->status(); }
const std::string& Supervisor::plugin_id() const { return impl_->spec_.plugin_id; }
const std::string& Supervisor::sha256() const { return impl_->spec_.sha256; }

}  // namespace ronda::plugin
