// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/counted.hpp"
#include "base/units.hpp"
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

void add_live(Earliest& out, const Incident& incident, const Settings& settings) {
  if (!incident.response_overdue) out.add(incident.respond_by_ns());
  if (!incident.update_overdue) out.add(incident.update_due_ns);
  if (incident.ack) {
    out.add(incident.ack->remind_ns);
    out.add(incident.ack->until_ns);
  }
  if (waits_to_be_told(incident)) out.add(incident.joined_notice_ns);
  if (incident.is_flapping) out.add(incident.moved_ns + settings.settle_ns);
}

void add_over(Earliest& out, const Incident& incident, const Settings& settings) {
  if (incident.any_fires()) return out.add(incident.resolved_ns + settings.still_firing_ns);
  const std::int64_t after = settings.of(incident.peak_level).close_after_ns;
  if (after != 0) out.add(incident.resolved_ns + after);
}

}  // namespace

std::optional<std::int64_t> next_wake(const State& state, const Settings& settings) {
  Earliest out;
  for (const auto& [id, incident] : state.incidents) {
    if (incident.is_live())
      add_live(out, incident, settings);
    else if (incident.stage == Stage::resolved)
      add_over(out, incident, settings);
  }
  return out.take();
}

void Stepper::on(const Tick&) {
  for (auto& [id, incident] : state_.incidents) {
    if (incident.is_live())
      watch_live(incident);
    else if (incident.stage == Stage::resolved)
      watch_over(incident);
  }
}

void Stepper::watch_live(Incident& incident) {
  if (incident.is_flapping) watch_flapping(incident);
  if (!incident.is_live()) return;
  const auto respond_by = incident.respond_by_ns();
  if (!incident.response_overdue && respond_by && *respond_by <= now_)
    emit(incident.id, make(Kind::response_overdue, "nobody named took it within " + format_duration(Nanos(incident.respond_within_ns))));
  if (!incident.update_overdue && incident.update_due_ns != 0 && incident.update_due_ns <= now_) {
    emit(incident.id, make(Kind::update_overdue));
    const auto owner = owner_of(incident);
    if (!owner.empty()) owe(incident, notice::reminder, false, {"the next update is due", "toca la próxima actualización"}, owner);
  }
  watch_ack(incident);
  if (waits_to_be_told(incident) && incident.joined_notice_ns <= now_) tell_joined(incident);
}

void Stepper::watch_ack(Incident& incident) {
  if (!incident.ack) return;
  const Ack ack = *incident.ack;
  if (ack.until_ns != 0 && ack.until_ns <= now_) {
    emit(incident.id, make(Kind::ack_expired, "no sign of life of " + to_text(ack.author)));
    if (incident.is_paging())
      owe(incident, notice::escalation, true,
          {"the ack of " + ack.author.name + " has expired", "la toma de " + ack.author.name + " ha vencido"});
    return;
  }
  if (ack.remind_ns == 0 || ack.remind_ns > now_) return;
  emit(incident.id, make(Kind::ack_reminded));
  const auto owner = owner_of(incident);
  const std::string since = format_duration(std::chrono::floor<std::chrono::seconds>(Nanos(now_ - ack.at_ns)));
  if (!owner.empty())
    owe(incident, notice::reminder, false, {"taken " + since + " ago: is that still so?", "tomado hace " + since + ": ¿sigue siendo así?"},
        owner);
}

/// Still for long enough: it is over, or it is broken for good and calls go on.
void Stepper::watch_flapping(Incident& incident) {
  if (now_ - incident.moved_ns < settings_.settle_ns) return;
  const std::string still = format_duration(Nanos(settings_.settle_ns));
  if (!incident.any_fires())
    return resolve(incident, make(Kind::resolved, "recovered, and still for " + still),
                   {"recovered, and still for " + still, "se ha recuperado, y lleva " + still + " en calma"});
  emit(incident.id, make(Kind::settled, "fires without a break for " + still));
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
  if (after != 0 && now_ - incident.resolved_ns >= after)
    emit(incident.id, make(Kind::closed, incident.review.empty() ? "without a review" : ""));
}

}  // namespace ronda::incident
