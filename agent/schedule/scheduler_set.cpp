// SPDX-License-Identifier: Apache-2.0
// The set of entries: taking over a new one so that what is unchanged does not notice, and looking at it.
#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/clock.hpp"
#include "ronda/abi.h"
#include "schedule/idle.hpp"
#include "schedule/scheduler.hpp"
#include "schedule/spread.hpp"

namespace ronda::schedule {
using namespace std::chrono_literals;

namespace {

constexpr std::size_t changes_told = 100;

void tell(ApplyReport& report, std::string_view what, const Prepared& spec) {
  if (report.changes.size() < changes_told) report.changes.push_back(std::string(what) + " " + label_of(spec.kind, spec.name));
}

}  // namespace

std::optional<std::uint32_t> Scheduler::position_of(Kind kind, std::string_view name) const {
  const auto less = [&](std::uint32_t position, const std::pair<Kind, std::string_view>& wanted) {
    const Prepared& spec = entries_[position].spec;
    return std::pair<Kind, std::string_view>(spec.kind, spec.name) < wanted;
  };
  const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), std::pair(kind, name), less);
  if (found == by_name_.end() || entries_[*found].spec.kind != kind || entries_[*found].spec.name != name) return {};
  return *found;
}

std::optional<std::uint32_t> Scheduler::position_of(const store::InstanceId& id) const {
  for (const Kind kind : config::all_kinds) {
    if (config::kind_name(kind) == id.kind) return position_of(kind, id.name);
  }
  return {};
}

const Entry* Scheduler::find(Kind kind, std::string_view name) const {
  const auto position = position_of(kind, name);
  return position ? &entries_[*position] : nullptr;
}

void Scheduler::each(const std::function<void(const Entry&)>& visit) const {
  for (const std::uint32_t position : by_name_) visit(entries_[position]);
}

std::vector<std::string_view> Scheduler::names(Kind kind) const {
  std::vector<std::string_view> out;
  each([&](const Entry& entry) {
    if (entry.spec.kind == kind) out.push_back(entry.spec.name);
  });
  return out;
}

Timetable::View Scheduler::look(const Entry& entry) const {
  const auto position = position_of(entry.spec.kind, entry.spec.name);
  return position && timetable_.has(*position) ? timetable_.look(*position) : Timetable::View{};
}

std::string_view Scheduler::why_disabled(const Entry& entry) const {
  const auto position = disabled_.empty() ? std::nullopt : position_of(entry.spec.kind, entry.spec.name);
  const auto found = position ? disabled_.find(*position) : disabled_.end();
  return found == disabled_.end() ? std::string_view() : std::string_view(found->second);
}

const Progress* Scheduler::progress(const Entry& entry) const {
  const auto found = progress_.find(entry.call);
  return entry.call == 0 || found == progress_.end() ? nullptr : &found->second;
}

bool Scheduler::lingers(const Entry& entry) const {
  const auto position = lingering_.empty() ? std::nullopt : position_of(entry.spec.kind, entry.spec.name);
  return position && lingering_.contains(*position);
}

const LeftByRun* Scheduler::left_alive(const Entry& entry) const {
  const auto position = left_alive_.empty() ? std::nullopt : position_of(entry.spec.kind, entry.spec.name);
  const auto found = position ? left_alive_.find(*position) : left_alive_.end();
  return found == left_alive_.end() ? nullptr : &found->second;
}

std::vector<plugin::SupervisorStatus> Scheduler::plugins() const {
  std::vector<plugin::SupervisorStatus> out;
  for (const auto& hosted : hosted_) {
    if (hosted != nullptr) out.push_back(hosted->supervisor->status());
  }
  for (const auto& supervisor : retired_) {
    if (!supervisor->is_empty()) out.push_back(supervisor->status());
  }
  return out;
}

bool Scheduler::clear_quarantine(std::string_view subject) {
  bool found = false;
  for (const auto& hosted : hosted_) {
    if (hosted == nullptr || hosted->supervisor->plugin_id() != subject) continue;
    hosted->supervisor->clear_quarantine(plugin::RestartPolicy::whole_plugin);
    found = true;
  }
  for (const std::uint32_t position : by_name_) {
    const Entry& entry = entries_[position];
    if (entry.spec.name != subject && key_of(entry.spec.kind, entry.spec.name) != subject) continue;
    entry.runner->clear_quarantine(entry.id);
    found = true;
  }
  return forget_quarantine(subject) || found;
}

// ---- supervisors ----------------------------------------------------------------------------

Scheduler::Hosted& Scheduler::host_for(const Prepared& spec) {
  const PluginRef& plugin = *spec.procedure->plugin;
  const RunAs as = run_as(spec);
  const std::string key = plugin.sha256 + plugin.grants + "/" + key_of(as);
  for (const auto& hosted : hosted_) {
    if (hosted != nullptr && hosted->key == key) return *hosted;
  }
  auto free = std::ranges::find_if(hosted_, [](const auto& h) { return h == nullptr; });
  if (free == hosted_.end()) free = hosted_.insert(hosted_.end(), nullptr);
  auto hosted = std::make_unique<Hosted>();
  hosted->key = key;
  hosted->as = as;
  hosted->group = static_cast<Group>(free - hosted_.begin());
  hosted->supervisor = ports_.make_supervisor(plugin, as, *this);
  *free = std::move(hosted);
  return **free;
}

/// The entry gives up its place in its supervisor; one that nobody uses any more drains and goes.
void Scheduler::leave(Entry& entry) {
  if (entry.runner == nullptr) return;
  entry.runner->forget(entry.id);
  const auto found = std::ranges::find_if(hosted_, [&](const auto& h) { return h != nullptr && h->supervisor.get() == entry.runner; });
  if (entry.call == 0) entry.runner = nullptr;
  if (found == hosted_.end() || --(*found)->users > 0) return;
  (*found)->supervisor->retire();
  retired_.push_back(std::move((*found)->supervisor));
  *found = nullptr;
}

// ---- one entry ------------------------------------------------------------------------------

Spec Scheduler::spec_of(const Entry& entry) {
  const Prepared& spec = entry.spec;
  const auto hosted = std::ranges::find_if(hosted_, [&](const auto& h) { return h != nullptr && h->supervisor.get() == entry.runner; });
  const Group group = (*hosted)->group;
  if (spec.when.every > 0ns) {
    const std::uint64_t hash = spread_hash(ports_.host, config::kind_name(spec.kind), spec.name);
    const bool exact = spec.procedure->plugin->spawns;
    const Nanos phase = exact ? phase_of(hash, spec.when.every) : shared_phase_of(hash, spec.when.every);
    return Every{group, spec.when.every, phase, exact};
  }
  if (spec.when.calendar == nullptr) return OnDemand{group};
  const auto delay = Nanos(static_cast<std::int64_t>(spread_hash(ports_.host, "catch-up", spec.name) % 30'000'000'000ULL));
  return Slots{group, *spec.when.calendar, {0ns, delay, {}}, done_until(spec)};
}

/// Since when it is known to run by its present calendar: what lies before was never owed. None while the clock, which is
/// not believed yet, cannot tell.
std::optional<sys_seconds> Scheduler::known_since(const Prepared& spec) const {
  const auto known = calendars_known_.find(id_of(spec));
  const bool same = known != calendars_known_.end() && (known->second.text.empty() || known->second.text == spec.when.calendar->print());
  const Nanos now = wall();
  const bool believed = is_believed(now);
  if (!same && !believed) return std::nullopt;
  const Nanos since = !same ? now : believed ? std::min(Nanos(known->second.since), now) : Nanos(known->second.since);
  return sys_seconds(std::chrono::floor<std::chrono::seconds>(since));
}

/// The last slot that an earlier agent ran, or since when there are any; none when it knew neither.
std::optional<sys_seconds> Scheduler::done_until(const Prepared& spec) const {
  const store::InstanceId id = id_of(spec);
  const auto last = slots_done_.find(id);
  if (last == slots_done_.end() && !calendars_known_.contains(id)) return std::nullopt;
  const std::optional<sys_seconds> since = known_since(spec);
  if (last == slots_done_.end()) return since;
  const sys_seconds slot(std::chrono::duration_cast<std::chrono::seconds>(Nanos(last->second)));
  return std::max(since.value_or(slot), slot);
}

/// Not while the clock is not believed: `since` would lie decades before, and all that lies between would be owed.
void Scheduler::note_calendars() {
  const Nanos now = wall();
  if (!is_believed(now)) return;
  std::vector<store::KnownCalendar> present;
  for (const std::uint32_t position : by_name_) {
    const Prepared& spec = entries_[position].spec;
    if (spec.when.calendar != nullptr) present.push_back({id_of(spec), spec.when.calendar->print(), now.count()});
  }
  if (present.empty()) return;
  ports_.store.note_calendars(std::move(present), [this](const Result<Unit>& noted) {
    if (!noted) ports_.log(RONDA_LOG_WARNING, "the store does not learn which calendars hold: " + noted.error().message());
  });
}

std::uint32_t Scheduler::add(Prepared spec, Nanos now) {
  const auto same = [&](std::uint32_t left) { return entries_[left].spec.kind == spec.kind && entries_[left].spec.name == spec.name; };
  if (const auto left = std::ranges::find_if(outlasted_, same); left != outlasted_.end()) {
    const std::uint32_t back = *left;
    replace(back, std::move(spec), now);
    return back;
  }
  std::uint32_t position = static_cast<std::uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    position = free_.back();
    free_.pop_back();
    entries_[position] = Entry();
  }
  Entry& entry = entries_[position];
  Hosted& hosted = host_for(spec);
  ++hosted.users;
  entry.spec = std::move(spec);
  entry.id = next_id_++;
  entry.runner = hosted.supervisor.get();
  position_of_id_.add(entry.id, position);
  entry.runner->end_plugin_quarantine();
  restore_quarantine(entry);
  note_state_taken(entry.spec);
  timetable_.add(position, spec_of(entry), now);
  return position;
}

/// Also of one that left and comes back while a run of it goes on: that is its run still.
void Scheduler::replace(std::uint32_t position, Prepared spec, Nanos now) {
  Entry& entry = entries_[position];
  const bool comes_back = std::exchange(entry.removed, false);
  conclude(position, "its configuration is another one");
  plugin::Supervisor* const before = entry.runner;
  const std::uint32_t old_id = entry.id;
  Hosted& hosted = host_for(spec);
  ++hosted.users;
  if (!comes_back) leave(entry);
  if (entry.call == 0 || entry.id_in_flight != 0)
    position_of_id_.erase(old_id);
  else
    entry.id_in_flight = old_id;  // its run may still ask for something
  if (entry.call != 0) replaced_.try_emplace(entry.call, entry.spec.procedure);
  if (!comes_back) note_state_left(entry.spec);
  disabled_.erase(position);
  dropping_.erase(position);
  entry.runner = hosted.supervisor.get();
  entry.spec = std::move(spec);
  if (!run_as(entry.spec).detached) left_alive_.erase(position);
  note_state_taken(entry.spec);
  entry.id = next_id_++;
  if (before != entry.runner) entry.average_ms = -1;
  entry.runner->end_plugin_quarantine();
  position_of_id_.add(entry.id, position);
  timetable_.replace(position, spec_of(entry), now);
  if (!comes_back) return;
  if (entry.skip == Skip::left) entry.skip = Skip::none;
  std::erase(outlasted_, position);
  restore_quarantine(entry);
  timetable_.hold(position);
}

void Scheduler::remove(std::uint32_t position) {
  conclude(position, "it left the configuration");
  refuse_deliveries(position, "the notifier left the configuration");
  Entry& entry = entries_[position];
  entry.removed = true;
  std::erase_if(waiting_for_locks_, [&](const WaitingForLocks& one) { return one.due.id == position; });
  // a slot's promise that is still on its way finds nobody; settle_set serves who waits for the locks
  if (claims_.erase(position) > 0) std::erase_if(locks_, [&](const auto& held) { return held.second == position; });
  timetable_.remove(position);
  note_state_left(entry.spec);
  leave(entry);
  if (entry.call == 0 || is_apart(position)) {  // whoever waits for a run that has not begun waits in vain
    entry.skip = Skip::left;
    entry.skip_wall = wall().count();
    tell_waiters(position);
  }
  if (entry.call == 0 && !lingering_.contains(position)) return release(position);
  outlasted_.push_back(position);
}

void Scheduler::release(std::uint32_t position) {
  position_of_id_.erase(entries_[position].id);
  position_of_id_.erase(entries_[position].id_in_flight);
  waiters_.erase(position);
  attempts_.erase(position);
  left_alive_.erase(position);
  disabled_.erase(position);
  dropping_.erase(position);
  std::erase(outlasted_, position);
  if (entries_[position].dirty) std::erase(dirty_, position);
  entries_[position] = Entry();
  entries_[position].removed = true;
  free_.push_back(position);
}

void Scheduler::remember(Entry& entry, const store::InstanceState& state) {
  entry.has_result = state.last_run > 0;
  entry.status = static_cast<CheckStatus>(state.status & 3);
  entry.summary = state.summary;
  entry.detail = state.detail;
  entry.since_wall = state.since;
  entry.trip.ended_wall = state.last_run;
  entry.last_ok_wall = state.last_ok;
  entry.failures = static_cast<std::uint32_t>(state.failures);
}

// ---- the whole set --------------------------------------------------------------------------

/// Checks with an interval that have no result younger than that run once: the first at once, the rest spread.
void Scheduler::plan_first_runs(const std::vector<std::uint32_t>& fresh, Nanos now) {
  const Nanos at_wall = wall();
  std::vector<std::uint32_t> positions;
  std::vector<FirstRun> runs;
  for (const std::uint32_t position : fresh) {
    const Entry& entry = entries_[position];
    const Nanos interval = entry.spec.when.every;
    if (entry.spec.kind != Kind::check || interval == 0ns) continue;
    if (entry.has_result && at_wall - Nanos(entry.trip.ended_wall) < interval && entry.trip.ended_wall <= at_wall.count()) continue;
    positions.push_back(position);
    runs.push_back({spread_hash(ports_.host, config::kind_name(entry.spec.kind), entry.spec.name), interval});
  }
  const std::vector<Nanos> delays = first_run_delays(runs);
  for (std::size_t i = 0; i < positions.size(); ++i) timetable_.make_due(positions[i], now + delays[i], Why::first_run);
}

/// The same words may mean other instants: another [agent] tz, other rules of a zone.
void Scheduler::use_calendar(std::uint32_t position, std::shared_ptr<const Calendar> calendar, Nanos now) {
  Entry& entry = entries_[position];
  std::shared_ptr<const Calendar>& present = entry.spec.when.calendar;
  if (present == nullptr || calendar == nullptr || *present == *calendar) return;
  present = std::move(calendar);
  timetable_.replace(position, spec_of(entry), now);
}

std::size_t Scheduler::use_zones(ZonePtr zone) {
  ports_.zone = std::move(zone);
  calendars_.clear();
  std::map<const Calendar*, std::shared_ptr<const Calendar>> anew;  // instances share them
  std::size_t count = 0;
  for (const std::uint32_t position : by_name_) {
    const std::shared_ptr<const Calendar> before = entries_[position].spec.when.calendar;
    if (before == nullptr) continue;
    const auto rules = ports_.zones.find(before->zone()->name());
    if (!rules || *rules == before->zone() || (*rules)->same_rules(*before->zone())) continue;
    auto& after = anew[before.get()];
    if (after == nullptr) after = std::make_shared<const Calendar>(before->fields(), *rules);
    use_calendar(position, after, boottime());
    ++count;
  }
  if (count > 0) pump_soon();
  return count;
}

/// Unchanged entries stay as they are, changed ones are replaced, new ones added; the positions of the new.
std::vector<std::uint32_t> Scheduler::take_over(std::vector<Prepared> set, ApplyReport& report) {
  const Nanos now = boottime();
  std::ranges::sort(set, [](const Prepared& a, const Prepared& b) {
    return std::pair(a.kind, std::string_view(a.name)) < std::pair(b.kind, std::string_view(b.name));
  });
  std::vector<std::uint32_t> after, fresh;
  for (Prepared& spec : set) {
    const auto position = position_of(spec.kind, spec.name);
    const bool same = position && entries_[*position].spec.hash == spec.hash;
    ++(same ? report.kept : position ? report.replaced : report.added);
    if (same) use_calendar(*position, std::move(spec.when.calendar), now);
    if (!same) tell(report, position ? "replaced" : "added", spec);
    if (position && !same) replace(*position, std::move(spec), now);
    after.push_back(position ? *position : add(std::move(spec), now));
    if (!position) fresh.push_back(after.back());
  }
  drop_others(after, report);
  by_name_ = std::move(after);
  return fresh;
}

void Scheduler::drop_others(const std::vector<std::uint32_t>& stay, ApplyReport& report) {
  std::vector<bool> stays(entries_.size());
  for (const std::uint32_t position : stay) stays[position] = true;
  for (const std::uint32_t position : by_name_) {
    if (stays[position]) continue;
    ++report.removed;
    tell(report, "removed", entries_[position].spec);
    remove(position);
  }
}

void Scheduler::set_idle_limits() {
  std::unordered_map<const plugin::Supervisor*, Nanos> longest;
  for (const std::uint32_t position : by_name_) {
    const Entry& entry = entries_[position];
    Nanos& limit = longest[entry.runner];
    limit = std::max(limit, entry.spec.when.every);
  }
  for (const auto& hosted : hosted_) {
    if (hosted != nullptr) hosted->supervisor->set_idle_limit(idle_limit(longest[hosted->supervisor.get()]));
  }
}

void Scheduler::kill_all() {
  for (const auto& hosted : hosted_) {
    if (hosted != nullptr) hosted->supervisor->kill_all();
  }
  for (const auto& supervisor : retired_) supervisor->kill_all();
}

void Scheduler::settle_set(const std::vector<std::uint32_t>& fresh) {
  serve_waiting();  // locks came free with what left, or are not wanted any more
  plan_first_runs(fresh, boottime());
  set_idle_limits();
  std::erase_if(retired_, [](const auto& supervisor) { return supervisor->is_empty(); });
  pump_soon();
}

ApplyReport Scheduler::apply(std::vector<Prepared> set) {
  ApplyReport report;
  settle_set(take_over(std::move(set), report));
  note_calendars();
  return report;
}

/// A run that the agent before started and never saw the end of: it may be half done, and is not repeated. It ended as any other,
/// with who is told of that.
void Scheduler::close_orphan(const store::Slot& slot) {
  // after who is told of it: an agent that is killed in between finds it once more
  const auto finish = [&] { ports_.store.finish_slot(slot.id, slot.scheduled, "outcome unknown", [](auto) {}); };
  const auto position = position_of(slot.id);
  if (!position || entries_[*position].spec.kind == Kind::check) return finish();
  Entry& entry = entries_[*position];
  // it has been run since: in this life, now, or before it, when the store did not take the end of this one
  if (entry.runs > 0 || (entry.call != 0 && !is_apart(*position)) || (entry.has_result && entry.trip.ended_wall > slot.changed))
    return finish();
  Ending ending;
  ending.fate = entry.trip.fate = Fate::lost;
  ending.summary = "outcome unknown: the agent ended while it ran";
  entry.trip.started_wall = slot.changed;
  entry.trip.ended_wall = std::max(wall().count(), slot.changed);
  ports_.log(RONDA_LOG_ERROR, key_of(entry.spec.kind, entry.spec.name) + ": " + ending.summary);
  count(entry, ending);
  finish();
  mark_dirty(entry, *position);
}

void Scheduler::recall(const Remembered& remembered) {
  for (const store::InstanceState& state : remembered.states) {
    const auto position = position_of(state.id);
    if (position && !entries_[*position].has_result) remember(entries_[*position], state);
  }
  for (const store::Slot& slot : remembered.started_slots) {
    if (slot.changed < began_wall_) close_orphan(slot);
  }
  for (const store::InstanceId& id : remembered.inbox_owners) {
    if (id.kind == config::kind_name(Kind::check)) poke(Kind::check, id.name);
  }
}

void Scheduler::recall_late(const Remembered& remembered) {
  recall_state_versions(remembered);
  recall_quarantines(remembered);
  recall(remembered);
  for (const store::KnownCalendar& calendar : remembered.calendars) calendars_known_[calendar.id] = calendar;
  for (const store::Slot& slot : remembered.last_slots) {
    const auto position = position_of(slot.id);
    const sys_seconds scheduled(std::chrono::duration_cast<std::chrono::seconds>(Nanos(slot.scheduled)));
    if (!position || slot.changed >= began_wall_ || entries_[*position].spec.when.calendar == nullptr) continue;
    timetable_.learn_done(*position, std::max(scheduled, known_since(entries_[*position].spec).value_or(scheduled)), boottime());
  }
  calendars_known_.clear();
  note_calendars();
  pump_soon();
}

void Scheduler::on_store_back() {
  note_calendars();
  ports_.store.load_kv_versions([this](Result<std::vector<store::KvVersion>> versions) {
    if (!versions) return;  // it has failed again
    Remembered known;
    known.state_versions = *std::move(versions);
    recall_state_versions(known);
  });
  ports_.store.load_inbox_owners([this](Result<std::vector<store::InstanceId>> owners) {
    if (!owners) return;
    Remembered known;
    known.inbox_owners = *std::move(owners);
    recall(known);
  });
}

ApplyReport Scheduler::begin(std::vector<Prepared> set, const Remembered& remembered) {
  began_wall_ = wall().count();
  for (const store::Slot& slot : remembered.last_slots) slots_done_[slot.id] = slot.scheduled;
  for (const store::KnownCalendar& calendar : remembered.calendars) calendars_known_[calendar.id] = calendar;
  for (const store::Quarantine& quarantine : remembered.quarantines) quarantines_[quarantine.subject] = quarantine;
  note_state_versions(remembered);
  ApplyReport report;
  const auto fresh = take_over(std::move(set), report);
  slots_done_.clear();  // of the time before; later changes have plans of their own
  calendars_known_.clear();
  restore_plugin_quarantines();
  recall(remembered);
  settle_set(fresh);
  note_calendars();
  return report;
}

}  // namespace ronda::schedule
