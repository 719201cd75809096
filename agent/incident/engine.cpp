// SPDX-License-Identifier: Apache-2.0
#include "incident/engine.hpp"

#include <algorithm>

#include "base/counted.hpp"
#include "base/units.hpp"
#include "incident/engine_step.hpp"

namespace ronda::incident {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
}

void index_alert(State& state, const Incident& incident, const Event& event) {
  const auto found = state.by_alert.find(event.alert);
  if (incident.members.at(event.alert).fires())
    state.by_alert[event.alert] = incident.id;
  else if (found != state.by_alert.end() && found->second == incident.id)
    state.by_alert.erase(found);
  if (!incident.is_live()) return;
  state.by_check[event.check].insert(incident.id);
  if (event.blocked && !event.subject.empty()) state.by_check[event.subject].insert(incident.id);
}

void index_live(State& state, const Incident& incident) {
  if (incident.by_hand) state.by_hand.insert(incident.id);
  if (!incident.cause.empty()) state.by_cause[incident.cause].insert(incident.id);
  for (const std::string& check : incident.checks) state.by_check[check].insert(incident.id);
}

void take_out(Index& index, const std::string& key, const std::string& id) {
  const auto found = index.find(key);
  if (found == index.end()) return;
  found->second.erase(id);
  if (found->second.empty()) index.erase(found);
}

void unindex_live(State& state, const Incident& incident) {
  state.by_hand.erase(incident.id);
  for (const std::string& check : incident.checks) take_out(state.by_check, check, incident.id);
}

}  // namespace

const Incident* State::find(std::string_view id) const {
  const auto found = incidents.find(id);
  return found == incidents.end() ? nullptr : &found->second;
}

std::vector<Firing> State::firing(const Settings& settings) const {
  std::vector<Firing> out;
  for (const auto& [alert, id] : by_alert) {
    const Incident& incident = incidents.at(id);
    const Member& member = incident.members.at(alert);
    Firing firing{alert, member.check, member.service, id, member.level, {}};
    const auto tags = settings.tags.find(member.check);
    if (tags != settings.tags.end()) firing.tags = tags->second;
    out.push_back(std::move(firing));
  }
  for (const std::string& id : by_hand) {
    const Incident& incident = incidents.at(id);
    // what fires in it may be less than what people say it is
    const bool is_shown = std::ranges::any_of(incident.members, [&](const auto& one) {
      return one.second.fires() && !is_higher(incident.level, one.second.level);
    });
    if (!is_shown) out.push_back({{}, {}, incident.service, id, incident.level, {}, incident.title});
  }
  return out;
}

void apply(State& state, const Event& event) {
  auto found = state.incidents.find(event.incident);
  if (found == state.incidents.end()) {
    if (event.kind != Kind::opened) return;  // what it begins with has been dropped
    found = state.incidents.try_emplace(event.incident).first;
  }
  Incident& incident = found->second;
  if (event.sequence <= incident.sequence) return;  // has been taken in
  const bool was_live = incident.sequence != 0 && incident.is_live();
  apply(incident, event);
  if (incident.members.contains(event.alert)) index_alert(state, incident, event);
  if (incident.is_live() && !was_live) index_live(state, incident);
  if (!incident.is_live() && was_live) unindex_live(state, incident);
  if (incident.stage == Stage::closed) take_out(state.by_cause, incident.cause, incident.id);
}

const Incident* State::find_cause(std::string_view cause) const {
  const auto same = by_cause.find(cause);
  if (same == by_cause.end()) return nullptr;
  const Incident* out = nullptr;
  for (const std::string& id : same->second) {
    const Incident* one = find(id);
    if (one->is_live()) return one;
    if (out == nullptr || one->resolved_ns > out->resolved_ns) out = one;
  }
  return out;
}

State restore(std::span<const Event> events, std::vector<Mute> mutes) {
  State state;
  state.mutes = std::move(mutes);
  for (const Event& event : events) apply(state, event);
  index_alerts(state);
  return state;
}

// Of an alert that went on in another incident, that one's join may be read before the leave of the first.
void index_alerts(State& state) {
  state.by_alert.clear();
  for (const auto& [id, incident] : state.incidents) {
    for (const auto& [alert, member] : incident.members) {
      if (!member.fires()) continue;
      const auto [found, is_first] = state.by_alert.try_emplace(alert, id);
      if (!is_first && member.changed_ns > state.incidents.at(found->second).members.at(alert).changed_ns) found->second = id;
    }
  }
}

bool has_doubles(const State& state) {
  for (const auto& [id, incident] : state.incidents) {
    for (const auto& [alert, member] : incident.members) {
      const auto found = state.by_alert.find(alert);
      if (incident.is_live() && member.fires() && (found == state.by_alert.end() || found->second != id)) return true;
    }
  }
  return false;
}

std::int64_t last_change_ns(const State& state) {
  std::int64_t out = 0;
  for (const auto& [id, incident] : state.incidents) out = std::max(out, incident.changed_ns);
  return out;
}

void drop_closed(State& state, std::int64_t before_ns) {
  std::erase_if(state.incidents,
                [&](const auto& entry) { return entry.second.stage == Stage::closed && entry.second.changed_ns < before_ns; });
}

Outcome step(State& state, const Settings& settings, const Input& input, std::int64_t now_ns, const Entropy& entropy) {
  Stepper stepper(state, settings, now_ns, entropy);
  std::visit([&](const auto& one) { stepper.on(one); }, input);
  return stepper.take();
}

Event Stepper::make(Kind kind, std::string text) const {
  Event event;
  event.kind = kind;
  event.source = "engine";
  event.text = std::move(text);
  return event;
}

Event Stepper::make(Kind kind, const Command& command) const {
  Event event = make(kind, command.text);
  event.author = command.author;
  event.source = command.source;
  return event;
}

Incident& Stepper::emit(const std::string& id, Event event) {
  const Incident* known = state_.find(id);
  event.incident = id;
  event.sequence = known == nullptr ? 1 : known->sequence + 1;
  event.at_ns = known == nullptr ? now_ : std::max(now_, known->changed_ns);
  event.host = settings_.host;
  bound(event);
  apply(state_, event);
  // another pause is another one
  if (event.kind == Kind::flapping || event.kind == Kind::settled || event.kind == Kind::resolved) state_.pausing.erase(id);
  outcome_.events.push_back(std::move(event));
  return state_.incidents.find(id)->second;
}

Incident* Stepper::find(const std::string& id) {
  const auto found = state_.incidents.find(id);
  return found == state_.incidents.end() ? nullptr : &found->second;
}

void Stepper::owe(Incident& incident, std::string_view event, bool page, Said reason, std::vector<std::string> contacts) {
  Notice notice;
  notice.incident = incident.id;
  notice.event = event;
  notice.level = incident.level;
  notice.contacts = std::move(contacts);
  const bool is_asked_of_step = event == notice::reminder;
  if (!page && !is_asked_of_step && notice.contacts.empty()) {
    notice.contacts.assign(incident.told.begin(), incident.told.end());
    notice.notifiers.assign(incident.last_resorts.begin(), incident.last_resorts.end());
  }
  notice.page = page;
  notice.group = incident.group();
  notice.count = std::max<std::uint32_t>(incident.joined_untold, 1);
  if (event == notice::update) notice.supersedes = incident.id + ":update";
  notice.author = by_;
  Event owed = make(Kind::notice_owed, reason.en);
  owed.subject = event;
  owed.page = page;
  notice.reason = std::move(reason.en);
  notice.reason_es = std::move(reason.es);
  emit(incident.id, std::move(owed));
  notice.sequence = incident.sequence;
  notice.at_ns = incident.changed_ns;
  outcome_.effects.emplace_back(std::move(notice));
}

/// Whoever has it. Where that is nobody who can be asked, calls have stopped all the same, and those are asked whom the
/// escalation has reached; while nobody has it, it calls them itself.
void Stepper::remind(Incident& incident, Said reason) {
  std::vector<std::string> owner = owner_of(incident);
  if (owner.empty() && (!incident.is_taken() || incident.is_suppressed())) return;
  owe(incident, notice::reminder, false, std::move(reason), std::move(owner));
}

void Stepper::set_level_times(Event& event, config::Level level) const {
  const LevelTimes& times = settings_.of(level);
  event.level = level;
  event.within_ns = times.respond_within_ns;
  if (times.update_every_ns != 0) event.due_ns = now_ + times.update_every_ns;
}

std::string Stepper::unused_id() const {
  std::string id = make_id(now_, entropy_.id);
  for (std::uint64_t more = 1; state_.incidents.contains(id); ++more) id = make_id(now_, entropy_.id + more);
  return id;
}

Incident& Stepper::open(Event opened) {
  const std::string id = unused_id();
  opened.war_room = settings_.war_room;
  replace_all(opened.war_room, "{id}", id);
  replace_all(opened.war_room, "{random}", random_word(entropy_.room, 12));
  return emit(id, std::move(opened));
}

void Stepper::on(const Delivery& delivery) {
  if (find(delivery.incident) == nullptr) return;
  constexpr Kind kinds[] = {Kind::notice_sent, Kind::notice_delivered, Kind::notice_failed};
  Event event = make(kinds[static_cast<std::size_t>(delivery.what)], delivery.text);
  event.source = "outbox";
  event.subject = delivery.contact;
  event.channel = delivery.channel;
  event.message = delivery.message;
  emit(delivery.incident, std::move(event));
}

/// What is closed stays as it was. What hides an incident and would have ended in the time that was left out ends now.
void Stepper::on(const ClockSet& set) {
  for (Mute& mute : state_.mutes) {
    if (mute.until_ns < now_) mute.until_ns = 0;
  }
  for (auto& [id, since_ns] : state_.pausing) {
    if (since_ns != 0) since_ns += set.by_ns;
  }
  std::vector<std::string> open;
  for (const auto& [id, incident] : state_.incidents) {
    if (incident.stage != Stage::closed) open.push_back(id);
  }
  const std::string by = format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(set.by_ns)));
  for (const std::string& id : open) {
    Event event = make(Kind::clock_set, "forward by " + by);
    event.effective_ns = now_ - set.by_ns;
    emit(id, std::move(event));
  }
}

void Stepper::on(const Diagnosis& diagnosis) {
  if (find(diagnosis.incident) == nullptr) return;
  Event event = make(Kind::diagnosis, diagnosis.output);
  event.source = "diagnosis";  // it is a plugin's text, not the engine's
  event.subject = diagnosis.name;
  emit(diagnosis.incident, std::move(event));
}

Said said_list(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() <= most) return out;
  const std::string more = std::to_string(names.size() - most);
  return {out + " and " + more + " more", out + " y " + more + " más"};
}

std::string listed(const std::vector<std::string>& names) {
  return said_list(names).en;
}

std::vector<std::string> firing_names(const Incident& incident) {
  std::vector<std::string> out;
  for (const auto& [alert, member] : incident.members) {
    if (member.fires()) out.push_back(alert);
  }
  return out;
}

std::vector<std::string> owner_of(const Incident& incident) {
  if (incident.ack && incident.ack->author.is_named()) return {incident.ack->author.name};
  const auto commander = incident.roles.find("commander");
  if (commander != incident.roles.end()) return {commander->second.contact};
  return {};
}

}  // namespace ronda::incident
