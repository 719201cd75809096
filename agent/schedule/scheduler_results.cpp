// SPDX-License-Identifier: Apache-2.0
// What comes back from runs: what it counts for, what is stored of it, who waits for it.
#include <algorithm>
#include <array>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "plugin/report_text.hpp"
#include "ronda/abi.h"
#include "schedule/scheduler.hpp"

namespace ronda::schedule {
using namespace std::chrono_literals;

namespace {

constexpr auto write_interval = 850ms;  // of a second that may be lost; the rest is for the loop and the disk

/// What a slot is recorded with.
std::string outcome_word(Kind kind, std::int32_t status, bool told) {
  constexpr std::array<std::string_view, 4> of_task = {"changed", "unchanged", "failed", "skipped"};
  if (!told) return "no result";
  if (kind == Kind::task) return std::string(of_task[static_cast<std::size_t>(status & 3)]);
  return std::string(plugin::name_of(static_cast<CheckStatus>(status & 3)));
}

}  // namespace

void Scheduler::on_call_end(plugin::CallEnd end) {
  const std::uint32_t position = position_of_call(end.id);
  if (position >= entries_.size() || entries_[position].call != end.id) return;
  if (is_apart(position)) return end_apart(position, end);
  Entry& entry = entries_[position];
  const bool is_delivery = entry.spec.kind == Kind::notifier;
  // its runner goes before it could begin: that says nothing of the notifier
  const bool is_leaving = stopping_ || entry.removed || entry.id_in_flight != 0;
  const bool is_in_vain = is_leaving && (end.fate == Fate::unavailable || end.fate == Fate::spawn_failed);
  DeliveryEnd delivery = is_delivery ? delivery_end_of(end) : DeliveryEnd{};
  if (is_in_vain) delivery.what = DeliveryEnd::What::not_begun;
  if (is_delivery) end.outcome.again_at_wall_ns = 0;  // the outbox's business
  const bool counts = settle(entry, end);
  forget_call(entry, end.id);
  if (counts) tell_waiters(position);
  if (!counts)
    timetable_.make_due(position, boottime() + entry.spec.rare->retry.wait, Why::again);
  else if (!entry.removed)
    mark_dirty(entry, position);
  free_after(position, end);
  if (is_delivery) end_delivery(position, delivery);
  if (is_delivery) deliver_next(position);
  if (stopping_) write_dirty();  // no timer comes any more
  drain();
}

/// It is in flight no more.
void Scheduler::forget_call(Entry& entry, std::uint64_t call) {
  --in_flight_;
  progress_.erase(call);
  inbox_taken_.erase(call);
  replaced_.erase(call);
  entry.call = 0;
  entry.slot_wall = 0;
  if (entry.id_in_flight != 0) position_of_id_.erase(std::exchange(entry.id_in_flight, 0));
}

void Scheduler::free_after(std::uint32_t position, const plugin::CallEnd& end) {
  if (end.goes_on)
    lingering_[position] = {end.id};
  else
    let_go(position);
}

void Scheduler::drain() {
  if (stopping_ && in_flight_ == 0 && drained_) std::exchange(drained_, nullptr)();
}

void Scheduler::on_call_over(std::uint64_t call) {
  const std::uint32_t position = position_of_call(call);
  const auto found = lingering_.find(position);
  if (found == lingering_.end() || found->second.call != call) return;
  lingering_.erase(found);
  let_go(position);
  deliver_next(position);
}

/// Nothing of its run is left: others may have its locks, and it may run again.
void Scheduler::let_go(std::uint32_t position) {
  release_locks(position);
  if (entries_[position].removed) return release(position);
  timetable_.finished(position);
  arm();
}

void Scheduler::tell_waiters(std::uint32_t position) {
  const auto waiting = waiters_.find(position);
  if (waiting == waiters_.end()) return;
  const auto callbacks = std::move(waiting->second);
  waiters_.erase(waiting);
  for (const auto& callback : callbacks) callback(entries_[position]);
}

/// False: it does not count, it is tried again first.
bool Scheduler::settle(Entry& entry, plugin::CallEnd& end) {
  const std::uint32_t position = position_of_call(entry.call);
  entry.trip.ended_wall = wall().count();
  ++entry.runs;
  learn(entry, end);
  Ending ending = ending_of(entry.spec, entry.trip, end);
  const bool counts = !will_retry(entry, position, ending), told = ending.told;
  // What is decided by it is stored before what it took and its slot are: an agent that is ended in between takes it once more, or
  // says that it does not know. The other way round nobody would ever hear of it.
  if (counts) {
    attempts_.erase(position);
    count(entry, ending);
  } else {
    hold_back(entry, position, std::move(ending));
  }
  if (end.fate == Fate::finished) {
    accept(entry, end.outcome, told, counts);
  } else if (entry.slot_wall != 0 && counts) {
    ports_.store.finish_slot(id_of(entry.spec), entry.slot_wall, std::string(plugin::name_of(end.fate)), [](auto) {});
  }
  return counts;
}

/// What a run says of the runs to come.
void Scheduler::learn(Entry& entry, const plugin::CallEnd& end) {
  if (end.fate != Fate::finished) return;
  const auto ms = static_cast<float>(end.outcome.duration_ns) / 1e6F;
  entry.average_ms = entry.average_ms < 0 ? ms : entry.average_ms * 0.8F + ms * 0.2F;
  if (end.outcome.end == wire::End::state_refused)
    disable(entry, end.outcome.summary);
  else
    disabled_.erase(position_of_call(entry.call));
}

Ending ending_of(const Prepared& spec, Trip& trip, plugin::CallEnd& end) {
  Ending out;
  out.fate = trip.fate = end.fate;
  if (end.fate != Fate::finished) {
    trip.duration_ns = trip.ended_wall - trip.started_wall;
    out.summary = plugin::text_of(end);
    if (end.fate == Fate::timeout) out.summary = "timed out after " + format_duration(spec.timeout) + ": " + end.cause;
    return out;
  }
  wire::Outcome& outcome = end.outcome;
  trip.duration_ns = outcome.duration_ns;
  out.told = trip.told = outcome.end == wire::End::reported;
  trip.begun = outcome.end != wire::End::create_failed && outcome.end != wire::End::state_refused;
  if (outcome.timed_out && !out.told) outcome.summary = "timed out after " + format_duration(spec.timeout);
  if (outcome.timed_out) trip.fate = Fate::timeout;
  if (out.told) out.reported = static_cast<CheckStatus>(outcome.status & 3);
  if (out.told && spec.kind == Kind::task) out.reported = outcome.status == RONDA_TASK_FAILED ? CheckStatus::critical : CheckStatus::ok;
  out.summary = std::move(outcome.summary);
  out.detail = std::move(outcome.detail);
  out.metrics = std::move(outcome.metrics);
  out.dropped_metrics = outcome.dropped_metrics;
  return out;
}

/// Its state fits another version of its plugin: it would start from nothing. Until it is replaced, or run by hand
/// with success, it waits.
void Scheduler::disable(const Entry& entry, const std::string& why) {
  if (entry.id_in_flight != 0) return;  // it was replaced meanwhile
  disabled_[position_of_call(entry.call)] = why;
  ports_.log(RONDA_LOG_ERROR, label_of(entry.spec.kind, entry.spec.name) + " is disabled: " + why);
}

/// A result that the plugin gave counts from here on, and with it what its run wrote and took, together with its slot.
/// A run that gave none keeps nothing: what it took comes again.
void Scheduler::accept(Entry& entry, wire::Outcome& outcome, bool told, bool counts) {
  if (!told) {
    outcome.kv.clear();
    inbox_taken_.erase(entry.call);
    outcome.again_at_wall_ns = 0;
  }
  const std::int64_t slot = counts ? entry.slot_wall : 0;  // one that is tried again keeps its slot
  if (counts && outcome.again_at_wall_ns > 0) {
    const Nanos wait = Nanos(outcome.again_at_wall_ns) - wall();
    timetable_.make_due(position_of_call(entry.call), boottime() + std::max<Nanos>(wait, 1ms), Why::again);
  }
  const auto taken = inbox_taken_.find(entry.call);
  if (outcome.kv.empty() && slot == 0 && taken == inbox_taken_.end()) return;
  store::CallEffects effects;
  effects.id = id_of(entry.spec);
  effects.plugin = procedure_in_flight(entry).plugin->id;
  effects.state_version = procedure_in_flight(entry).plugin->state_version;
  const std::int64_t now = wall().count();
  for (wire::KvWrite& write : outcome.kv) {
    effects.kv.push_back({std::move(write.key), write.erase ? std::nullopt : std::optional(std::move(write.value)),
                          write.ttl_ns > 0 ? now + write.ttl_ns : 0});
  }
  if (taken != inbox_taken_.end()) effects.inbox_taken = std::move(taken->second);
  if (slot != 0) effects.slot = slot;
  effects.slot_outcome = outcome_word(entry.spec.kind, outcome.status, told);
  const std::string name = entry.spec.name;
  store_effects(name, std::move(effects));
}

/// State that is too large costs the state, not the slot and the inbox that go with it.
void Scheduler::store_effects(const std::string& name, store::CallEffects effects) {
  store::CallEffects rest = effects;
  rest.kv.clear();
  ports_.store.accept_call(std::move(effects), [this, name, rest = std::move(rest)](Result<Unit> accepted) mutable {
    if (accepted) return;
    ports_.log(RONDA_LOG_ERROR, name + ": what its run keeps was not stored: " + accepted.error().message());
    if (accepted.error().code() == Errc::range) ports_.store.accept_call(std::move(rest), [](auto) {});
  });
}

/// Whatever it held back is held back no longer, also what is due much later: a check's status is to be true meanwhile.
void Scheduler::unblock(const std::string& name) {
  for (const std::uint32_t position : by_name_) {
    Entry& entry = entries_[position];
    if (entry.blocked_by.view() == name) entry.blocked_by.clear();
  }
}

std::string add_dropped(Ending& ending) {
  if (ending.dropped_metrics == 0) return {};
  const std::string text = plugin::dropped_metrics_text(ending.dropped_metrics);
  std::string before = repair_utf8(ending.detail, wire::text_limit - text.size() - 1);
  if (!before.empty() && before.back() != '\n') before += '\n';
  ending.detail = before + text;
  return text;
}

/// What a rule or a limit would have looked at is missing: each result says so, the log when it begins.
void Scheduler::tell_dropped(const Entry& entry, Ending& ending) {
  if (ending.dropped_metrics == 0 && (dropping_.empty() || !ending.told)) return;
  const auto position = position_of(entry.spec.kind, entry.spec.name);
  if (ending.dropped_metrics == 0) {
    if (position) dropping_.erase(*position);
    return;
  }
  const std::string text = add_dropped(ending);
  if (position && dropping_.insert(*position).second)
    ports_.log(RONDA_LOG_WARNING, label_of(entry.spec.kind, entry.spec.name) + ": " + text);
}

/// From here on this is how it is.
void Scheduler::count(Entry& entry, Ending& ending) {
  plugin::Grade graded = grade(entry, ending);
  tell_dropped(entry, ending);
  entry.summary = std::move(ending.summary);
  entry.detail = std::move(ending.detail);
  entry.metrics = std::move(ending.metrics);
  const std::int64_t now = entry.trip.ended_wall;
  if (entry.has_result && entry.status == CheckStatus::critical && graded.status != CheckStatus::critical) unblock(entry.spec.name);
  if (!entry.has_result || graded.status != entry.status) entry.since_wall = now;
  entry.failures = graded.status == CheckStatus::ok ? 0 : entry.failures + 1;
  if (graded.status == CheckStatus::ok) entry.last_ok_wall = now;
  entry.has_result = true;
  entry.status = graded.status;
  entry.grade_reason = std::move(graded.reason);
  if (ports_.on_result) ports_.on_result(entry);
}

void Scheduler::mark_dirty(Entry& entry, std::uint32_t position) {
  if (std::exchange(entry.dirty, true)) return;
  dirty_.push_back(position);
  if (dirty_.size() > 1) return;
  write_timer_.expires_after(write_interval);
  write_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) write_dirty();
  });
}

void Scheduler::write_dirty() {
  std::vector<store::Observed> batch;
  batch.reserve(dirty_.size());
  for (const std::uint32_t position : std::exchange(dirty_, {})) {
    Entry& entry = entries_[position];
    entry.dirty = false;
    if (entry.removed) continue;
    store::InstanceState state{id_of(entry.spec), static_cast<int>(entry.status), entry.summary,      entry.detail.str(),
                               entry.since_wall,  entry.trip.ended_wall,          entry.last_ok_wall, entry.failures};
    batch.push_back({std::move(state), {entry.trip.started_wall, entry.trip.duration_ns, static_cast<int>(entry.status), entry.summary}});
  }
  ports_.store.observe(std::move(batch), ports_.take_samples ? ports_.take_samples() : std::vector<store::Sampled>());
}

}  // namespace ronda::schedule
