// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/counted.hpp"
#include "base/units.hpp"
#include "incident/document.hpp"
#include "incident/engine_step.hpp"

namespace ronda::incident {
namespace {

/// Keeps the earliest of several instants.
class Earliest {
 public:
  void add(std::int64_t at_ns) {
    if (at_ns != 0 && (!at_ || at_ns < *at_)) at_ = at_ns;
  }
  void add(std::optional<std::int64_t> at_ns) {
    if (at_ns) add(*at_ns);
  }
  std::optional<std::int64_t> take() const { return at_; }

 private:
  std::optional<std::int64_t> at_;
};

bool waits_to_be_told(const Incident& incident) {
  return incident.joined_notice_ns != 0 && incident.was_told && !incident.is_suppressed();
}

/// What still fires, or what a person said if that is higher; none: nothing does.
config::Level eased_level(const Incident& incident) {
  config::Level out = incident.persons_level;
  for (const auto& [alert, member] : incident.members) {
    if (is_higher(member.level, out)) out = member.level;
  }
  return out;
}

/// For how long nothing must have been as high as it is, before the agent lowers it.
std::int64_t ease_after(const Incident& incident, const Settings& settings) {
  const bool came_back = incident.eased_ns != 0 && incident.returned_ns >= incident.eased_ns &&
                         incident.returned_ns - incident.eased_ns < settings.returns_within_ns;
  return came_back ? settings.returns_within_ns : settings.ease_after_ns;
}

/// Of the time since then, how long all of it was hidden.
std::int64_t hidden_since(const Incident& incident, std::int64_t at_ns) {
  std::int64_t out = 0;
  for (const Stretch& one : incident.history.suppressed) out += std::max<std::int64_t>(one.end_ns - std::max(one.begin_ns, at_ns), 0);
  return out;
}

/// When that is so, of time in which somebody watched and nothing hid it; none: not by time alone.
std::optional<std::int64_t> ease_at(const State& state, const Incident& incident, const Settings& settings) {
  if (incident.below.since_ns == 0 || incident.is_flapping) return std::nullopt;
  const config::Level to = eased_level(incident);
  if (to == config::Level::none || !is_higher(incident.level, to)) return std::nullopt;
  const std::int64_t after = ease_after(incident, settings);
  const std::int64_t left = std::max<std::int64_t>(after - incident.below.spent_ns, 0);
  const std::int64_t watched = state.watched_since_ns;
  return std::max(incident.below.since_ns + left, watched + hidden_since(incident, watched) + after);
}

/// Of one that flaps: when it has been still for long enough; none: it does not flap, or its checks come and go.
std::optional<std::int64_t> still_at(const State& state, const Incident& incident, const Settings& settings) {
  if (!incident.is_flapping) return std::nullopt;
  const auto pausing = state.pausing.find(incident.id);
  if (pausing == state.pausing.end()) return incident.moved_ns + settings.settle_ns;
  return pausing->second == 0 ? std::nullopt : std::optional(pausing->second + settings.settle_ns);
}

void add_live(Earliest& out, const State& state, const Incident& incident, const Settings& settings) {
  if (!incident.response_overdue) out.add(incident.respond_by_ns());
  if (!incident.update_overdue) out.add(incident.update_due_ns);
  if (incident.ack) {
    out.add(incident.ack->remind_ns);
    out.add(incident.ack->until_ns);
  }
  if (waits_to_be_told(incident)) out.add(incident.joined_notice_ns);
  out.add(still_at(state, incident, settings));
  out.add(ease_at(state, incident, settings));
}

/// Also after its end: what is owed does not end with it.
void add_tickets(Earliest& out, const Incident& incident) {
  for (const Ticket& one : incident.tickets) {
    if (one.waits() && !one.overdue) out.add(one.owed_ns);
  }
}

void add_over(Earliest& out, const Incident& incident, const Settings& settings) {
  if (incident.any_fires()) return out.add(incident.resolved_ns + settings.still_firing_ns);
  const std::int64_t after = settings.of(incident.peak_level).close_after_ns;
  if (after != 0) out.add(incident.resolved_ns + after);
}

}  // namespace

std::optional<std::int64_t> next_wake(const State& state, const Incident& incident, const Settings& settings) {
  Earliest out;
  if (incident.is_live() || incident.stage == Stage::resolved) add_tickets(out, incident);
  if (incident.is_live())
    add_live(out, state, incident, settings);
  else if (incident.stage == Stage::resolved)
    add_over(out, incident, settings);
  return out.take();
}

std::optional<std::int64_t> next_wake(const State& state, const Settings& settings) {
  Earliest out;
  for (const auto& [id, incident] : state.incidents) out.add(next_wake(state, incident, settings));
  return out.take();
}

void Stepper::on(const Tick&) {
  for (auto& [id, incident] : state_.incidents) {
    if (incident.is_live() || incident.stage == Stage::resolved) watch_tickets(incident);
    if (incident.is_live())
      watch_live(incident);
    else if (incident.stage == Stage::resolved)
      watch_over(incident);
  }
}

void Stepper::watch_live(Incident& incident) {
  if (incident.is_flapping) watch_flapping(incident);
  if (!incident.is_live()) return;
  ease(incident);
  const auto respond_by = incident.respond_by_ns();
  if (!incident.response_overdue && respond_by && *respond_by <= now_) {
    const std::string within = format_duration(Nanos(incident.respond_within_ns));
    const Said late = {"nobody named took it within " + within, "nadie con nombre lo tomó en " + within};
    emit(incident.id, make(Kind::response_overdue, late.en));
    if (incident.is_taken()) remind(incident, late);  // by nobody named, and no step of the escalation comes
  }
  if (!incident.update_overdue && incident.update_due_ns != 0 && incident.update_due_ns <= now_) {
    emit(incident.id, make(Kind::update_overdue));
    remind(incident, {"the next update is due", "toca la próxima actualización"});
  }
  watch_ack(incident);
  if (waits_to_be_told(incident) && incident.joined_notice_ns <= now_) tell_joined(incident);
}

void Stepper::watch_ack(Incident& incident) {
  if (!incident.ack) return;
  const Ack ack = *incident.ack;
  if (ack.until_ns != 0 && ack.until_ns <= now_) {
    emit(incident.id, make(Kind::ack_expired, "no sign of life of " + to_text(ack.author)));
    end_pause_of_nobody(incident);
    if (incident.is_paging())
      owe(incident, notice::escalation, true,
          {"the ack of " + ack.author.name + " has expired", "la toma de " + ack.author.name + " ha vencido"});
    return;
  }
  if (ack.remind_ns == 0 || ack.remind_ns > now_) return;
  Event reminded = make(Kind::ack_reminded);
  // no end will ask: again whenever it is twice as old
  if (ack.until_ns == 0) reminded.remind_ns = now_ + std::max(settings_.of(incident.level).ack_remind_ns, now_ - ack.at_ns);
  emit(incident.id, std::move(reminded));
  const std::string since = format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(now_ - ack.at_ns)));
  remind(incident, {"taken " + since + " ago: is that still so?", "tomado hace " + since + ": ¿sigue siendo así?"});
}

/// The worst is over and something less goes on: the ladder of what was worse calls nobody for that.
void Stepper::ease(Incident& incident) {
  const auto at = ease_at(state_, incident, settings_);
  if (!at || *at > now_) return;
  const config::Level to = eased_level(incident);
  const std::string level(config::level_name(incident.level)), quiet = format_duration(Nanos(ease_after(incident, settings_)));
  Said text = {"nothing of it has been " + level + " for " + quiet, "nada de esto ha sido " + level + " desde hace " + quiet};
  if (incident.any_fires()) {
    const Said names = said_list(firing_names(incident));
    text.en += "; firing: " + names.en;
    text.es += "; fallan: " + names.es;
  }
  Event lowered = make(Kind::lowered, text.en);
  set_level_times(lowered, to);
  emit(incident.id, std::move(lowered));
  const std::string lower(config::level_name(to));
  tell_lowered(incident, {"lowered to " + lower + ": " + text.en, "bajado a " + lower + ": " + text.es});
}

void Stepper::on(const RestlessNow& restless) {
  state_.restless = restless;
  for (const auto& [id, incident] : state_.incidents) follow_restless(incident, restless.calm_since_ns);
  std::erase_if(state_.pausing, [&](const auto& one) { return !state_.incidents.contains(one.first); });
}

/// What people hear of it comes and goes, and nothing grave beside that is broken, or is said to be by a person.
bool Stepper::is_restless(const Incident& incident) const {
  if (incident.by_hand) return false;
  config::Level restless = config::Level::none, steady = incident.persons_level;
  for (const auto& [alert, member] : incident.members) {
    if (!member.fires()) continue;
    const bool comes_and_goes = state_.restless.alerts.contains(alert);
    if (mute_of(state_.mutes, alert, member.check, member.service, member.level) != nullptr) continue;
    if (!comes_and_goes && (is_grave(member.level) || !is_higher(incident.level, member.level))) return false;
    config::Level& worst = comes_and_goes ? restless : steady;
    if (is_higher(member.level, worst)) worst = member.level;
  }
  return is_higher(restless, steady);
}

/// A rule holds what comes and goes at its level, so to the incident it seems to be broken without a break. It is not: who was told of
/// it is called no more until it stays.
void Stepper::follow_restless(const Incident& incident, std::int64_t calm_since_ns) {
  const auto known = state_.pausing.find(incident.id);
  if (incident.is_live() && incident.was_told && !incident.is_suppressed() && is_restless(incident)) {
    if (!incident.is_flapping) emit(incident.id, make(Kind::flapping, "its checks come and go"));
    state_.pausing[incident.id] = 0;
  } else if (known != state_.pausing.end()) {
    if (!incident.is_flapping)
      state_.pausing.erase(known);
    else if (known->second == 0)
      known->second = calm_since_ns == 0 ? now_ : std::max(calm_since_ns, now_ - settings_.settle_ns);
  }
}

/// Who has to be called now is, and where it flaps on the pause begins anew after that.
void Stepper::end_pause(const Incident& incident, std::string why) {
  emit(incident.id, make(Kind::settled, std::move(why)));
}

/// What fires calls once; where all of it is well already, nobody is called for what is over soon.
void Stepper::end_pause_of_nobody(const Incident& incident) {
  if (incident.is_flapping && incident.any_fires() && state_.pausing.contains(incident.id)) end_pause(incident, "nobody has it");
}

/// Still for long enough: it is over, or it is broken for good and calls go on.
void Stepper::watch_flapping(Incident& incident) {
  const auto at = still_at(state_, incident, settings_);
  if (!at || now_ < *at) return;
  const std::string still = format_duration(Nanos(settings_.settle_ns));
  if (!incident.any_fires())
    return resolve(incident, make(Kind::resolved, "recovered, and still for " + still),
                   {"recovered, and still for " + still, "se ha recuperado, y lleva " + still + " en calma"});
  emit(incident.id, make(Kind::settled, "fires without a break for " + still));
  ease(incident);
  if (incident.is_paging())
    owe(incident, notice::escalation, true, {"fires without a break for " + still, "falla sin pausa desde hace " + still});
}

void Stepper::tell_joined(Incident& incident) {
  const std::size_t count = incident.joined_untold;
  const Said names = said_list(firing_names(incident));
  owe(incident, notice::update, false,
      {counted(count, "more alert") + "; firing: " + names.en,
       std::to_string(count) + (count == 1 ? " alerta más" : " alertas más") + "; fallan: " + names.es});
}

void Stepper::watch_over(Incident& incident) {
  if (incident.any_fires()) {
    if (now_ - incident.resolved_ns < settings_.still_firing_ns) return;
    config::Level worst = config::Level::none;
    for (const auto& [alert, member] : incident.members) {
      if (is_higher(member.level, worst)) worst = member.level;
    }
    const Said names = said_list(firing_names(incident));
    reopen(incident, worst, "still firing: " + names.en);
    follow_mutes(incident);
    if (!incident.is_suppressed())
      owe(incident, notice::open, true, {"again: still firing: " + names.en, "otra vez: siguen fallando: " + names.es});
    return;
  }
  const std::int64_t after = settings_.of(incident.peak_level).close_after_ns;
  if (after == 0 || now_ - incident.resolved_ns < after) return;
  std::string lacks;
  for (const std::string_view part : missing_parts(incident.review, incident.peak_level))
    lacks += (lacks.empty() ? "its review lacks " : ", ") + std::string(part);
  emit(incident.id, make(Kind::closed, incident.review.empty() ? "without a review" : lacks));
}

}  // namespace ronda::incident
