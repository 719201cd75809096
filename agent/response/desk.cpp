// SPDX-License-Identifier: Apache-2.0
#include "response/desk.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "response/clock.hpp"
#include "response/message.hpp"
#include "response/upkeep.hpp"

namespace ronda::response {
namespace {

constexpr std::int64_t clean_every_ns = std::int64_t{3600} * 1'000'000'000, keep_over_ns = 24 * clean_every_ns;
constexpr std::int64_t look_again_ns = 1'000'000'000;
constexpr std::size_t most_said = 300;                   // bytes of a check's own words
constexpr std::int64_t latest_wake_ns = 10'000'000'000;  // on a busy host; a later one was slept through
constexpr std::size_t many_firing = 100;                 // from so many on they are asked together, once in look_again_ns, what hides them
constexpr std::int64_t write_pending_every_ns = 5'000'000'000;  // how much of a `for` a kill may cost

/// Those who share an address stand in one row; of the last resort nobody is named.
std::vector<std::string> contacts_of(std::string_view left) {
  std::vector<std::string> out;
  do {
    const std::size_t comma = left.find(',');
    out.emplace_back(left.substr(0, comma));
    left.remove_prefix(comma == std::string_view::npos ? left.size() : comma + 1);
  } while (!left.empty());
  return out;
}

/// What a look changed that a restart must not forget. Sums of time alone are written seldom.
bool has_moved(const rule::AlertState& before, const rule::AlertState& after) {
  const auto moved = [](const rule::RungState& a, const rule::RungState& b) {
    return a.mark != b.mark || a.last != b.last || a.active != b.active || a.since_ns != b.since_ns;
  };
  for (std::size_t i = 0; i < before.rungs.size(); ++i) {
    if (moved(before.rungs[i], after.rungs[i])) return true;
  }
  return before.level != after.level || before.no_data != after.no_data || before.flapping.holds() != after.flapping.holds() ||
         (before.flapping.since_fall == 0) != (after.flapping.since_fall == 0) ||
         (before.flapping.ok_counts == 0) != (after.flapping.ok_counts == 0) || before.blocked_by != after.blocked_by ||
         before.frozen_at_ns != after.frozen_at_ns;
}

bool is_counting(const rule::AlertState& state) {
  return std::ranges::any_of(state.rungs, [](const rule::RungState& rung) { return rung.since_ns != 0 && !rung.active; }) ||
         std::ranges::any_of(state.rungs, [](const rule::RungState& rung) { return rung.active && rung.left_ns != 0; });
}

/// Whether what happened may let an incident begin or end to flap, or hides it no more.
bool may_pause(incident::Kind kind) {
  using incident::Kind;
  constexpr std::array kinds = {Kind::alert_joined, Kind::alert_changed, Kind::alert_left, Kind::reopened,
                                Kind::lowered,      Kind::unsuppressed,  Kind::settled,    Kind::notice_sent};
  return std::ranges::find(kinds, kind) != kinds.end();
}

/// Nothing is as high as the incident. What was due before that and could not be told (it was hidden, another ladder came) waits until
/// something is again, or until it is lowered.
bool stands(const incident::Incident& incident) {
  return !incident.history.below.empty() && incident.history.below.back().end_ns == 0;
}

void keep_earliest(std::optional<std::int64_t>& earliest, std::optional<std::int64_t> at) {
  if (at && *at != 0) earliest = earliest ? std::min(*earliest, *at) : *at;
}

}  // namespace

Desk::Desk(std::shared_ptr<const Plan> plan, Random random) : plan_(std::move(plan)), random_(std::move(random)), history_(plan_->zone) {
  history_.want(plan_->wants, plan_->rules.facts.tasks);
  objectives_.use(plan_->slos);
  index();
}

void Desk::index() {
  alerts_of_.clear();
  for (const rule::Alert& alert : plan_->rules.alerts) {
    std::set<std::string_view> names(alert.checks.begin(), alert.checks.end());
    names.insert(alert.parents.begin(), alert.parents.end());
    names.insert(alert.tasks.begin(), alert.tasks.end());
    for (const std::string_view name : names) alerts_of_[std::string(name)].push_back(&alert);
  }
  std::erase_if(said_, [&](const auto& one) { return !alerts_of_.contains(one.first); });
}

const rule::AlertState* Desk::alert(std::string_view name) const {
  const auto found = alerts_.find(name);
  return found == alerts_.end() ? nullptr : &found->second.state;
}

std::vector<std::string> Desk::restore(const Kept& kept, std::int64_t now_ns) {
  is_read_ = kept.is_whole;
  std::vector<std::string> left_out;
  const auto note = [&](const Status& taken) {
    if (!taken) left_out.push_back(taken.error().message());
  };
  for (const store::AlertState& row : kept.alerts) note(take_up(row, now_ns));
  count_inbound();
  for (const store::SilenceRow& row : kept.silences) note(take_up(row));
  for (const store::InstanceState& row : kept.checks) {
    const bool is_task = row.id.kind == config::kind_name(config::Kind::task);
    if ((!is_task && row.id.kind != config::kind_name(config::Kind::check)) || row.last_run == 0) continue;
    // what never succeeded is known at least since it began to end as it did last
    if (is_task) history_.restore_task(row.id.name, row.last_ok, row.since != 0 ? row.since : row.last_run);
    const std::string name = is_task ? std::string(rule::task_prefix) + row.id.name : row.id.name;
    history_.restore_check(name, {static_cast<measure::Status>(std::clamp(row.status, 0, 3)), row.since, row.last_run, {}});
  }
  history_.note_tasks(now_ns);
  state_ = incident::restore(kept.events, {});
  // those that the last event was decided under: what has ended since then ends now
  const auto firing = state_.firing(plan_->settings);
  state_.mutes = incident::mutes_at(plan_->windows, upkeep_.one_offs, silences_, firing, incident::last_change_ns(state_));
  state_.watched_since_ns = now_ns;
  is_fresh_ = true;
  note_asked(kept.events);
  for (const auto& [id, incident] : state_.incidents) {
    incident_alarms_.set(id, now_ns);
    engine_alarms_.set(id, now_ns);
  }
  boundary_wake_ = now_ns;
  return left_out;
}

Status Desk::take_up(const store::AlertState& row, std::int64_t now_ns) {
  auto state = rule::decode_state(row.data.value_or(""));
  if (!state) return std::move(state).error().with_context("the state of alert " + row.name);
  const rule::Alert* alert = plan_->rules.find(row.name);
  Held& held = alerts_[row.name];
  held.state = alert == nullptr ? *std::move(state) : rule::adopt(*alert, *std::move(state));
  std::int64_t& unknown_since = held.state.unknown_since_ns;
  if (unknown_since != 0) unknown_since = now_ns;  // meanwhile nobody watched
  held.row_ns = std::max(held.row_ns, row.at);
  const std::int64_t due_ns = alert == nullptr ? held.state.next_ns : now_ns;
  alert_alarms_.set(row.name, due_ns == 0 ? 0 : std::max(due_ns, now_ns));
  note_restless(row.name, alert == nullptr ? rule::AlertState() : held.state);
  return done();
}

Status Desk::take_up(const store::SilenceRow& row) {
  if (is_upkeep(row.id)) {
    if (auto read = restore_upkeep(row, upkeep_, drilled_ns_); !read) return std::move(read).error().with_context(row.id);
    return done();
  }
  auto silence = incident::parse_silence(row.data.value_or(""));
  if (!silence) return std::move(silence).error().with_context("silence " + row.id);
  incident::add(silences_, *std::move(silence));
  return done();
}

/// What was due then was told in the decision of that instant.
void Desk::note_asked(const std::vector<incident::Event>& events) {
  for (const incident::Event& event : events) {
    if (event.kind == incident::Kind::notice_sent) asked_[event.incident] = std::max(asked_[event.incident], event.at_ns);
    const auto asked = event.kind == incident::Kind::clock_set ? asked_.find(event.incident) : asked_.end();
    if (asked != asked_.end()) asked->second += event.at_ns - event.effective_ns;
  }
}

// ---- what comes in --------------------------------------------------------------------------

Output Desk::use(std::shared_ptr<const Plan> plan, std::int64_t now_ns) {
  Output out;
  const auto before = std::exchange(plan_, std::move(plan));
  history_.want(plan_->wants, plan_->rules.facts.tasks);
  history_.note_tasks(now_ns);
  history_.use_zone(plan_->zone);
  objectives_.use(plan_->slos);  // before the plan of before is let go: it points into that
  index();
  is_fresh_ = true;  // the same mutes may hide others: a check may have other tags
  // a life that could not read the store opened what was open already, and neither knew of the other
  if (incident::has_doubles(state_)) feed(incident::Recalled{}, out, now_ns);
  // what fires in an incident and is known to nobody any more
  for (const auto& [alert, id] : std::map(state_.by_alert)) {
    if (!alerts_.contains(alert) && plan_->rules.find(alert) == nullptr && !plan_->lost.holds(alert))
      feed(incident::Removed{alert}, out, now_ns);
  }
  for (auto held = alerts_.begin(); held != alerts_.end();) {
    const rule::Alert* alert = plan_->rules.find(held->first);
    if (alert != nullptr) held->second.state = rule::adopt(*alert, std::move(held->second.state));
    note_restless(held->first, alert == nullptr ? rule::AlertState() : held->second.state);
    const bool is_of_others = held->first.starts_with(own_prefix) || is_kept_inbound(*plan_, held->first);
    if (alert != nullptr || is_of_others || plan_->lost.holds(held->first)) {
      ++held;
      continue;
    }
    feed(incident::Removed{held->first}, out, now_ns);
    out.decision.alerts.push_back({held->first, held->second.next_row_ns(now_ns), std::nullopt});
    alert_alarms_.clear(held->first);
    held = alerts_.erase(held);
  }
  count_inbound();
  if (!plan_->people.notifiers.empty()) ask_again_for_unheard();
  if (looking_) look_at_all(out, now_ns);
  for (const auto& [id, incident] : state_.incidents) {
    if (incident.stage != incident::Stage::closed) incident_alarms_.set(id, now_ns);  // its ladder may be another one
    wake_engine_for(id);                                                              // and so may its times
  }
  end_found_ways(out, now_ns);
  muting_ = true;
  settle(out, now_ns);
  return out;
}

Output Desk::on_result(const measure::Result& result, std::int64_t now_ns) {
  Output out;
  note_break(now_ns);
  note_words(result);
  if (auto sampled = history_.observe(result)) out.samples.push_back(*std::move(sampled));
  if (!looking_) return out;
  judge_objectives(result.check, out, now_ns);
  look_at_those_of(result.check, out, now_ns);
  return out;
}

void Desk::note_words(const measure::Result& result) {
  if (result.status == measure::Status::ok || result.summary.empty()) {
    if (const auto found = said_.find(result.check); found != said_.end()) said_.erase(found);
    return;
  }
  said_.insert_or_assign(std::string(result.check), repair_utf8(escape_controls(result.summary), most_said));
}

Output Desk::on_task_success(std::string_view task, std::int64_t at_ns, std::int64_t now_ns) {
  Output out;
  history_.task_succeeded(task, at_ns);
  if (looking_) look_at_those_of(std::string(rule::task_prefix) + std::string(task), out, now_ns);
  return out;
}

void Desk::look_at_those_of(std::string_view check, Output& out, std::int64_t now_ns) {
  const auto alerts = alerts_of_.find(check);
  if (alerts == alerts_of_.end()) return;
  for (const rule::Alert* alert : alerts->second) look_at(*alert, out, now_ns);
  settle(out, now_ns);
}

Output Desk::command(const incident::Command& command, std::int64_t now_ns) {
  Output out;
  feed(command, out, now_ns);
  settle(out, now_ns);
  return out;
}

Output Desk::add_silence(incident::Silence silence, std::int64_t now_ns) {
  Output out;
  out.decision.silences.push_back({silence.id, silence.until_ns, incident::to_json(silence)});
  incident::add(silences_, std::move(silence));
  muting_ = true;
  settle(out, now_ns);
  return out;
}

Result<Output> Desk::expire_silence(std::string_view id, const incident::Author& author, std::uint64_t based_on, std::int64_t now_ns) {
  RONDA_TRY(const auto silence, incident::expire(silences_, id, author, based_on, now_ns));
  Output out;
  out.decision.silences.push_back({silence.id, silence.until_ns, incident::to_json(silence)});
  muting_ = true;
  settle(out, now_ns);
  return out;
}

Output Desk::on_deliveries(const std::vector<incident::Delivery>& deliveries, std::int64_t now_ns) {
  Output out;
  for (incident::Delivery one : deliveries) {
    for (std::string& contact : contacts_of(std::exchange(one.contact, {}))) {
      one.contact = std::move(contact);
      feed(one, out, now_ns);
    }
  }
  settle(out, now_ns);
  return out;
}

Output Desk::on_diagnosis(const incident::Diagnosis& diagnosis, std::int64_t now_ns) {
  Output out;
  feed(diagnosis, out, now_ns);
  settle(out, now_ns);
  return out;
}

Output Desk::on_own_trouble(std::string_view name, config::Level level, std::string_view text, std::int64_t now_ns) {
  Output out;
  set_own_trouble(name, level, text, out, now_ns);
  settle(out, now_ns);
  return out;
}

void Desk::set_own_trouble(std::string_view name, config::Level level, std::string_view text, Output& out, std::int64_t now_ns) {
  rule::Change change;
  change.alert = std::string(own_prefix) + std::string(name);
  level == config::Level::none ? note_over(change.alert) : void(over_.erase(change.alert));
  if (level == config::Level::none && !alerts_.contains(change.alert)) return;
  Held& held = alerts_[change.alert];
  if (held.state.level == level) return;
  change.service = std::string(own_service);
  change.from = std::exchange(held.state.level, level);
  change.to = level;
  change.what = level == config::Level::none         ? rule::Change::What::resolved
                : change.from == config::Level::none ? rule::Change::What::fired
                                                     : rule::Change::What::level_changed;
  change.at_ns = change.since_ns = now_ns;
  change.reason = text;
  held.state.level_since_ns = now_ns;
  held.state.started_ns = level == config::Level::none ? 0 : now_ns;
  held.state.reason = text;
  write_alert(change.alert, held, out, now_ns);
  feed(change, out, now_ns);
}

/// What was wanted long ago shows that nobody watched meanwhile: the host slept, or its clock was set forward by less than a step.
void Desk::note_break(std::int64_t now_ns) {
  const auto due = next_wake();
  if (due && now_ns - *due > latest_wake_ns) state_.watched_since_ns = now_ns;
}

Output Desk::tick(std::int64_t now_ns) {
  Output out;
  note_break(now_ns);
  for (const std::string& name : looking_ ? alert_alarms_.due(now_ns) : std::vector<std::string>()) {
    const rule::Alert* alert = plan_->rules.find(name);
    if (alert == nullptr)
      end_silent(name, out, now_ns);
    else
      look_at(*alert, out, now_ns);
  }
  if (const std::vector<std::string> due = engine_alarms_.due(now_ns); !due.empty()) {
    feed(incident::Tick{}, out, now_ns);
    for (const std::string& id : due) wake_engine_for(id);
  }
  muting_ = muting_ || (boundary_wake_ && *boundary_wake_ <= now_ns);
  settle(out, now_ns);
  forget_old(out, now_ns);
  return out;
}

std::optional<std::int64_t> Desk::next_wake() const {
  std::optional<std::int64_t> next = engine_alarms_.next();
  if (looking_) keep_earliest(next, alert_alarms_.next());
  keep_earliest(next, incident_alarms_.next());
  keep_earliest(next, boundary_wake_);
  return next;
}

/// What is over goes from memory after a day; the store keeps incidents.
void Desk::forget_old(Output& out, std::int64_t now_ns) {
  if (now_ns - cleaned_ns_ < clean_every_ns) return;
  cleaned_ns_ = now_ns;
  incident::drop_closed(state_, now_ns - keep_over_ns);
  for (const incident::Silence& silence : silences_.silences) {
    if (silence.ended_ns != 0 && silence.ended_ns < now_ns - keep_over_ns)
      out.decision.silences.push_back({silence.id, silence.until_ns, std::nullopt});
  }
  incident::drop_ended(silences_, now_ns - keep_over_ns);
  for (const std::string& id : incident::drop_ended(upkeep_, plan_->windows, now_ns - keep_over_ns))
    out.decision.silences.push_back({id, 0, std::nullopt});
}

std::vector<std::string> Desk::own_troubles() const {
  std::vector<std::string> out;
  for (const auto& [name, held] : alerts_) {
    if (name.starts_with(own_prefix) && held.state.level != config::Level::none) out.push_back(name.substr(own_prefix.size()));
  }
  return out;
}

// ---- one step -------------------------------------------------------------------------------

void Desk::look_at_all(Output& out, std::int64_t now_ns) {
  for (const rule::Alert& alert : plan_->rules.alerts) look_at(alert, out, now_ns);
}

void Desk::look_at(const rule::Alert& alert, Output& out, std::int64_t now_ns) {
  Held& held = alerts_[alert.name];
  const rule::Reading reading = read(alert, held.state, out, now_ns);
  rule::Outcome outcome = rule::advance(alert, held.state, reading, now_ns);
  const bool moved = !outcome.changes.empty() || has_moved(held.state, outcome.state);
  if (held.state.blocked_by != outcome.state.blocked_by) held.blocked_ns = 0;
  held.state = std::move(outcome.state);
  note_restless(alert.name, held.state);
  // an instant that has passed and changed nothing is not waited for again: a result will say more
  const std::int64_t next_ns = held.state.next_ns;
  alert_alarms_.set(alert.name, next_ns == 0 || next_ns > now_ns ? next_ns : now_ns + look_again_ns);
  if (moved || (is_counting(held.state) && now_ns - held.written_ns >= write_pending_every_ns)) write_alert(alert.name, held, out, now_ns);
  for (rule::Change& change : outcome.changes) {
    // judged before it has ended: end_unknown() lets go what is well then
    if (change.what == rule::Change::What::unblocked && waits_in_incident(alert.name)) continue;
    if (const auto said = said_.find(change.check); said != said_.end() && change.to != config::Level::none) change.said = said->second;
    feed(change, out, now_ns);
  }
  tell_waiting(alert, held, out, now_ns);
  const auto is_thin = [](const rule::Reading::Level& level) { return level.when.truth != rule::Truth::unknown || level.when.thin; };
  tell_unknown(alert, held.state, std::ranges::all_of(reading.levels, is_thin), out, now_ns);
}

void Desk::write_alert(const std::string& name, Held& held, Output& out, std::int64_t now_ns) {
  held.written_ns = now_ns;
  out.decision.alerts.push_back({name, held.next_row_ns(now_ns), rule::encode_state(held.state)});
}

/// What an alert says is said in the words of the configuration that holds when it happens, and stays so.
void Desk::feed(const incident::Input& input, Output& out, std::int64_t now_ns) {
  const auto* change = std::get_if<rule::Change>(&input);
  // one that waits says for what
  if (change != nullptr && change->title.empty() && change->what != rule::Change::What::blocked) {
    rule::Change titled = *change;
    titled.title = title_of(*plan_, *change);
    if (!titled.title.empty()) return feed(titled, out, now_ns);
  }
  incident::Outcome outcome = incident::step(state_, plan_->settings, input, now_ns, {random_(), random_()});
  for (const incident::Event& event : outcome.events) {
    out.decision.events.push_back(row_of(event));
    touched_.insert(event.incident);
    if (event.kind == incident::Kind::closed) out.decision.marks.push_back({event.incident, event.at_ns});
    if (event.kind == incident::Kind::reopened) out.decision.marks.push_back({event.incident, 0});
    restless_moved_ = restless_moved_ || (!restless_.empty() && may_pause(event.kind));
  }
  for (incident::Effect& effect : outcome.effects) {
    if (auto* notice = std::get_if<incident::Notice>(&effect)) notices_.push_back(std::move(*notice));
    if (auto* reply = std::get_if<incident::Reply>(&effect)) out.replies.push_back(std::move(*reply));
    if (auto* diagnose = std::get_if<incident::Diagnose>(&effect)) out.diagnoses.push_back(std::move(*diagnose));
  }
}

/// What every step brings with it: who is muted now, and who has to hear what.
void Desk::settle(Output& out, std::int64_t now_ns) {
  if (muting_ || (!touched_.empty() && !may_mute_later(now_ns))) mute(out, now_ns);
  if (!touched_.empty() || !notices_.empty() || incident_alarms_.next().value_or(INT64_MAX) <= now_ns) tell(out, now_ns);
  if (restless_moved_) pause_restless(out, now_ns);
}

/// After who is called because it came back: from here on nobody is. In a storm this asks all that fire, so not at each step.
void Desk::pause_restless(Output& out, std::int64_t now_ns) {
  const std::int64_t next_ns = paused_ns_ + look_again_ns;
  if (state_.by_alert.size() >= many_firing && now_ns >= paused_ns_ && now_ns < next_ns) return keep_earliest(boundary_wake_, next_ns);
  paused_ns_ = now_ns;
  restless_moved_ = false;
  feed(incident::RestlessNow{restless_, std::exchange(calm_since_ns_, 0)}, out, now_ns);
  if (!touched_.empty() || !notices_.empty()) tell(out, now_ns);
  restless_moved_ = false;
  for (const auto& [id, incident] : state_.incidents) {
    if (incident.is_flapping) wake_engine_for(id);
  }
}

/// Of one of which nothing is known any more nobody can say that it comes and goes.
void Desk::note_restless(const std::string& alert, const rule::AlertState& state) {
  const bool is_known = !state.no_data && state.unknown_since_ns == 0;
  const bool is_restless = state.level != config::Level::none && is_known && state.flapping.comes_and_goes();
  if (is_restless == restless_.contains(alert)) return;
  restless_moved_ = true;
  if (is_restless) return void(restless_.insert(alert));
  restless_.erase(alert);
  if (is_known) calm_since_ns_ = std::max(calm_since_ns_, state.flapping.changed_ns);
}

/// Whatever hides alerts asks all that fire. In a storm of them each step would do so; what is late by that is only that an
/// owner hears what his silence hides, and an end by "until ok".
bool Desk::may_mute_later(std::int64_t now_ns) {
  const std::int64_t next_ns = muted_ns_ + look_again_ns;
  if (state_.by_alert.size() < many_firing || now_ns < muted_ns_ || next_ns <= now_ns) return false;
  keep_earliest(boundary_wake_, next_ns);
  return true;
}

void Desk::mute(Output& out, std::int64_t now_ns) {
  muting_ = false;
  muted_ns_ = now_ns;
  const auto firing = state_.firing(plan_->settings);
  incident::SilenceChange change = incident::tick(silences_, firing, now_ns);
  for (const incident::Silence& silence : change.changed)
    out.decision.silences.push_back({silence.id, silence.until_ns, incident::to_json(silence)});
  std::ranges::move(change.notices, std::back_inserter(notices_));
  keep_windows(firing, out, now_ns);
  auto mutes = incident::mutes_at(plan_->windows, upkeep_.one_offs, silences_, firing, now_ns);
  if (std::exchange(is_fresh_, false) || mutes != state_.mutes) feed(incident::MutesNow{std::move(mutes)}, out, now_ns);
  boundary_wake_ = incident::next_wake(silences_, now_ns);
  for (const incident::Window& window : plan_->windows) keep_earliest(boundary_wake_, incident::next_boundary(window, now_ns));
  keep_earliest(boundary_wake_, incident::next_wake(upkeep_, plan_->windows, now_ns));
  drill(out, now_ns);
}

/// Only incidents of this step, and those of which something is due.
void Desk::tell(Output& out, std::int64_t now_ns) {
  std::map<std::string, std::vector<incident::Notice>> notices;
  for (incident::Notice& notice : std::exchange(notices_, {})) notices[notice.incident].push_back(std::move(notice));
  std::set<std::string> ids = std::exchange(touched_, {});
  for (std::string& id : incident_alarms_.due(now_ns)) ids.insert(std::move(id));
  for (const std::string& id : ids) {
    tell_incident(id, notices[id], out, now_ns);
    wake_engine_for(id);
  }
  for (const incident::Notice& notice : notices[""]) owe(tell_silence(*plan_, notice, overrides_of(upkeep_), now_ns), "", out, now_ns);
  touched_.clear();  // by what is noted of the messages alone
  tell_lost_ways(out, now_ns);
}

void Desk::wake_engine_for(const std::string& id) {
  const incident::Incident* found = state_.find(id);
  engine_alarms_.set(id, found == nullptr ? 0 : incident::next_wake(state_, *found, plan_->settings).value_or(0));
}

/// The steps of the escalation that are due, and what the engine wants told; both to the same people are one message.
void Desk::tell_incident(const std::string& id, const std::vector<incident::Notice>& notices, Output& out, std::int64_t now_ns) {
  const incident::Incident* found = state_.find(id);
  if (found == nullptr || found->stage == incident::Stage::closed) {
    incident_alarms_.clear(id);
    asked_.erase(id);
    unheard_.erase(id);
    if (found == nullptr) return;
  }
  const incident::Incident& incident = *found;
  std::vector<escalation::Due> due;
  if (incident.stage != incident::Stage::closed) {
    const auto asked = asked_.find(id);
    const std::int64_t since = asked == asked_.end() ? escalation::never_asked : asked->second;
    escalation::Answer answer = escalation::due(plan_->policies.of(incident.service), clock_of(incident), since, std::max(since, now_ns));
    due = escalation::without_stale(std::move(answer.due));
    // what became due before it was hidden, and was not told then, is told when it comes out, unless somebody has it by then
    const std::int64_t acked_ns = incident.is_taken() ? incident.ack->at_ns : INT64_MIN;
    std::erase_if(due, [&](const escalation::Due& one) { return one.is_paging && one.at_ns <= acked_ns; });
    if ((incident.is_suppressed() || stands(incident)) && !due.empty()) {
      due.clear();
    } else {
      if (plan_->people.notifiers.empty()) unheard_.try_emplace(id, since);
      asked_[id] = std::max(since, now_ns);
    }
    if (!incident.is_live()) due.clear();  // nobody is called for what is over
    incident_alarms_.set(id, answer.next_ns.value_or(0));
  }
  // both of the incident as it is before it is noted who is told
  const Told called = tell_by_escalation(*plan_, incident, due, notices, now_ns, overrides_of(upkeep_));
  const Told along = tell_along(*plan_, incident, notices, called, now_ns, overrides_of(upkeep_));
  owe(called, id, out, now_ns);
  owe(along, id, out, now_ns);
}

/// Into the decision, and into the timeline that they are on their way.
void Desk::owe(const Told& told, const std::string& incident, Output& out, std::int64_t now_ns) {
  out.troubles.insert(out.troubles.end(), told.troubles.begin(), told.troubles.end());
  const incident::Incident* about = state_.find(incident);
  if (told.way != Way::unknown && about != nullptr) ways_[about->service] = std::max(ways_[about->service], told.way);
  for (const store::OutboxRow& row : told.rows) {
    out.decision.outbox.push_back(row);
    if (incident.empty()) continue;
    for (const std::string& contact : contacts_of(row.contact))
      feed(incident::Delivery{incident, contact, row.notifier, row.id, {}, incident::Delivery::What::sent}, out, now_ns);
  }
}

}  // namespace ronda::response
