// SPDX-License-Identifier: Apache-2.0
// What is due. What comes back is in scheduler_results.cpp, the set itself (apply, add, replace, remove) in scheduler_set.cpp,
// what plugins ask of the agent in scheduler_services.cpp, locks in scheduler_locks.cpp.
#include "schedule/scheduler.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

#include "base/clock.hpp"
#include "ronda/abi.h"

namespace ronda::schedule {
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto slack = 100ms;        // that a turn may be early for company, at most 1 % of its interval (decision 0012)
constexpr auto longest_sleep = 60s;  // so that a suspend or a step of the clock is noticed
constexpr float quick_ms = 2.0F;     // calls below this share a thread and a message
constexpr std::size_t lateness_kept = 1024;

std::uint32_t reason_of(Why why) {
  switch (why) {
    case Why::catch_up:
      return RONDA_REASON_CATCH_UP;
    case Why::first_run:
      return RONDA_REASON_FIRST;
    case Why::event:
      return RONDA_REASON_EVENT;
    case Why::by_hand:
      return RONDA_REASON_MANUAL;
    default:
      return RONDA_REASON_SCHEDULE;
  }
}

std::int64_t slot_ns(sys_seconds slot) {
  return std::chrono::nanoseconds(slot.time_since_epoch()).count();
}

}  // namespace

std::string_view text_of(Skip skip) {
  switch (skip) {
    case Skip::none:
      return "";
    case Skip::still_running:
      return "its last run still went on";
    case Skip::blocked:
      return "a check it comes after is down";
    case Skip::slot_done:
      return "this slot has been run already";
    case Skip::slot_refused:
      return "the store cannot promise that this slot runs only once";
    case Skip::safe_mode:
      return "safe mode: no tasks";
    case Skip::disabled:
      return "it is disabled";
    case Skip::waits_for_lock:
      return "its run before still waits for a lock that another one holds";
    case Skip::left:
      return "it left the configuration";
    case Skip::stopping:
      return "the agent was stopping; a slot is left to the next start";
  }
  return "";
}

std::string_view text_of_reason(std::uint32_t reason) {
  switch (reason) {
    case RONDA_REASON_MANUAL:
      return "asked for by hand";
    case RONDA_REASON_EVENT:
      return "an event came in";
    case RONDA_REASON_CATCH_UP:
      return "caught up for a missed slot";
    case RONDA_REASON_FIRST:
      return "first run after start or reload";
    default:
      return "its turn";
  }
}

Scheduler::Scheduler(SchedulerPorts ports)
    : ports_(std::move(ports)), timetable_({slack, ports_.built}), timer_(ports_.loop), write_timer_(ports_.loop) {
  timetable_.set_wall(boottime(), wall());
}

Scheduler::~Scheduler() = default;

// ---- what is due ----------------------------------------------------------------------------

void Scheduler::arm() {
  if (stopping_) return;
  const auto due = timetable_.next_due();
  const Nanos now = boottime();
  if (due && *due <= now) return pump_soon();
  const Nanos wait = due ? std::min<Nanos>(*due - now, longest_sleep) : Nanos(longest_sleep);
  if (armed_for_ <= now + wait && armed_for_ > now) return;
  armed_for_ = now + wait;
  timer_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(wait));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) pump();
  });
}

/// Once for all that came to its end in this turn of the loop.
void Scheduler::pump_soon() {
  if (std::exchange(pump_posted_, true)) return;
  asio::post(ports_.loop, [this] { pump(); });
}

void Scheduler::pump() {
  pump_posted_ = false;
  if (stopping_) return;
  armed_for_ = Nanos::max();
  const Nanos now = boottime();
  const ClockChange clock = timetable_.set_wall(now, wall());
  if (clock.is_step)
    ports_.log(RONDA_LOG_WARNING, "the wall clock stepped by " + format_duration(clock.step) + "; slots are planned again");
  if (clock.sane != clock.was_sane && !clock.sane)
    ports_.log(RONDA_LOG_WARNING, "the wall clock is before this build's date: no slots until it is set");
  if (clock.sane && !clock.was_sane) note_calendars();
  batch_.clear();
  timetable_.take_due(now, batch_);
  for (const Due& due : batch_.due) handle(due);
  for (const Skipped& skipped : batch_.skipped) {
    if (queue(skipped)) continue;
    const Skip why = entries_[skipped.id].call != 0 || lingering_.contains(skipped.id) ? Skip::still_running : Skip::waits_for_lock;
    skip(entries_[skipped.id], skipped.id, why);
    if (skipped.slot) close_slot(entries_[skipped.id], *skipped.slot, std::string(text_of(why)));
  }
  for (const Missed& missed : batch_.missed) record_missed(missed);
  flush_launches();
  arm();
}

void Scheduler::record_missed(const Missed& missed) {
  const Entry& entry = entries_[missed.id];
  const bool waited = (entry.call != 0 || lingering_.contains(missed.id)) && waits_its_turn(entry, missed.id);
  const std::string why = waited ? "a newer slot waits for the end of the run" : "the agent was not running, or the clock stepped";
  if (waited && missed.slots.count == 1) return close_slot(entry, missed.slots.first, why);
  ports_.store.record_missed({id_of(entry.spec), slot_ns(missed.slots.first), slot_ns(missed.slots.last),
                              static_cast<std::int64_t>(missed.slots.count), why, wall().count()},
                             [](auto) {});
}

/// A slot that is not run and will not be.
void Scheduler::close_slot(const Entry& entry, sys_seconds slot, std::string why) {
  store::Slot closed{id_of(entry.spec), slot_ns(slot), store::SlotState::skipped, wall().count(), std::move(why)};
  ports_.store.close_slot(std::move(closed), [](auto) {});
}

std::string Scheduler::blocker(const Entry& entry) const {
  if (entry.spec.after == nullptr) return {};
  for (const std::string& name : *entry.spec.after) {
    const auto position = position_of(Kind::check, name);
    if (!position) continue;
    const Entry& parent = entries_[*position];
    if (!parent.blocked_by.empty()) return parent.blocked_by.str();
    if (parent.has_result && parent.status == CheckStatus::critical) return parent.spec.name;
  }
  return {};
}

void Scheduler::skip(Entry& entry, std::uint32_t position, Skip why) {
  entry.skip = why;
  entry.skip_wall = wall().count();
  ++entry.skips;
  if (why == Skip::still_running || why == Skip::waits_for_lock) return;
  conclude(position, text_of(why));
  timetable_.finished(position);
  if (waiters_.contains(position)) timetable_.make_due(position, boottime(), Why::by_hand);  // who asked for a run gets one
  release_locks(position);
}

void Scheduler::handle(const Due& due) {
  Entry& entry = entries_[due.id];
  if (due.slot) conclude(due.id, "its next slot came");
  if (ports_.safe_mode && entry.spec.kind == Kind::task && due.why != Why::by_hand) {
    if (due.slot) close_slot(entry, *due.slot, std::string(text_of(Skip::safe_mode)));
    return skip(entry, due.id, Skip::safe_mode);
  }
  if (due.why != Why::by_hand && disabled_.contains(due.id)) {
    if (due.slot) close_slot(entry, *due.slot, "disabled");
    return skip(entry, due.id, Skip::disabled);
  }
  if (due.why != Why::by_hand) {
    std::string blocked_by = blocker(entry);
    if (!blocked_by.empty()) {
      if (due.slot) close_slot(entry, *due.slot, "blocked by " + blocked_by);
      entry.blocked_by = std::move(blocked_by);
      return skip(entry, due.id, Skip::blocked);
    }
  }
  entry.blocked_by.clear();
  if (!take_locks(entry, due.id)) {
    entry.skip = Skip::waits_for_lock;
    entry.skip_wall = wall().count();
    return wait_for_locks(due, false);
  }
  if (due.slot) return claim(due.id, due);
  start(entry, due.id, due);
}

/// A slot runs only after the store has promised that it runs once. A check may run without that promise: it
/// changes nothing, and silence would be worse.
void Scheduler::claim(std::uint32_t position, const Due& due) {
  const std::uint64_t number = claims_[position] = next_claim_++;
  const store::InstanceId id = id_of(entries_[position].spec);
  ports_.store.claim_slot(id, slot_ns(*due.slot), [this, position, number, id, due](Result<store::Claim> claimed) {
    const bool is_ours = claimed && *claimed == store::Claim::claimed;
    // who asked has left, and its locks with it; another one may stand there by now
    if (const auto asked = claims_.find(position); asked == claims_.end() || asked->second != number)
      return is_ours ? give_back_slot(id, slot_ns(*due.slot), text_of(Skip::left)) : void();
    claims_.erase(position);
    Entry& now = entries_[position];
    if (stopping_) return leave_slot(now, slot_ns(*due.slot), is_ours);
    if (claimed && *claimed == store::Claim::already_done) return skip(now, position, Skip::slot_done);
    if (!claimed && now.spec.kind != Kind::check) {
      // nothing began: it is owed until the store can promise
      if (now.skip != Skip::slot_refused)
        ports_.log(RONDA_LOG_ERROR, label_of(now.spec.kind, now.spec.name) + ": slot not run yet: " + claimed.error().message());
      skip(now, position, Skip::slot_refused);
      timetable_.owe(position, *due.slot, boottime() + ports_.refused_slot_wait);
      return arm();
    }
    now.slot_wall = slot_ns(*due.slot);
    start(now, position, due);
    flush_launches();
  });
}

/// The promise came when nothing may begin any more: the next agent finds the slot as one that it missed.
void Scheduler::leave_slot(Entry& entry, std::int64_t slot, bool claimed) {
  entry.skip = Skip::stopping;
  entry.skip_wall = wall().count();
  ++entry.skips;
  if (claimed) give_back_slot(id_of(entry.spec), slot, text_of(Skip::stopping));
}

/// Promised and not begun: as if it had not been asked for.
void Scheduler::give_back_slot(const store::InstanceId& id, std::int64_t slot, std::string_view why) {
  ports_.log(RONDA_LOG_WARNING, id.kind + " " + id.name + ": a slot was not run: " + std::string(why));
  store::JournalEvent event;
  event.wall = wall().count();
  event.kind = "slot.left";
  event.subject = id.kind + "/" + id.name;
  event.data = "{\"scheduled_ns\": " + std::to_string(slot) + "}";
  ports_.store.append_journal(std::move(event), [](auto) {});
  ports_.store.withdraw_slot(id, slot, [](auto) {});
}

void Scheduler::start(Entry& entry, std::uint32_t position, const Due& due) {
  if (entry.skip == Skip::waits_for_lock || entry.skip == Skip::slot_refused) entry.skip = Skip::none;  // not any more
  if (const auto pending = attempts_.find(position); pending != attempts_.end()) entry.slot_wall = pending->second.slot_wall;
  launch(entry, position, due);
}

void Scheduler::launch(Entry& entry, std::uint32_t position, const Due& due) {
  if (entry.dirty) write_dirty();  // before this run's times stand in the place of those of the run that is not written yet
  entry.trip = {.ended_wall = entry.trip.ended_wall};  // until this run ends, the last one is when it ran
  hand_over(entry, position, entry.trip, due, 0);
  if (due.why == Why::grid || due.why == Why::slot) {
    lateness_.push_back(entry.trip.late_ns);
    if (lateness_.size() > lateness_kept) lateness_.pop_front();
  }
}

void Scheduler::hand_over(Entry& entry, std::uint32_t position, Trip& trip, const Due& due, std::uint32_t flags) {
  const Nanos now = boottime();
  entry.call = (next_call_++ << call_position_bits) | position;
  trip.started_wall = wall().count();
  trip.late_ns = std::max<std::int64_t>((now - due.due).count(), 0);
  trip.due_wall = trip.started_wall - (now - due.due).count();
  trip.reason = reason_of(due.why);
  plugin::CallSpec call;
  call.id = entry.call;
  call.instance = entry.id;
  call.kind = static_cast<wire::Kind>(entry.spec.kind);
  call.timeout = entry.spec.timeout;
  call.reason = trip.reason;
  call.flags = flags;
  call.scheduled_wall_ns = entry.slot_wall;
  call.exclusive = entry.spec.kind == Kind::task || holds_locks(position);
  call.quick = entry.average_ms >= 0 && entry.average_ms < quick_ms && !entry.spec.procedure->plugin->spawns;
  launches_[entry.runner].push_back(std::move(call));
  ++in_flight_;
}

void Scheduler::flush_launches() {
  for (auto& [runner, calls] : launches_) {
    if (!calls.empty()) runner->dispatch(std::exchange(calls, {}));
  }
}

Result<Unit> Scheduler::run_now(Kind kind, std::string_view name, std::uint32_t flags, std::function<void(const Entry&)> ended) {
  const auto position = position_of(kind, name);
  if (!position) return Error(Errc::not_found, "no " + std::string(config::kind_name(kind)) + " is named \"" + std::string(name) + "\"");
  if (stopping_) return Error(Errc::unavailable, "the agent is stopping");
  if (flags != 0) return run_apart(*position, flags, std::move(ended));
  if (ended) waiters_[*position].push_back(std::move(ended));
  const bool serves_nobody = lingering_.contains(*position) || is_apart(*position);  // it is waited for, and its end is not theirs
  if (timetable_.look(*position).running && !serves_nobody)
    return done();  // that run serves it, also one that has yet to get its lock or slot
  timetable_.make_due(*position, boottime(), Why::by_hand);
  pump_soon();
  return done();
}

void Scheduler::run_all_now() {
  for (const std::uint32_t position : by_name_) {
    if (entries_[position].spec.kind == Kind::check) timetable_.make_due(position, boottime(), Why::by_hand);
  }
  pump_soon();
}

void Scheduler::tell_full_inbox(const std::string& name) {
  FullInbox& inbox = full_inboxes_[name];
  ++inbox.not_told;
  const Nanos now = boottime();
  if (inbox.told.count() != 0 && now - inbox.told < std::chrono::hours(1)) return;
  inbox.told = now;
  ports_.log(RONDA_LOG_WARNING, label_of(Kind::check, name) + ": its inbox is full (" + std::to_string(store::inbox_events_max) +
                                    " events), and " + std::to_string(std::exchange(inbox.not_told, 0)) +
                                    " that it had not read are gone; it reads 100 a run: let it run more often, or report less to it");
}

void Scheduler::poke(Kind kind, std::string_view name) {
  const auto position = position_of(kind, name);
  if (!position) return;
  timetable_.make_due(*position, boottime(), Why::event);
  pump_soon();
}

// ---- stop -----------------------------------------------------------------------------------

void Scheduler::stop(std::function<void()> drained) {
  stopping_ = true;
  timer_.cancel();
  write_timer_.cancel();
  for (const std::uint32_t position : by_name_) {
    conclude(position, "the agent stopped before it was tried again");
    refuse_deliveries(position, "the agent is stopping");
  }
  refuse_waiters();
  write_dirty();
  for (const auto& hosted : hosted_) {
    if (hosted != nullptr) hosted->supervisor->retire();
  }
  if (in_flight_ == 0) return asio::post(ports_.loop, std::move(drained));
  drained_ = std::move(drained);
}

/// Whoever waits for a run that has not begun, for a lock or for the end of the one before, waits in vain from here on.
void Scheduler::refuse_waiters() {
  std::vector<std::uint32_t> in_vain;
  for (const auto& [position, waiting] : waiters_) {
    if (entries_[position].call == 0 || is_apart(position)) in_vain.push_back(position);
  }
  for (const std::uint32_t position : in_vain) {
    entries_[position].skip = Skip::stopping;
    entries_[position].skip_wall = wall().count();
    tell_waiters(position);
  }
}

}  // namespace ronda::schedule
