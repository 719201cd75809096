// SPDX-License-Identifier: Apache-2.0
#include "plugin/supervisor.hpp"

#include "plugin/supervisor_impl.hpp"

namespace ronda::plugin {

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
  // checks of calls that have long come back need no wake-up of their own
  while (!checks_.empty() && !calls_.contains(checks_.top().call)) checks_.pop();
  watch_processes(now);
  watch_probes(now);
  expire_waiting(now);
  pump();
  if (!checks_.empty()) arm(checks_.top().at);
}

void Supervisor::Impl::watch_processes(Mono now) {
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    Process& process = *processes_[i];
    const auto limit = life_limit(process.life);
    if (limit > 0s && process.since + limit <= now)
      step(process, LifeEvent::waited);
    else if (limit > 0s)
      arm(process.since + limit);
    if (process.life == Life::wedged) watch_wedged(process, now);
    if (const Mono since = process.link->partial_frame_since(); since > 0s) {
      if (now - since >= partial_frame_limit)
        on_broken(process, "it stopped in the middle of a frame");
      else
        arm(since + partial_frame_limit);
    }
    const bool idle = process.life == Life::serving && process.unfinished == 0 && nothing_waits() && probes_.empty();
    if (!idle) continue;
    if (now - last_activity_ >= idle_limit_)
      step(process, LifeEvent::retire);
    else
      arm(last_activity_ + idle_limit_);
  }
}

/// Checks that run beside a hanging exclusive call are done once more elsewhere, as after any crash. A task or a message
/// could not: those have until their own deadlines.
void Supervisor::Impl::watch_wedged(Process& process, Mono now) {
  Mono until = Mono::max();
  for (const auto& [id, call] : calls_) {
    if (call.process != &process) continue;
    if (!call.ended && call.spec.kind != wire::Kind::check) return;
    if (call.ended && call.spec.exclusive) until = std::min(until, std::max(process.since, call.deadline + grace) + wedged_limit);
  }
  if (until <= now)
    step(process, LifeEvent::waited);
  else if (until < Mono::max())
    arm(until);
}

void Supervisor::Impl::forget(std::uint32_t instance) {
  clear_quarantine(instance);
  end_plugin_quarantine();
  suspect_until_.erase(instance);
  // what it is must be known until its last call has ended, which may still have to go to another runner
  if (has_call(instance))
    forgotten_[instance] = client_->describe(instance);
  else
    destroy(instance);
}

void Supervisor::Impl::set_idle_limit(std::chrono::nanoseconds limit) {
  idle_limit_ = limit;
  if (!processes_.empty()) arm(last_activity_ + limit);
}

void Supervisor::Impl::destroy(std::uint32_t instance) {
  for (const auto& process : processes_) {
    if (instance >= process->created.size() || !process->created[instance]) continue;
    process->created[instance] = false;
    process->link->post(wire::Tag::destroy, instance);
  }
}

void Supervisor::Impl::retire() {
  retiring_ = true;
  if (current_ == nullptr && policy_.start_allowed_at() > mono_now()) finish_waiting("the plugin is being replaced", Fate::unavailable);
  pump();
  for (std::size_t i = 0; i < processes_.size(); ++i) after_call(*processes_[i]);
}

void Supervisor::Impl::kill_all() {
  retiring_ = killed_ = true;
  finish_waiting("interrupted: the agent stops", Fate::unavailable);
  for (const std::uint32_t instance : std::exchange(unbegun_probes_, {})) probe(instance);  // which says so
  for (std::size_t i = 0; i < processes_.size(); ++i) processes_[i]->end_all();
}

void Supervisor::Impl::shut() {
  client_ = nullptr;
  timer_.cancel();
  kill_all();
  processes_.clear();
  current_ = nullptr;
}

void Supervisor::Impl::clear_quarantine(std::uint32_t instance) {
  std::vector<std::uint32_t> over;
  for (const auto& [held, probe] : policy_.quarantined()) {
    if (instance == RestartPolicy::whole_plugin || held == instance) over.push_back(held);
  }
  if (instance == RestartPolicy::whole_plugin)
    policy_.clear_all();
  else
    policy_.clear(instance);
  for (const std::uint32_t held : over) tell_quarantine(held, false);
}

void Supervisor::Impl::end_plugin_quarantine() {
  if (!policy_.holds(RestartPolicy::whole_plugin)) return;
  policy_.clear_plugin();
  tell_quarantine(RestartPolicy::whole_plugin, false);
}

void Supervisor::Impl::restore_quarantine(std::uint32_t instance, Mono next_probe, std::string reason) {
  policy_.restore(instance, mono_now() + next_probe);
  why_quarantined_[instance] = std::move(reason);
}

void Supervisor::Impl::tell_quarantine(std::uint32_t instance, bool holds) {
  const auto found = policy_.quarantined().find(instance);
  const Mono next = found == policy_.quarantined().end() ? Mono{0} : found->second - mono_now();
  if (client_ != nullptr) {
    client_->on_quarantine(
        {spec_.plugin_id, spec_.user, spec_.detached, instance, holds, holds ? why_quarantined_[instance] : std::string(), next});
  }
  if (!holds) why_quarantined_.erase(instance);
}

/// What a call is told that is not made because of it.
std::string Supervisor::Impl::quarantine_text(std::uint32_t instance) const {
  const auto found = why_quarantined_.find(policy_.holds(RestartPolicy::whole_plugin) ? RestartPolicy::whole_plugin : instance);
  return "in quarantine after repeated failures: " + (found == why_quarantined_.end() ? last_trouble_ : found->second);
}

SupervisorStatus Supervisor::Impl::status() const {
  SupervisorStatus out;
  out.plugin_id = spec_.plugin_id;
  out.sha256 = spec_.sha256;
  for (const auto& process : processes_) {
    std::string held = process->group.text();
    if (held.empty()) held = "rlimits";
    const pid_t keeper = process->link->process().pid;
    out.runners.push_back(
        {process->worker > 0 ? process->worker : keeper, keeper, process->life, process->unfinished, process->locked, held});
  }
  out.waiting = ready_.size() + suspects_.size() + alone_.size();
  out.deaths = deaths_;
  out.late_results = late_results_;
  out.last_trouble = last_trouble_;
  out.refused = refused_;
  out.quarantined = policy_.is_quarantined(RestartPolicy::whole_plugin);
  const Mono now = mono_now();
  out.starts_in = std::max<Mono>(policy_.start_allowed_at() - now, 0s);
  if (asked_at_ > 0s) out.waits_for_turn = now - asked_at_;
  return out;
}

Supervisor::Supervisor(asio::io_context& loop, RunnerSpec spec, SupervisorClient& client)
    : impl_(std::make_shared<Impl>(loop, std::move(spec), client)) {}
Supervisor::~Supervisor() {
  impl_->shut();
}
void Supervisor::dispatch(std::vector<CallSpec> calls) {
  impl_->dispatch(std::move(calls));
}
void Supervisor::cancel(std::uint64_t call) {
  impl_->cancel(call);
}
void Supervisor::probe(std::uint32_t instance) {
  impl_->probe(instance);
}
void Supervisor::forget(std::uint32_t instance) {
  impl_->forget(instance);
}
void Supervisor::set_idle_limit(std::chrono::nanoseconds limit) {
  impl_->set_idle_limit(limit);
}
void Supervisor::retire() {
  impl_->retire();
}
void Supervisor::kill_all() {
  impl_->kill_all();
}
bool Supervisor::is_empty() const {
  return impl_->is_empty();
}
void Supervisor::clear_quarantine(std::uint32_t instance) {
  impl_->clear_quarantine(instance);
}
void Supervisor::end_plugin_quarantine() {
  impl_->end_plugin_quarantine();
}
void Supervisor::restore_quarantine(std::uint32_t instance, std::chrono::nanoseconds next_probe, std::string reason) {
  impl_->restore_quarantine(instance, next_probe, std::move(reason));
}
bool Supervisor::is_quarantined(std::uint32_t instance) const {
  return impl_->policy_.is_quarantined(instance);
}
SupervisorStatus Supervisor::status() const {
  return impl_->status();
}
const std::string& Supervisor::plugin_id() const {
  return impl_->spec_.plugin_id;
}
const std::string& Supervisor::sha256() const {
  return impl_->spec_.sha256;
}

}  // namespace ronda::plugin
