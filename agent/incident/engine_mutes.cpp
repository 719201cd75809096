// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "incident/alert_names.hpp"
#include "incident/engine_step.hpp"

namespace ronda::incident {

bool Mute::covers(const Subject& subject) const {
  if (is_of_lost_messages(subject.alert)) return false;
  return all || std::ranges::any_of(what, [&](const Matcher& one) { return one.covers(subject); });
}

const Mute* Stepper::mute_of(const std::vector<Mute>& mutes, const std::string& alert, const std::string& check, const std::string& service,
                             config::Level level) const {
  if (mutes.empty()) return nullptr;
  const auto tags = settings_.tags.find(check);
  const Subject subject{alert, check, service, level, tags == settings_.tags.end() ? std::span<const std::string>() : tags->second};
  const auto found = std::ranges::find_if(mutes, [&](const Mute& mute) { return mute.covers(subject); });
  return found == mutes.end() ? nullptr : &*found;
}

/// What covers all of it: the mute of its worst alert when every firing one has a mute; null: nothing, or something is heard.
const Mute* Stepper::mute_of(const Incident& incident) const {
  if (state_.mutes.empty()) return nullptr;
  if (!incident.any_fires()) return incident.by_hand ? mute_of(state_.mutes, {}, {}, incident.service, incident.level) : nullptr;
  const Mute* of_worst = nullptr;
  config::Level worst = config::Level::none;
  for (const auto& [alert, member] : incident.members) {
    if (!member.fires()) continue;
    const Mute* mute = mute_of(state_.mutes, alert, member.check, member.service, member.level);
    if (mute == nullptr) return nullptr;
    if (is_higher(member.level, worst)) of_worst = mute, worst = member.level;
  }
  return of_worst;
}

/// Without asking all of its alerts, or a storm that is hidden would cost the square of its size: what hides an incident hides
/// all that fires in it, until the mutes change; with a single one the name cannot change either.
bool Stepper::stays_hidden(const Incident& incident, const std::string& moved) const {
  if (state_.mutes.size() != 1 || incident.suppressed_by != state_.mutes.front().name || !incident.any_fires()) return false;
  const auto found = incident.members.find(moved);
  if (found == incident.members.end() || !found->second.fires()) return true;
  const Member& member = found->second;
  return mute_of(state_.mutes, moved, member.check, member.service, member.level) != nullptr;
}

void Stepper::follow_mutes_for(Incident& incident, const std::string& moved) {
  if (!stays_hidden(incident, moved)) follow_mutes(incident);
}

void Stepper::follow_mutes(Incident& incident, std::int64_t effective_ns) {
  if (!incident.is_live()) return;
  // It flaps, and is still now: what hid it goes on, or it would come out between two alarms, or with the next start.
  const bool is_still = !incident.any_fires() && !incident.by_hand;
  if (is_still && std::ranges::find(state_.mutes, incident.suppressed_by, &Mute::name) != state_.mutes.end()) return;
  const Mute* mute = mute_of(incident);
  if (mute == nullptr && incident.is_suppressed()) {
    const std::string was = incident.suppressed_by;
    Event event = make(Kind::unsuppressed);
    event.subject = was;
    event.effective_ns = effective_ns;
    emit(incident.id, std::move(event));
    return come_out(incident, was);
  }
  if (mute == nullptr || incident.suppressed_by == mute->name) return;
  Event event = make(Kind::suppressed);
  event.subject = mute->name;
  event.until_ns = mute->until_ns;
  emit(incident.id, std::move(event));
}

/// Nothing hides it any more: what is still broken is told, unless somebody has it.
void Stepper::come_out(Incident& incident, const std::string& was) {
  if (!incident.any_fires() && !incident.by_hand) return;  // it flaps, and is still now
  config::Level loudest = incident.persons_level;
  for (const auto& [alert, member] : incident.members) {
    const bool is_heard = mute_of(state_.mutes, alert, member.check, member.service, member.level) == nullptr;
    if (is_heard && is_higher(member.level, loudest)) loudest = member.level;
  }
  if (!incident.was_told && loudest != config::Level::none && is_higher(incident.level, loudest)) {
    Event lowered = make(Kind::lowered, "what was worse is over or still hidden");
    set_level_times(lowered, loudest);
    emit(incident.id, std::move(lowered));
  }
  if (!incident.is_paging()) return;
  if (incident.was_told) return owe(incident, notice::escalation, true, {"still broken after " + was, "sigue fallando tras " + was});
  const std::string what = headline_of(incident);
  owe(incident, notice::open, true, {"hidden until now by " + was + ": " + what, "oculto hasta ahora por " + was + ": " + what});
}

void Stepper::on(const MutesNow& now) {
  const std::vector<Mute> before = std::move(state_.mutes);
  state_.mutes = now.mutes;  // also where they are the same: what hid an incident may have ended while no agent ran
  for (auto& [id, incident] : state_.incidents) {
    if (!incident.is_live()) continue;
    config::Level heard = config::Level::none;  // the worst that can be heard from now on
    for (const auto& [alert, member] : incident.members) {
      const bool was_muted = incident.is_suppressed() || mute_of(before, alert, member.check, member.service, member.level) != nullptr;
      const bool is_muted = mute_of(state_.mutes, alert, member.check, member.service, member.level) != nullptr;
      if (was_muted && !is_muted && is_higher(member.level, heard)) heard = member.level;
    }
    if (is_higher(heard, incident.level)) raise(incident, heard, make(Kind::raised, "what was hidden is worse"));
    std::int64_t effective_ns = 0;
    for (const Mute& mute : before) {
      if (mute.name == incident.suppressed_by && mute.until_ns > 0 && mute.until_ns < now_) effective_ns = mute.until_ns;
    }
    follow_mutes(incident, effective_ns);
  }
}

}  // namespace ronda::incident
