// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/post.hpp>

#include "plugin/supervisor_impl.hpp"
#include "ronda/abi.h"

namespace ronda::plugin {

std::string_view name_of(Fate fate) {
  constexpr std::array<std::string_view, 8> names = {"finished", "timeout", "crashed",     "limit",
                                                     "protocol", "lost",    "unavailable", "spawn-failed"};
  return names[static_cast<std::size_t>(fate)];
}

std::string text_of(const CallEnd& end) {
  const std::string name(name_of(end.fate));
  return end.cause.starts_with(name + "(") ? end.cause : name + ": " + end.cause;  // limit(memory) says it already
}

namespace {

/// The grant that this needs; empty: everybody's.
std::string_view grant_of(wire::Ask ask) {
  switch (ask) {
    case wire::Ask::kv_get:
    case wire::Ask::kv_each:
    case wire::Ask::kv_commit:
      return "state";
    case wire::Ask::inbox_take:
      return "inbox";
    case wire::Ask::calendar_previous:
    case wire::Ask::calendar_next:
      return {};
  }
  return {};
}

}  // namespace

std::int32_t Supervisor::Impl::Process::judge(const wire::Request& request) const {
  // who asks is known by the channel; what it says of itself must fit
  if (!is_its_own(request.instance)) return RONDA_E_DENIED;
  const std::string_view grant = grant_of(request.ask);
  const auto& grants = owner_.spec_.setup.grants;
  if (!grant.empty() && std::ranges::find(grants, grant) == grants.end()) return RONDA_E_DENIED;
  if (request.call == 0) return request.ask == wire::Ask::inbox_take ? RONDA_E_INVALID : RONDA_OK;
  const auto found = owner_.calls_.find(request.call);
  const bool its_own = found != owner_.calls_.end() && found->second.process == this && found->second.spec.instance == request.instance;
  if (!its_own) return RONDA_E_DENIED;
  if (!found->second.ended) return RONDA_OK;
  const bool is_dry = (found->second.spec.flags & RONDA_CALL_DRY_RUN) != 0;  // that it keeps nothing is forgotten with its end
  return request.ask == wire::Ask::inbox_take || (request.ask == wire::Ask::kv_commit && is_dry) ? RONDA_E_TIMEOUT : RONDA_OK;
}

Supervisor::Impl::InFlight* Supervisor::Impl::Process::open_call(std::uint64_t id) const {
  const auto found = owner_.calls_.find(id);
  const bool is_open = found != owner_.calls_.end() && found->second.process == this && !found->second.ended;
  return is_open ? &found->second : nullptr;
}

bool Supervisor::Impl::Process::may_send(std::size_t& sent, std::size_t most, std::string_view what) {
  if (!broken.empty()) return false;
  if (++sent <= most) return true;
  owner_.on_broken(*this, "it sent more than " + std::to_string(most) + " " + std::string(what) + " for one call");
  return false;
}

void Supervisor::Impl::Process::on_hello(const wire::Hello& hello) {
  if (std::exchange(has_said_hello, true)) return;  // the first one is the runner's own: the plugin is not loaded yet
  locked = wire::repaired_reason(hello.locked);
  worker = worker_of(link->process(), static_cast<pid_t>(hello.pid));
}

void Supervisor::Impl::Process::on_loaded(const wire::Loaded& told) {
  // whoever says it again is the plugin's code, and each would count as one more failure
  if (std::exchange(has_said_loaded, true)) return owner_.on_broken(*this, "it said twice whether its plugin loads");
  owner_.on_loaded(*this, {told.ok, wire::repaired_reason(told.error), told.abi_minor});
}

void Supervisor::Impl::Process::on_created(const wire::Created& probed) {
  owner_.end_probe(probed.instance, *this, probed.ok, wire::repaired_reason(probed.error));
}

void Supervisor::Impl::Process::on_event(wire::Event event) {
  InFlight* const call = open_call(event.call);
  if (call == nullptr || owner_.client_ == nullptr || !may_send(call->events, events_per_call, "events")) return;
  wire::repair(event);
  owner_.client_->on_event(event);
}

void Supervisor::Impl::Process::on_progress(wire::Progress progress) {
  InFlight* const call = open_call(progress.call);
  if (call == nullptr || owner_.client_ == nullptr || !wire::repair(progress)) return;
  const Mono ran = mono_now() - (call->deadline - call->spec.timeout);
  const std::size_t most = progress_to_begin_with + static_cast<std::size_t>(std::max<std::int64_t>(ran / 50ms, 0));
  if (may_send(call->progress, most, "lines of progress")) owner_.client_->on_progress(progress);
}

void Supervisor::Impl::Process::on_request(wire::Request request) {
  InFlight* const call = open_call(request.call);
  if (!may_send(call == nullptr ? requests_outside_calls : call->requests, requests_per_call, "requests")) return;
  const std::uint64_t sequence = request.sequence;
  const auto reply = [weak = owner_.weak_from_this(), number = serial, sequence](std::int32_t code, std::string payload) {
    const auto owner = weak.lock();
    if (!owner) return;
    const auto asked = std::ranges::find_if(owner->processes_, [&](const auto& p) { return p->serial == number; });
    if (asked == owner->processes_.end()) return;
    if (payload.size() > largest_reply) code = RONDA_E_RANGE, payload.clear();
    // who asks and does not read would have the agent keep all of the answers
    if (!payload.empty() && (*asked)->link->unread_bytes() > unread_limit) code = RONDA_E_AGAIN, payload.clear();
    (*asked)->link->post(wire::Reply{sequence, code, std::move(payload)});
  };
  if (const std::int32_t code = judge(request); code != RONDA_OK) return reply(code, {});
  if (owner_.client_ == nullptr) return reply(RONDA_E_AGAIN, {});
  owner_.client_->on_request(std::move(request), reply);
}

bool Supervisor::Impl::is_suspect(std::uint32_t instance, Mono now) {
  const auto found = suspect_until_.find(instance);
  if (found == suspect_until_.end()) return false;
  if (found->second > now) return true;
  suspect_until_.erase(found);
  return false;
}

/// A server that never answers costs a thread for as long as its check waits, whether that ends by the deadline or by a
/// shorter limit of the plugin's own.
bool Supervisor::Impl::was_in_vain(const CallSpec& spec, const wire::Outcome& outcome) {
  constexpr std::int32_t ok = 0;
  const bool failed = outcome.end != wire::End::reported || outcome.status != ok;
  return outcome.timed_out || (spec.kind == wire::Kind::check && failed && outcome.duration_ns >= Mono(long_failure).count());
}

/// Why no runner will take this call soon; empty when one will.
std::string Supervisor::Impl::unavailable_reason(const CallSpec& spec, Mono now) {
  if (retiring_) return "the plugin is being replaced";
  if (policy_.is_quarantined(spec.instance)) {
    if (!policy_.probe_due(spec.instance, now)) return quarantine_text(spec.instance);
    policy_.on_probe(spec.instance, now);
    for (const std::uint32_t held : {RestartPolicy::whole_plugin, spec.instance}) {
      if (policy_.holds(held)) tell_quarantine(held, true);
    }
  }
  const Mono wait = policy_.start_allowed_at() - now;
  if (current_ == nullptr && wait > spec.timeout) return back_off_text(now);
  return {};
}

std::string Supervisor::Impl::back_off_text(Mono now) const {
  if (asked_at_ > 0s && policy_.start_allowed_at() <= now)
    return "its runner waited for its turn to start" + (last_trouble_.empty() ? "" : "; before that: " + last_trouble_);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::max<Mono>(policy_.start_allowed_at() - now, 0s)).count();
  return "its runner starts again in " + std::to_string(seconds) + "s: " + (refused_.empty() ? last_trouble_ : refused_);
}

void Supervisor::Impl::dispatch(std::vector<CallSpec> calls) {
  const Mono now = mono_now();
  last_activity_ = now;
  for (CallSpec& spec : calls) {
    if (std::string why = unavailable_reason(spec, now); !why.empty()) {
      end({spec.id, spec.instance, Fate::unavailable, std::move(why), {}});
      continue;
    }
    spec.quick = spec.quick && !spec_.detached;  // those come together, and nobody could tell which left what
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
  if (spec.message != nullptr)
    process.link->queue(call, *spec.message);
  else
    process.link->queue(call);
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

/// After a crash that nobody could be blamed for, its calls run one at a time: the next crash names its
/// culprit.
void Supervisor::Impl::pump_alone(Mono now) {
  arm(now + 1s);  // to end those that wait too long
  if (current_->unfinished > 0) return;
  Waiting next = std::move(alone_.front());
  alone_.pop_front();
  send(*current_, std::move(next), false, now);
}

void Supervisor::Impl::pump() {
  if (nothing_waits() || killed_) return;
  const Mono now = mono_now();
  if (current_ == nullptr) {
    const bool backs_off = policy_.start_allowed_at() > now;
    const bool waits_for_turn = !backs_off && !take_turn(StartGate::For::calls);
    if (backs_off || waits_for_turn) {
      for (auto* queue : {&ready_, &suspects_, &alone_}) {
        for (Waiting& w : *queue) {
          if (waits_for_turn) w.until = std::max(w.until, asked_at_ + turn_limit);  // that others start is no fault of its
          arm(w.until);  // what was put back may not have as long as the back-off lasts
        }
      }
      if (backs_off) arm(policy_.start_allowed_at());
      return;
    }
    if (start(now) == nullptr) return;
  }
  if (!alone_.empty())
    pump_alone(now);
  else if (!pump_queue(ready_, false, now) || !pump_queue(suspects_, true, now))
    arm(now + 1s);  // to end those that wait too long
  current_->link->flush();
}

/// To be told by whoever reads, once it has read all.
void Supervisor::Impl::keep_end(CallEnd call_end) {
  if (forgotten_.erase(call_end.instance) > 0) destroy(call_end.instance);
  ends_.push_back(std::move(call_end));
}

void Supervisor::Impl::end(CallEnd call_end) {
  keep_end(std::move(call_end));
  tell_soon();
}

void Supervisor::Impl::tell_soon() {
  if (std::exchange(ends_scheduled_, true)) return;
  asio::post(loop_, [self = shared_from_this()] { self->tell_ends(); });
}

void Supervisor::Impl::tell_ends() {
  const auto self = shared_from_this();  // who is told may let go of us
  ends_scheduled_ = false;
  const std::vector<std::uint64_t> overs = std::exchange(overs_, {});
  for (CallEnd& call_end : std::exchange(ends_, {})) {
    if (client_ != nullptr) client_->on_call_end(std::move(call_end));
  }
  for (const std::uint64_t id : overs) {
    if (client_ != nullptr) client_->on_call_over(id);
  }
}

/// Of a call whose end was told before: the runner has said the rest, or is gone.
void Supervisor::Impl::tell_over(const InFlight& call) {
  if (!call.ended || !call.spec.exclusive) return;
  overs_.push_back(call.spec.id);
  tell_soon();
}

void Supervisor::Impl::finish_waiting(std::string_view cause, Fate fate) {
  for (auto* queue : {&ready_, &suspects_, &alone_}) {
    for (Waiting& waiting : std::exchange(*queue, {})) end({waiting.spec.id, waiting.spec.instance, fate, std::string(cause), {}});
  }
}

void Supervisor::Impl::expire_waiting(Mono now) {
  for (auto* queue : {&ready_, &suspects_, &alone_}) {
    const auto late = std::stable_partition(queue->begin(), queue->end(), [&](const Waiting& w) { return w.until > now; });
    const std::vector<Waiting> expired(std::make_move_iterator(late), std::make_move_iterator(queue->end()));
    queue->erase(late, queue->end());
    for (const Waiting& w : expired) {
      if (current_ == nullptr)
        end({w.spec.id, w.spec.instance, Fate::unavailable, back_off_text(now), {}});
      else
        end({w.spec.id, w.spec.instance, Fate::timeout, "no thread of its runner was free in time", {}});
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
  if (found != calls_.end()) return found->second.process->link->post(wire::Tag::cancel, id);
  for (auto* queue : {&ready_, &suspects_, &alone_}) {
    const auto waiting = std::ranges::find_if(*queue, [&](const Waiting& w) { return w.spec.id == id; });
    if (waiting == queue->end()) continue;
    const CallSpec spec = std::move(waiting->spec);
    queue->erase(waiting);
    return end({id, spec.instance, Fate::unavailable, "cancelled before it began", {}});
  }
}

void Supervisor::Impl::check_call(std::uint64_t id, Mono now) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  InFlight& call = found->second;
  Process& process = *call.process;
  if (call.ended) return check_overdue(call, now);
  const bool running = process.is_running(id);
  call.ended = true;
  --process.unfinished;
  suspect_until_[call.spec.instance] = now + suspect_time;
  if (call.spec.quick) call.spec.quick = false, --process.quick, ++process.slow;
  if (!std::exchange(call.suspect, true)) ++process.suspects;
  if (!running) process.link->post(wire::Tag::cancel, id);  // or it would begin after all
  end({id,
       call.spec.instance,
       Fate::timeout,
       running ? "not back by its deadline" : "its runner did not take it up in time",
       {},
       call.spec.exclusive});
  checks_.push({call.deadline + grace, id});
  arm(call.deadline + grace);
  after_call(process);
}

/// A call that was told timed out and is still not back when its grace is over.
void Supervisor::Impl::check_overdue(InFlight& call, Mono now) {
  Process& process = *call.process;
  // one that is still loading has a limit of its own, and no call is to blame for it
  if (process.life != Life::serving) return;
  const bool running = process.is_running(call.spec.id);
  if (!running && !process.runs_nothing()) return;  // it only waits behind others, which are checked themselves
  blame(call.spec.instance, "a call did not come back within 2s after its deadline", now);
  step(process, LifeEvent::overdue);
  move_unbegun(process, now);
  after_call(process);
  pump();
}

/// What a wedged process has not begun goes to the next one; if it begins it after all, that result is
/// dropped.
void Supervisor::Impl::move_unbegun(Process& process, Mono now) {
  for (auto it = calls_.begin(); it != calls_.end();) {
    InFlight& call = it->second;
    const bool stays = call.process != &process || call.ended || call.attempt > 1 || call.spec.kind != wire::Kind::check;
    if (stays || process.is_running(it->first)) {
      ++it;
      continue;
    }
    release(call);
    ready_.push_back({std::move(call.spec), now + 2 * call.spec.timeout, 2});
    it = calls_.erase(it);
  }
}

bool Supervisor::Impl::has_call(std::uint32_t instance) const {
  const auto is_its = [&](const Waiting& w) { return w.spec.instance == instance; };
  return std::ranges::any_of(ready_, is_its) || std::ranges::any_of(suspects_, is_its) || std::ranges::any_of(alone_, is_its) ||
         std::ranges::any_of(calls_, [&](const auto& c) { return !c.second.ended && c.second.spec.instance == instance; });
}

}  // namespace ronda::plugin
