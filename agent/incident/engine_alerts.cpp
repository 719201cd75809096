// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "base/counted.hpp"
#include "incident/engine_step.hpp"
#include "rule/objective.hpp"

namespace ronda::incident {
namespace {

Said recovered() {
  return {"recovered", "se ha recuperado"};
}

Said again(const std::string& what) {
  return {"again: " + what, "otra vez: " + what};
}

std::string headline(const rule::Change& change) {
  if (!change.title.empty()) return change.title;
  return change.reason.empty() ? change.alert : change.alert + ": " + change.reason;
}

/// The one at the highest level that fires, of the incident's root first; empty: none does.
std::string gravest_alert(const Incident& incident) {
  const std::pair<const std::string, Member>* found = nullptr;
  const auto rank = [&](const auto& one) { return std::pair(one.second.level, one.second.check != incident.root); };
  for (const auto& one : incident.members) {
    if (one.second.fires() && (found == nullptr || rank(one) < rank(*found))) found = &one;
  }
  return found == nullptr ? std::string() : found->first;
}

}  // namespace

/// What an alert brings has the name of whoever judged it: a rule, or somebody outside. A raise stays the agent's own: no
/// person's command can be in conflict with it.
void Stepper::sign(Event& event) const {
  event.source = source_;
  if (event.kind != Kind::raised) event.author = judge_;
}

void Stepper::on(const rule::Change& change) {
  if (!change.source.empty()) source_ = change.source;
  if (auto author = parse_author(change.author)) judge_ = *std::move(author);
  using What = rule::Change::What;
  switch (change.what) {
    case What::fired:
    case What::level_changed:
      if (change.to == config::Level::none) return end(change);
      come(change);
      return note_impact(change);
    case What::resolved:
      return end(change);
    case What::blocked:
      return block(change);
    case What::unblocked:
      return unblock(change);
    case What::no_data:
    case What::data_back:
      return remark(change);
  }
}

void Stepper::end(const rule::Change& change) {
  const auto found = state_.by_alert.find(change.alert);
  if (found == state_.by_alert.end()) return;
  Incident& incident = *find(found->second);
  leave(incident, change.alert, change.reason.empty() ? "recovered" : change.reason);
  after_leave(incident, recovered());
}

void Stepper::come(const rule::Change& change) {
  const auto found = state_.by_alert.find(change.alert);
  if (found != state_.by_alert.end()) return change_member(*find(found->second), change);
  const Target target = target_of(change);
  if (target.incident == nullptr) return open_for(change);
  if (target.is_back) {
    const config::Level peak = target.incident->peak_level;
    reopen(*target.incident, change.to, headline(change));
    look_into(*target.incident, peak, change.alert);
  }
  join(*target.incident, change);
}

/// What an objective promised is burning: that hurts whoever it was promised to, whether or not a person says so.
void Stepper::note_impact(const rule::Change& change) {
  if (!change.alert.starts_with(rule::slo_prefix) || !is_grave(change.to)) return;
  Incident& incident = *find(state_.by_alert.at(change.alert));
  const auto is_said = [](const History::Impact& one) { return one.tag == sla_impact; };
  if (std::ranges::any_of(incident.history.impacts, is_said)) return;
  Event event = make(Kind::impact, "the objective " + change.alert.substr(rule::slo_prefix.size()) + " burns");
  event.subject = sla_impact;
  emit(incident.id, std::move(event));
}

/// It waits for another check. What fired goes on, at its level, in the incident of the cause; where that has none it stays
/// where it is, and the cause's own alert joins it there. What did not fire is only listed, unless nobody was told of the cause.
void Stepper::block(const rule::Change& change) {
  Incident* target = incident_about(change.blocked_by);
  const auto found = state_.by_alert.find(change.alert);
  rule::Change waiting = change;
  if (found == state_.by_alert.end()) {
    if (change.to != config::Level::none) return target == nullptr ? come(change) : join(*target, change);
    if (target == nullptr) return;
    const auto member = target->members.find(change.alert);
    if (member != target->members.end() && member->second.blocked) return;
    waiting.to = config::Level::none;
    emit(target->id, member_event(Kind::alert_joined, waiting));
    return;
  }
  Incident& where = *find(found->second);
  waiting.to = where.members.at(change.alert).level;
  waiting.title = where.members.at(change.alert).title;  // that it waits is no other trouble
  waiting.said = where.members.at(change.alert).said;
  if (target == nullptr || target == &where || !where.is_live()) return change_member(where, waiting);
  const std::string goes_on_in = target->id;
  leave(where, change.alert, "blocked by " + change.blocked_by, goes_on_in);
  join(*target, waiting);
  after_leave(where, {"goes on in " + goes_on_in, "sigue en " + goes_on_in}, goes_on_in);
}

/// It is judged anew: what it was before says nothing.
void Stepper::unblock(const rule::Change& change) {
  const auto found = state_.by_alert.find(change.alert);
  if (found != state_.by_alert.end()) {
    Incident& incident = *find(found->second);
    if (!incident.members.at(change.alert).blocked) return;
    leave(incident, change.alert, change.reason);
    return after_leave(incident, recovered());
  }
  for (auto& [id, incident] : state_.incidents) {
    const auto member = incident.members.find(change.alert);
    if (incident.is_live() && member != incident.members.end() && member->second.blocked)
      return leave(incident, change.alert, change.reason);
  }
}

/// Nothing is known of it, or again: its level stays.
void Stepper::remark(const rule::Change& change) {
  const auto found = state_.by_alert.find(change.alert);
  if (found == state_.by_alert.end()) return;
  Event event = make(Kind::note, headline(change));
  sign(event);
  emit(found->second, std::move(event));
}

/// The live one whose root the check is; else one that has to do with it.
Incident* Stepper::incident_about(const std::string& check) {
  const auto found = state_.by_check.find(check);
  if (found == state_.by_check.end()) return nullptr;
  Incident* out = nullptr;
  for (const std::string& id : found->second) {
    Incident* one = find(id);
    if (one->is_root(check)) return one;
    if (out == nullptr) out = one;
  }
  return out;
}

Stepper::Target Stepper::target_of(const rule::Change& change) {
  Incident* about = incident_about(change.check);
  if (about != nullptr && (about->is_root(change.check) || about->parents.contains(change.check))) return {about, false};
  const Incident* same = state_.find_cause(cause_of(change.service, change.check));
  if (same == nullptr || (!same->is_live() && !may_reopen(*same))) return {};
  return {find(same->id), !same->is_live()};
}

/// One that was resolved against firing alerts is never left for a new one.
bool Stepper::may_reopen(const Incident& incident) const {
  return incident.stage == Stage::resolved && (incident.any_fires() || now_ - incident.resolved_ns <= settings_.reopen_within_ns);
}

Event Stepper::member_event(Kind kind, const rule::Change& change) const {
  Event event = make(kind, change.reason);
  sign(event);
  event.alert = change.alert;
  event.check = change.check;
  event.title = change.title;
  if (!change.said.empty()) event.fields.emplace_back(said_field, change.said);
  event.service = change.service;
  event.level = change.to;
  event.blocked = change.what == rule::Change::What::blocked;
  if (event.blocked) event.subject = change.blocked_by;
  event.muted = mute_of(state_.mutes, change.alert, change.check, change.service, change.to) != nullptr;
  return event;
}

void Stepper::open_for(const rule::Change& change) {
  Event opened = make(Kind::opened, headline(change));
  sign(opened);
  opened.service = change.service;
  opened.root = change.check;
  opened.subject = cause_of(change.service, change.check);
  set_level_times(opened, change.to);
  Incident& incident = open(std::move(opened));
  emit(incident.id, member_event(Kind::alert_joined, change));
  follow_mutes(incident);
  if (!incident.is_suppressed()) owe(incident, notice::open, true, headline(change));
  look_into(incident, config::Level::none, change.alert);
}

/// At the level of what came: what was worse is over, and those whom it woke are not called for less. What a person resolved
/// and is worse and still fires is not over: nothing would raise the incident for it any more.
void Stepper::reopen(Incident& incident, config::Level level, std::string text) {
  for (const auto& [alert, member] : incident.members) {
    const bool is_heard = mute_of(state_.mutes, alert, member.check, member.service, member.level) == nullptr;
    if (is_heard && is_higher(member.level, level)) level = member.level;
  }
  Event event = make(Kind::reopened, text);
  sign(event);
  set_level_times(event, level);
  emit(incident.id, std::move(event));
}

void Stepper::join(Incident& incident, const rule::Change& change) {
  Event event = member_event(Kind::alert_joined, change);
  const bool is_raise = !event.muted && is_higher(change.to, incident.level);
  const bool is_back = !incident.was_told && incident.opened_count > 1;
  if (incident.was_told && !incident.is_suppressed() && !is_raise)
    event.due_ns = incident.joined_notice_ns != 0 ? incident.joined_notice_ns : now_ + settings_.gather_ns;
  emit(incident.id, std::move(event));
  if (is_raise) {
    Event raised = make(Kind::raised, headline(change));
    sign(raised);
    raise(incident, change.to, std::move(raised), change.alert);
  }
  follow_mutes_for(incident, change.alert);
  if (is_back && !incident.was_told && incident.is_paging()) owe(incident, notice::open, true, again(headline(change)));
}

void Stepper::change_member(Incident& incident, const rule::Change& change) {
  const Member& member = incident.members.at(change.alert);
  const config::Level before = member.level;
  const bool is_blocked = change.what == rule::Change::What::blocked;
  if (before == change.to && member.blocked == is_blocked && (!is_blocked || member.blocker == change.blocked_by)) return;
  Event event = member_event(Kind::alert_changed, change);
  const bool is_muted = event.muted;
  const bool was_muted = mute_of(state_.mutes, change.alert, member.check, member.service, before) != nullptr;
  emit(incident.id, std::move(event));
  if (!incident.is_live()) {  // a person resolved it; what gets worse is not
    if (!is_higher(change.to, before)) return;
    const config::Level peak = incident.peak_level;
    reopen(incident, change.to, headline(change));
    look_into(incident, peak, change.alert);
    follow_mutes(incident);
    if (!incident.is_suppressed()) owe(incident, notice::open, true, again(headline(change)));
    return;
  }
  // where only its worse level was hidden, it is heard from now on though it has become less
  if (!is_muted && (was_muted || is_higher(change.to, before)) && is_higher(change.to, incident.level)) {
    Event raised = make(Kind::raised, headline(change));
    sign(raised);
    raise(incident, change.to, std::move(raised), change.alert);
  }
  follow_mutes_for(incident, change.alert);
}

/// Once: what was grave before has been looked into.
void Stepper::look_into(const Incident& incident, config::Level before, const std::string& alert) {
  if (!is_grave(incident.level) || is_grave(before) || alert.empty()) return;
  outcome_.effects.emplace_back(Diagnose{incident.id, alert});
}

void Stepper::raise(Incident& incident, config::Level level, Event event, const std::string& alert) {
  const std::string text = event.text;
  const config::Level peak = incident.peak_level;
  if (incident.is_flapping && incident.any_fires()) end_pause(incident, "raised to " + std::string(config::level_name(level)));
  if (incident.is_taken()) {
    const std::string had = std::string(config::level_name(incident.level));
    emit(incident.id, make(Kind::unacked, "raised to " + std::string(config::level_name(level)) + ", it was taken at " + had));
  }
  set_level_times(event, level);
  emit(incident.id, std::move(event));
  look_into(incident, peak, alert.empty() ? gravest_alert(incident) : alert);
  if (!incident.is_paging()) return;  // hidden, or it flaps and is still now
  const std::string rest = std::string(config::level_name(level)) + (text.empty() ? "" : ": " + text);
  owe(incident, incident.was_told ? notice::escalation : notice::open, true, {"raised to " + rest, "subido a " + rest});
}

void Stepper::leave(Incident& incident, const std::string& alert, std::string text, const std::string& goes_on_in) {
  const Member& member = incident.members.at(alert);
  Event event = make(Kind::alert_left, std::move(text));
  sign(event);
  event.alert = alert;
  event.check = member.check;
  event.service = member.service;
  event.message = goes_on_in;
  emit(incident.id, std::move(event));
}

void Stepper::after_leave(Incident& incident, const Said& reason, const std::string& goes_on_in) {
  if (!incident.is_live()) return;
  if (incident.any_fires()) return follow_mutes_for(incident, {});
  if (incident.by_hand) {
    if (!incident.is_suppressed())
      owe(incident, notice::update, false,
          {"all alerts have recovered; it was opened by hand and is to be resolved so",
           "todas las alertas se han recuperado; se abrió a mano y a mano ha de resolverse"});
    return follow_mutes(incident);  // what hid its alerts need not hide it
  }
  if (goes_on_in.empty() && incident.opened_count > 1) {
    if (!incident.is_flapping) emit(incident.id, make(Kind::flapping, "came and went " + counted(incident.opened_count, "time")));
    return;
  }
  Event event = make(Kind::resolved, reason.en);
  event.message = goes_on_in;
  resolve(incident, std::move(event), reason);
}

void Stepper::resolve(Incident& incident, Event event, Said notice) {
  const bool was_told = incident.was_told;
  emit(incident.id, std::move(event));
  if (was_told) owe(incident, notice::resolve, false, std::move(notice));
}

void Stepper::on(const Removed& removed) {
  const auto found = state_.by_alert.find(removed.alert);
  if (found != state_.by_alert.end()) {
    Incident& incident = *find(found->second);
    leave(incident, removed.alert, "config removed");
    close_removed(incident, removed.alert);
    return;
  }
  // one that waits for its alert to settle would do so for ever
  for (auto& [id, incident] : state_.incidents) {
    if (incident.is_live() && incident.members.contains(removed.alert)) return close_removed(incident, removed.alert);
  }
}

void Stepper::on(const Recalled& recalled) {
  std::set<std::string_view> fresh;
  for (const Event& event : recalled.events) {
    if (fresh.contains(event.incident) || find(event.incident) == nullptr) {
      fresh.insert(event.incident);
      apply(state_, event);
    }
  }
  index_alerts(state_);
  std::vector<std::pair<std::string, std::string>> doubles;  // incident, alert
  for (const auto& [id, incident] : state_.incidents) {
    for (const auto& [alert, member] : incident.members) {
      if (incident.is_live() && member.fires() && state_.by_alert.at(alert) != id) doubles.emplace_back(id, alert);
    }
  }
  for (const auto& [id, alert] : doubles) {
    Incident& incident = *find(id);
    const std::string goes_on_in = state_.by_alert.at(alert);
    leave(incident, alert, "goes on in " + goes_on_in, goes_on_in);
    after_leave(incident, {"goes on in " + goes_on_in, "sigue en " + goes_on_in}, goes_on_in);
  }
}

void Stepper::close_removed(Incident& incident, const std::string& alert) {
  if (!incident.is_live()) return;
  if (incident.any_fires()) return follow_mutes(incident);
  if (incident.by_hand) return;
  const bool was_told = incident.was_told;
  emit(incident.id, make(Kind::closed, "config removed"));
  if (was_told)
    owe(incident, notice::resolve, false,
        {"closed: alert `" + alert + "` was removed from the configuration",
         "cerrado: la alerta `" + alert + "` ya no está en la configuración"});
}

}  // namespace ronda::incident
