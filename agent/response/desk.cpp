// SPDX-License-Identifier: Apache-2.0
#include "response/desk.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "response/clock.hpp"
#include "response/message.hpp"

namespace ronda::response {
namespace {

constexpr std::int64_t write_pending_every_ns = 5'000'000'000;  // how much of a `for` a kill may cost

/// What a look changed that a restart must not forget. Sums of time alone are written seldom.
bool has_moved(const rule::AlertState& before, const rule::AlertState& after) {
  const auto moved = [](const rule::RungState& a, const rule::RungState& b) {
    return a.mark != b.mark || a.last != b.last || a.active != b.active || a.since_ns != b.since_ns;
  };
  for (std::size_t i = 0; i < before.rungs.size(); ++i) {
    if (moved(before.rungs[i], after.rungs[i])) return true;
  }
  return before.level != after.level || before.no_data != after.no_data || before.flapping != after.flapping ||
         before.restless != after.restless || before.blocked_by != after.blocked_by || before.frozen_at_ns != after.frozen_at_ns;
}

bool is_counting(const rule::AlertState& state) {
  return std::ranges::any_of(state.rungs, [](const rule::RungState& rung) { return rung.since_ns != 0 && !rung.active; }) ||
         std::ranges::any_of(state.rungs, [](const rule::RungState& rung) { return rung.active && rung.left_ns != 0; });
}

void keep_earliest(std::optional<std::int64_t>& earliest, std::optional<std::int64_t> at) {
  if (at && *at != 0) earliest = earliest ? std::min(*earliest, *at) : *at;
}

}  // namespace

Desk::Desk(std::shared_ptr<const Plan> plan, Random random) : plan_(std::move(plan)), random_(std::move(random)), history_(plan_->zone) {
  history_.want(plan_->wants);
  index();
}

void Desk::index() {
  alerts_of_.clear();
  for (const rule::Alert& alert : plan_->rules.alerts) {
    std::set<std::string_view> names(alert.checks.begin(), alert.checks.end());
    names.insert(alert.parents.begin(), alert.parents.end());
    for (const std::string_view name : names) alerts_of_[std::string(name)].push_back(&alert);
  }
}

const rule::AlertState* Desk::alert(std::string_view name) const {
  const auto found = alerts_.find(name);
  return found == alerts_.end() ? nullptr : &found->second.state;
}

std::vector<std::string> Desk::restore(const Kept& kept) {
  std::vector<std::string> left_out;
  for (const store::AlertState& row : kept.alerts) {
    auto state = rule::decode_state(row.data.value_or(""));
    if (!state) {
      left_out.push_back("the state of alert " + row.name + ": " + state.error().message());
      continue;
    }
    const rule::Alert* alert = plan_->rules.find(row.name);
    alerts_[row.name].state = alert == nullptr ? *std::move(state) : rule::adopt(*alert, *std::move(state));
  }
  for (const store::SilenceRow& row : kept.silences) {
    auto silence = incident::parse_silence(row.data.value_or(""));
    if (silence)
      incident::add(silences_, *std::move(silence));
    else
      left_out.push_back("silence " + row.id + ": " + silence.error().message());
  }
  state_ = incident::restore(kept.events, {});
  // what was due then was told in the decision of that instant
  for (const incident::Event& event : kept.events) {
    if (event.kind == incident::Kind::notice_sent) asked_[event.incident] = std::max(asked_[event.incident], event.at_ns);
    announced_ns_ = std::max(announced_ns_, event.at_ns);
  }
  return left_out;
}

// ---- what comes in --------------------------------------------------------------------------

Output Desk::use(std::shared_ptr<const Plan> plan, std::int64_t now_ns) {
  Output out;
  const auto before = std::exchange(plan_, std::move(plan));
  history_.want(plan_->wants);
  index();
  for (auto held = alerts_.begin(); held != alerts_.end();) {
    const rule::Alert* alert = plan_->rules.find(held->first);
    if (alert != nullptr) {
      held->second.state = rule::adopt(*alert, std::move(held->second.state));
      ++held;
      continue;
    }
    feed(incident::Removed{held->first}, out, now_ns);
    out.decision.alerts.push_back({held->first, std::nullopt});
    held = alerts_.erase(held);
  }
  for (const rule::Alert& alert : plan_->rules.alerts) look_at(alert, out, now_ns);
  settle(out, now_ns);
  return out;
}

Output Desk::on_result(const measure::Result& result, std::int64_t now_ns) {
  Output out;
  if (auto sampled = history_.observe(result)) out.samples.push_back(*std::move(sampled));
  const auto alerts = alerts_of_.find(result.check);
  if (alerts == alerts_of_.end()) return out;
  for (const rule::Alert* alert : alerts->second) look_at(*alert, out, now_ns);
  settle(out, now_ns);
  return out;
}

Output Desk::on_task_success(std::string_view task, std::int64_t at_ns) {
  history_.task_succeeded(task, at_ns);
  return {};  // alerts on its age are looked at by tick
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
  settle(out, now_ns);
  return out;
}

Result<Output> Desk::expire_silence(std::string_view id, const incident::Author& author, std::uint64_t based_on, std::int64_t now_ns) {
  RONDA_TRY(const auto silence, incident::expire(silences_, id, author, based_on, now_ns));
  Output out;
  out.decision.silences.push_back({silence.id, silence.until_ns, incident::to_json(silence)});
  settle(out, now_ns);
  return out;
}

Output Desk::on_delivery(const incident::Delivery& delivery, std::int64_t now_ns) {
  Output out;
  feed(delivery, out, now_ns);
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
  Held& held = alerts_[std::string(name)];
  if (held.state.level == level) return out;
  rule::Change change;
  change.alert = name;
  change.service = std::string(own_service);
  change.from = std::exchange(held.state.level, level);
  change.to = level;
  change.what = level == config::Level::none          ? rule::Change::What::resolved
                : change.from == config::Level::none ? rule::Change::What::fired
                                                     : rule::Change::What::level_changed;
  change.at_ns = change.since_ns = now_ns;
  change.reason = text;
  held.state.level_since_ns = now_ns;
  held.state.started_ns = level == config::Level::none ? 0 : now_ns;
  held.state.reason = text;
  write_alert(change.alert, held, out, now_ns);
  feed(change, out, now_ns);
  settle(out, now_ns);
  return out;
}

Output Desk::tick(std::int64_t now_ns) {
  Output out;
  for (const rule::Alert& alert : plan_->rules.alerts) {
    const auto held = alerts_.find(alert.name);
    if (held != alerts_.end() && held->second.state.next_ns != 0 && held->second.state.next_ns <= now_ns) look_at(alert, out, now_ns);
  }
  feed(incident::Tick{}, out, now_ns);
  settle(out, now_ns);
  return out;
}

// ---- one step -------------------------------------------------------------------------------

void Desk::look_at(const rule::Alert& alert, Output& out, std::int64_t now_ns) {
  Held& held = alerts_[alert.name];
  const rule::Reading reading = rule::observe(alert, held.state, plan_->rules.facts, history_, now_ns);
  rule::Outcome outcome = rule::advance(alert, held.state, reading, now_ns);
  const bool moved = !outcome.changes.empty() || has_moved(held.state, outcome.state);
  held.state = std::move(outcome.state);
  if (moved || (is_counting(held.state) && now_ns - held.written_ns >= write_pending_every_ns)) write_alert(alert.name, held, out, now_ns);
  for (const rule::Change& change : outcome.changes) feed(change, out, now_ns);
}

void Desk::write_alert(const std::string& name, Held& held, Output& out, std::int64_t now_ns) {
  held.written_ns = now_ns;
  out.decision.alerts.push_back({name, rule::encode_state(held.state)});
}

void Desk::feed(const incident::Input& input, Output& out, std::int64_t now_ns) {
  incident::Outcome outcome = incident::step(state_, plan_->settings, input, now_ns, {random_(), random_()});
  for (const incident::Event& event : outcome.events) {
    out.decision.events.push_back(row_of(event));
    if (event.kind == incident::Kind::closed) out.decision.marks.push_back({event.incident, event.at_ns});
    if (event.kind == incident::Kind::reopened) out.decision.marks.push_back({event.incident, 0});
  }
  for (incident::Effect& effect : outcome.effects) {
    if (auto* notice = std::get_if<incident::Notice>(&effect)) notices_.push_back(std::move(*notice));
    if (auto* reply = std::get_if<incident::Reply>(&effect)) out.replies.push_back(std::move(*reply));
    if (auto* diagnose = std::get_if<incident::Diagnose>(&effect)) out.diagnoses.push_back(std::move(*diagnose));
  }
}

/// What every step brings with it: who is muted now, and who has to hear what.
void Desk::settle(Output& out, std::int64_t now_ns) {
  mute(out, now_ns);
  tell(out, now_ns);
  std::erase_if(asked_, [&](const auto& asked) {
    const incident::Incident* incident = state_.find(asked.first);
    return incident == nullptr || incident->stage == incident::Stage::closed;
  });
}

void Desk::mute(Output& out, std::int64_t now_ns) {
  const auto firing = state_.firing(plan_->settings);
  incident::SilenceChange change = incident::tick(silences_, firing, now_ns);
  for (const incident::Silence& silence : change.changed)
    out.decision.silences.push_back({silence.id, silence.until_ns, incident::to_json(silence)});
  std::ranges::move(change.notices, std::back_inserter(notices_));
  auto mutes = incident::mutes_at(plan_->windows, {}, silences_, firing, now_ns);
  if (mutes == state_.mutes) return;
  feed(incident::MutesNow{std::move(mutes)}, out, now_ns);
}

void Desk::tell(Output& out, std::int64_t now_ns) {
  std::map<std::string, std::vector<incident::Notice>> notices;
  for (incident::Notice& notice : std::exchange(notices_, {})) notices[notice.incident].push_back(std::move(notice));
  for (const auto& [id, incident] : std::map(state_.incidents)) {
    const auto own = notices.find(id);
    if (own != notices.end() || incident.is_live())
      tell_incident(incident, own == notices.end() ? std::vector<incident::Notice>() : std::move(own->second), out, now_ns);
  }
  // of silences and windows alone
  if (const auto own = notices.find(""); own != notices.end()) {
    for (const incident::Notice& notice : own->second) add_message(message_of(*plan_, notice, now_ns), *plan_, out);
  }
}

/// The steps of the escalation that are due, and what the engine wants told; both at the same people are one message.
void Desk::tell_incident(const incident::Incident& incident, std::vector<incident::Notice> notices, Output& out, std::int64_t now_ns) {
  const escalation::Policy& policy = plan_->policies.of(incident.service);
  const auto asked = asked_.find(incident.id);
  const std::int64_t since = asked == asked_.end() ? escalation::never_asked : asked->second;
  escalation::Answer answer;
  if (since < now_ns) answer = escalation::due(policy, clock_of(incident), since, now_ns);
  asked_[incident.id] = now_ns;
  const auto told = tell_by_escalation(*plan_, policy, incident, escalation::without_stale(std::move(answer.due)), notices, now_ns, out);
  tell_along(*plan_, incident, notices, told, now_ns, out);
  for (const store::OutboxRow& row : out.decision.outbox) {
    if (row.incident == incident.id && row.queued_at == 0)
      feed(incident::Delivery{row.incident, row.contact, row.notifier, row.id, {}, incident::Delivery::What::sent}, out, now_ns);
  }
}

std::optional<std::int64_t> Desk::next_wake(std::int64_t now_ns) const {
  std::optional<std::int64_t> next = incident::next_wake(state_, plan_->settings);
  for (const auto& [name, held] : alerts_) {
    if (plan_->rules.find(name) != nullptr) keep_earliest(next, held.state.next_ns);
  }
  for (const auto& [id, incident] : state_.incidents) {
    if (!incident.is_live()) continue;
    const auto asked = asked_.find(id);
    const std::int64_t since = asked == asked_.end() ? escalation::never_asked : asked->second;
    keep_earliest(next, escalation::due(plan_->policies.of(incident.service), clock_of(incident), since, since).next_ns);
  }
  keep_earliest(next, incident::next_wake(silences_, now_ns));
  for (const incident::Window& window : plan_->windows) keep_earliest(next, incident::next_boundary(window, now_ns));
  keep_earliest(next, incident::next_announcement(plan_->windows, now_ns));
  return next;
}

}  // namespace ronda::response
