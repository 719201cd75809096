// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <boost/asio/post.hpp>

#include "base/units.hpp"
#include "plugin/supervisor_impl.hpp"

namespace ronda::plugin {

/// False: a runner may not be started yet. It has asked, and is told.
bool Supervisor::Impl::take_turn(StartGate::For what) {
  if (spec_.starts == nullptr || pass_) return true;
  if (asked_at_ > 0s) return false;
  asked_at_ = mono_now();
  spec_.starts->ask(what, [weak = weak_from_this()](StartGate::Pass pass) {
    const auto self = weak.lock();
    if (!self) return;
    self->asked_at_ = 0s;
    self->pass_ = std::move(pass);
    self->pump();
    for (const std::uint32_t instance : std::exchange(self->unbegun_probes_, {})) self->probe(instance);
    self->pass_.give_back();  // there may be nothing to start by now
  });
  return false;
}

Supervisor::Impl::Process* Supervisor::Impl::start(Mono now) {
  // what holds that one would hold the next, and another after it
  const auto stuck = std::ranges::find_if(processes_, [](const auto& p) { return p->life == Life::stuck; });
  if (stuck != processes_.end()) {
    last_trouble_ = stuck_text(**stuck);
    finish_waiting("no runner: " + last_trouble_, Fate::unavailable);
    return nullptr;
  }
  auto spawned = spec_.refused.empty() ? spawn_runner({spec_.runner_path, spec_.plugin_fd->get(), spec_.pid_namespace})
                                       : Result<RunnerProcess>(Error(Errc::unavailable, spec_.refused));
  if (!spawned) {
    policy_.on_death(now);
    trouble(0, spawned.error().message());
    finish_waiting(spawned.error().message(), Fate::spawn_failed);
    return nullptr;
  }
  auto process = std::make_unique<Process>(*this, next_serial_++);
  process->pass = std::move(pass_);
  process->since = process->started = now;
  process->started_boot = boottime();
  process->link = std::make_unique<RunnerLink>(loop_, std::move(*spawned), *process);
  wire::Setup setup = spec_.setup;
  setup.pid_namespace = process->link->process().pid_namespace;
  setup.detached = spec_.detached;
  // before the setup, which it waits for: what it forks then is in the group too
  if (spec_.cgroups != nullptr) process->group = spec_.cgroups->add(process->link->process().pid, spec_.group);
  if (spec_.detached) process->group.spare_members();
  setup.memory_by_group = process->group.holds_memory();
  setup.pids_by_group = process->group.holds_tasks();
  process->link->post(setup);
  arm(now + life_limit(Life::starting));
  current_ = process.get();
  processes_.push_back(std::move(process));
  return current_;
}

namespace {

std::string_view reason_to_kill(Life state) {
  switch (state) {
    case Life::starting:
      return "it did not load the plugin within 10s";
    case Life::leaving:
      return "it did not leave within 3s";
    default:
      return "its runner was ended because of a call that did not come back";
  }
}

}  // namespace

std::string Supervisor::Impl::stuck_text(const Process& process) {
  return "a runner cannot be killed (pid " + std::to_string(process.link->process().pid) + "): it is stuck in the kernel";
}

void Supervisor::Impl::step(Process& process, LifeEvent event) {
  const LifeStep taken = next_life(process.life, event);
  const Life before = process.life;
  if (taken.next != before) process.since = mono_now();
  process.life = taken.next;
  const bool takes_work = taken.next == Life::starting || taken.next == Life::serving;
  if (current_ == &process && !takes_work) current_ = nullptr;
  if (life_limit(taken.next) > 0s) arm(process.since + life_limit(taken.next));
  if (taken.action == LifeAction::terminate || taken.action == LifeAction::kill) process.why_killed = reason_to_kill(before);
  act(process, taken.action);
}

void Supervisor::Impl::act(Process& process, LifeAction action) {
  switch (action) {
    case LifeAction::none:
      return;
    case LifeAction::shut_down:
      return process.link->post(wire::Tag::shutdown, 0);
    case LifeAction::terminate:
    case LifeAction::kill:
      return process.end_all();
    case LifeAction::report_stuck:
      return trouble(0, stuck_text(process));
  }
}

void Supervisor::Impl::on_loaded(Process& process, const wire::Loaded& loaded) {
  process.pass.give_back();
  if (loaded.ok) {
    refused_.clear();
    process.loaded = true;
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
  end_probes(process, loaded.error);
}

void Supervisor::Impl::on_outcome(Process& process, wire::Outcome outcome) {
  const auto found = calls_.find(outcome.call);
  if (found == calls_.end() || found->second.process != &process) {
    ++late_results_;
    return;
  }
  const Mono now = mono_now();
  wire::repair(outcome, found->second.spec.kind);
  InFlight call = std::move(found->second);
  calls_.erase(found);
  release(call);
  last_activity_ = now;
  look_for_left_alive(process, outcome, call);
  if (outcome.worn != wire::Worn::no && process.life == Life::serving) wear_out(process, outcome.worn);
  if (call.ended) {
    ++late_results_;
    tell_over(call);
  } else {
    if (was_in_vain(call.spec, outcome))
      suspect_until_[call.spec.instance] = now + suspect_time;
    else if (policy_.is_quarantined(call.spec.instance) && outcome.end == wire::End::reported)
      end_quarantine(call.spec.instance);
    if (now - process.started > healthy_time) policy_.on_healthy();
    keep_end({call.spec.id, call.spec.instance, Fate::finished, {}, std::move(outcome)});
  }
  has_room_ = true;
  after_call(process);
}

/// It gets no new work. What its plugin has used up is said once of each runner, for the plugin's author.
void Supervisor::Impl::wear_out(Process& process, wire::Worn by) {
  if (current_ == &process) current_ = nullptr;
  if (std::exchange(process.worn, true) || by == wire::Worn::left_alive) return;
  if (by == wire::Worn::changed) {  // what it was is in the log, said by the runner of the call
    last_trouble_ = "a call changed what is every call's, and its runner was replaced; the log says what";
    return;
  }
  const std::string_view what = by == wire::Worn::memory ? "limit(memory)" : by == wire::Worn::fds ? "limit(fd)" : "limit(threads)";
  last_trouble_ = std::string(what) + ": a runner had used up most of it and was replaced";
  log(0, RONDA_LOG_WARNING,
      std::string(what) + ": runner " + std::to_string(process.worker) +
          " has used up most of it and is replaced; a plugin that honestly needs more says so in its manifest's limits");
}

/// What came back together makes room together: what waited for it leaves in one message.
void Supervisor::Impl::on_read(const Process& from) {
  if (const Mono since = from.link->partial_frame_since(); since > 0s) arm(since + partial_frame_limit);
  if (std::exchange(has_room_, false)) {
    pump();
    const Mono now = mono_now();
    for (const auto& process : processes_) look_at_group(*process, now);
  }
  tell_ends();
}

/// What was killed during a call is not put down to the runner later. Without programs there is only the runner to be killed.
void Supervisor::Impl::look_at_group(Process& process, Mono now) const {
  if (!starts_programs_ || (process.unfinished > 0 && now - process.group_looked_at < group_look_pause)) return;
  process.group_looked_at = now;
  process.group.look(now);
}

/// What a process does when it has nothing more in flight.
void Supervisor::Impl::after_call(Process& process) {
  if (process.unfinished > 0) {
    if (process.life == Life::wedged) watch_wedged(process, mono_now());
    return;
  }
  if (process.life == Life::wedged)
    step(process, LifeEvent::drained);
  else if (process.worn || (retiring_ && nothing_waits()))
    step(process, LifeEvent::retire);
  else
    arm(last_activity_ + idle_limit_);
}

void Supervisor::Impl::end_quarantine(std::uint32_t instance) {
  for (const std::uint32_t held : {instance, RestartPolicy::whole_plugin}) {
    const bool held_it = policy_.holds(held);
    policy_.clear(held);
    if (held_it) tell_quarantine(held, false);
  }
}

/// A process that ends closes its socket a moment before it is gone: what it died of tells more than that.
void Supervisor::Impl::on_hung_up(Process& process) {
  if (!process.our_kill) process.broken = "it closed its end of the socket";
  step(process, LifeEvent::hung_up);
}

void Supervisor::Impl::on_broken(Process& process, std::string_view why) {
  if (!process.our_kill) process.broken = why;
  step(process, LifeEvent::broken);
}

/// Of a runner that SIGKILL has ended, which it did not bring about by itself and we did not send.
std::string Supervisor::Impl::kill_text(const Process& process) {
  switch (process.group.memory_kill(mono_now())) {
    case MemoryKill::none:
      break;
    case MemoryKill::by_limit:
      return "limit(memory): it and what it started wanted more than the " + format_size(process.group.limits().memory_bytes) +
             " of its control group";
    case MemoryKill::by_host:
      return "killed because this host, or what is set aside for the agent, had no memory left";
  }
  return "killed by SIGKILL";
}

Supervisor::Impl::Verdict Supervisor::Impl::judge(const Process& process, const RunnerEnd& end,
                                                  const std::vector<std::uint64_t>& here) const {
  Verdict verdict;
  verdict.begun = process.loaded;
  // its socket ended before its keeper said of what, if that is stopped or stuck itself
  const bool crashed = end.by_itself && !process.broken.empty();
  const bool protocol = process.our_kill && !process.broken.empty() && !crashed;
  if (process.our_kill && !protocol && !crashed) {
    verdict.cause = process.why_killed;
    return verdict;
  }
  const bool from_outside = !protocol && !end.by_itself && WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == SIGKILL;
  verdict.fate = protocol ? Fate::protocol : from_outside ? Fate::limit : Fate::crashed;
  verdict.cause = protocol ? process.broken : from_outside ? kill_text(process) : end.text;
  if (!process.loaded) {
    verdict.cause += " while it was loaded";
    return verdict;
  }
  std::vector<std::uint64_t> running;
  std::ranges::copy_if(here, std::back_inserter(running), [&](std::uint64_t id) { return process.is_running(id); });
  if (end.culprit_call != 0 && std::ranges::find(here, end.culprit_call) != here.end())
    verdict.culprit = end.culprit_call;
  else if (!protocol && running.size() == 1)
    verdict.culprit = running.front();  // who broke the wire may have come back since
  else if (here.size() == 1)
    verdict.culprit = here.front();
  else
    verdict.in_doubt = true;
  return verdict;
}

void Supervisor::Impl::settle_call(std::uint64_t id, InFlight& call, const Verdict& verdict) {
  const std::uint32_t instance = call.spec.instance;
  tell_over(call);
  if (verdict.culprit == id) {
    if (!call.ended) end({id, instance, verdict.fate, verdict.cause, {}});
    return blame(instance, verdict.cause, mono_now());
  }
  if (call.ended) return;
  if (killed_) return end({id, instance, verdict.begun ? Fate::lost : Fate::unavailable, "interrupted: the agent stops", {}});
  if (verdict.begun && call.spec.kind != wire::Kind::check) {
    return end({id, instance, Fate::lost, "its runner ended while it ran: " + verdict.cause, {}});
  }
  if (call.attempt > 1) return end({id, instance, verdict.begun ? Fate::lost : Fate::unavailable, verdict.cause, {}});
  auto& queue = verdict.in_doubt ? alone_ : ready_;
  queue.push_back({std::move(call.spec), mono_now() + 2 * call.spec.timeout, call.attempt + 1});
}

/// Every call that was in flight in a process that is gone comes to its end or is done once more.
void Supervisor::Impl::settle(Process& process, const RunnerEnd& end) {
  std::vector<std::uint64_t> here;
  for (const auto& [id, call] : calls_) {
    if (call.process == &process) here.push_back(id);
  }
  std::ranges::sort(here);
  const Verdict verdict = judge(process, end, here);
  if (!process.loaded && refused_.empty() && !killed_) {
    blame(RestartPolicy::whole_plugin, verdict.cause, mono_now());
  }
  for (const std::uint64_t id : here) {
    InFlight call = std::move(calls_[id]);
    calls_.erase(id);
    settle_call(id, call, verdict);
  }
  end_probes(process, verdict.cause);
  last_trouble_ = verdict.cause;
}

void Supervisor::Impl::on_end(Process& process, const RunnerEnd& end) {
  const Mono now = mono_now();
  const bool expected = (process.life == Life::leaving && !process.our_kill && !end.by_itself) || killed_;
  if (current_ == &process) current_ = nullptr;
  // kept until the end of this function: what is told below may ask for the status
  const auto place = std::ranges::find_if(processes_, [&](const auto& p) { return p.get() == &process; });
  const std::unique_ptr<Process> gone = std::move(*place);
  processes_.erase(place);
  if (process.life == Life::stuck && client_ != nullptr) client_->on_trouble_over(spec_.plugin_id);
  tell_left_alive(process);
  if (!expected) {
    ++deaths_;
    if (now - process.started > healthy_time) policy_.on_healthy();
    policy_.on_death(now);
    settle(process, end);
    log_death(process, now);
  } else {
    settle_quietly(process);
  }
  output_.end([this](std::string_view line) { log(0, RONDA_LOG_INFO, line); });
  pump();
}

/// One line a minute: a plugin that dies all the time fills no log.
void Supervisor::Impl::log_death(const Process& process, Mono now) {
  if (death_line_ != Mono{0} && now - death_line_ < 1min) {
    ++deaths_unsaid_;
    return;
  }
  death_line_ = now;
  const pid_t pid = process.worker > 0 ? process.worker : process.link->process().pid;  // as status shows it
  std::string text = "runner " + std::to_string(pid) + ": " + last_trouble_;
  if (const std::size_t more = std::exchange(deaths_unsaid_, 0); more > 0)
    text += "; since the last such line " + std::to_string(more) + " others ended";
  log(0, RONDA_LOG_ERROR, text);
}

/// Of a process that left as it was told, or that was killed with everything else.
void Supervisor::Impl::settle_quietly(Process& process) {
  Verdict verdict;
  verdict.begun = process.loaded;
  verdict.cause = refused_.empty() ? "its runner left" : refused_;
  std::vector<std::uint64_t> here;
  for (const auto& [id, call] : calls_) {
    if (call.process == &process) here.push_back(id);
  }
  for (const std::uint64_t id : here) {
    InFlight call = std::move(calls_[id]);
    calls_.erase(id);
    settle_call(id, call, verdict);
  }
  end_probes(process, verdict.cause);
}

/// " (by check/a, task/b and 2 more)": whom to look at when the plugin as a whole is held; empty: it does not load.
std::string Supervisor::Impl::culprits_text() const {
  constexpr std::size_t named = 3;
  constexpr std::array<std::string_view, 3> kinds = {"check", "task", "notifier"};
  const std::vector<std::uint32_t> all = policy_.culprits();
  std::string names;
  std::size_t shown = 0;
  for (const std::uint32_t id : all) {
    if (shown == named || client_ == nullptr) break;
    const wire::Create one = client_->describe(id);
    if (one.name.empty()) continue;  // not configured any more
    names += (names.empty() ? "" : ", ") + std::string(kinds[static_cast<std::size_t>(one.kind)]) + "/" + one.name;
    ++shown;
  }
  if (names.empty()) return {};
  return " (by " + names + (all.size() > shown ? " and " + std::to_string(all.size() - shown) + " more" : "") + ")";
}

void Supervisor::Impl::blame(std::uint32_t instance, std::string_view cause, Mono now) {
  last_trouble_ = cause;
  switch (policy_.on_failure(instance, now)) {
    case RestartPolicy::Verdict::nothing:
      return;
    case RestartPolicy::Verdict::quarantine_instance:
      why_quarantined_[instance] = cause;
      tell_quarantine(instance, true);
      return trouble(instance, "quarantined after 5 failures in 10 minutes; the last: " + std::string(cause));
    case RestartPolicy::Verdict::quarantine_plugin: {
      const std::string why = std::string(cause) + culprits_text();
      why_quarantined_[RestartPolicy::whole_plugin] = why;
      tell_quarantine(RestartPolicy::whole_plugin, true);
      trouble(0, "the plugin is quarantined after 5 failures in 10 minutes; the last: " + why);
      return finish_waiting("in quarantine after repeated failures: " + why, Fate::unavailable);
    }
  }
}

void Supervisor::Impl::trouble(std::uint32_t instance, std::string text) {
  last_trouble_ = text;
  if (client_ != nullptr) client_->on_trouble(spec_.plugin_id, instance, text);
}

/// The kernel ends a PID namespace with its init. Without one the keeper is asked: killed itself, it could not end what
/// the plugin started; it runs no plugin code, so it always listens.
void Supervisor::Impl::Process::end_all() {
  our_kill = true;
  if (link->process().pid_namespace) return link->signal(SIGKILL);
  link->signal(SIGTERM);
  link->signal(SIGCONT);
}

// ---- probes ---------------------------------------------------------------------------------

void Supervisor::Impl::probe(std::uint32_t instance) {
  const Mono now = mono_now();
  last_activity_ = now;
  if (!killed_ && current_ == nullptr && !take_turn(StartGate::For::trial)) return unbegun_probes_.push_back(instance);
  if (killed_ || (current_ == nullptr && start(now) == nullptr)) {
    asio::post(loop_, [self = shared_from_this(), instance, why = killed_ ? "interrupted: the agent stops" : last_trouble_] {
      if (self->client_ != nullptr) self->client_->on_probed(instance, false, why);
    });
    return;
  }
  current_->ensure_created(instance);
  current_->link->post(wire::Tag::probe, instance);
  probes_[instance] = {current_, now + probe_limit};
  arm(now + probe_limit);
}

void Supervisor::Impl::end_probe(std::uint32_t instance, Process& process, bool ok, std::string_view error) {
  const auto found = probes_.find(instance);
  if (found == probes_.end() || found->second.process != &process) return;
  probes_.erase(found);
  if (client_ != nullptr) client_->on_probed(instance, ok, error);
}

void Supervisor::Impl::end_probes(Process& process, std::string_view error) {
  std::vector<std::uint32_t> open;
  for (const auto& [instance, probe] : probes_) {
    if (probe.process == &process) open.push_back(instance);
  }
  for (const std::uint32_t instance : open) end_probe(instance, process, false, error);
}

void Supervisor::Impl::watch_probes(Mono now) {
  while (true) {
    const auto late = std::ranges::find_if(probes_, [&](const auto& p) { return p.second.until <= now; });
    if (late == probes_.end()) break;
    Process& process = *late->second.process;
    end_probe(late->first, process, false, "create and destroy did not come back within 10s");
    step(process, LifeEvent::overdue);
    after_call(process);
  }
  for (const auto& [instance, probe] : probes_) arm(probe.until);
}

void Supervisor::Impl::log(std::uint32_t instance, std::int64_t level, std::string_view text) {
  const Mono now = mono_now();
  if (now - log_minute_ >= 1min) log_minute_ = now, log_lines_ = 0;
  if (++log_lines_ > log_lines_per_minute || client_ == nullptr) return;
  client_->on_log(spec_.plugin_id, instance, level, text);
  if (log_lines_ == log_lines_per_minute)
    client_->on_log(spec_.plugin_id, 0, RONDA_LOG_WARNING, "too many log lines: the rest of this minute is dropped");
}

}  // namespace ronda::plugin
