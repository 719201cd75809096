// SPDX-License-Identifier: Apache-2.0
// An alert that nothing is known of reaches a person: who watches nothing must not look as if all were well. So does one that waits
// for a check of which nobody was told.
#include <algorithm>

#include "response/desk.hpp"

namespace ronda::response {
namespace {

using config::Level;

constexpr std::int64_t usual_patience_ns = 60'000'000'000;  // of checks without an interval

std::int64_t patience_of(const rule::Alert& alert) {
  return alert.patience_ns > 0 ? alert.patience_ns : usual_patience_ns;
}

/// As long as for something that is known: the checks may be late, and what holds must hold for its `for`.
std::int64_t wait_of(const rule::Alert& alert) {
  std::int64_t out = patience_of(alert);
  for (const rule::Rung& rung : alert.rungs) out = std::max<std::int64_t>(out, rung.hold.time.count());
  return out;
}

Level highest_of(const rule::Alert& alert) {
  return alert.rungs.empty() ? Level::p3 : alert.rungs.front().level;
}

/// Not to know is one less than the worst that may be hidden: it wakes nobody at once, and nobody forgets it.
Level level_of(const rule::Alert& alert) {
  const Level highest = highest_of(alert);
  return highest == Level::p1 ? Level::p2 : highest == Level::p2 ? Level::p3 : highest;
}

/// A nightly check is not missed before its first night.
bool waits_for_its_first(const rule::Alert& alert, const rule::AlertState& state) {
  return alert.patience_ns == 0 && state.counted_ns == 0;
}

/// A condition holds, and not for long or often enough yet.
bool may_fire_soon(const rule::AlertState& state) {
  return std::ranges::any_of(state.rungs, [](const rule::RungState& rung) { return rung.last == rule::Truth::yes && !rung.active; });
}

rule::Change change_of(const rule::Alert& alert, std::int64_t now_ns) {
  rule::Change change;
  change.alert = alert.name;
  change.check = alert.check;
  change.service = alert.service;
  change.at_ns = change.since_ns = now_ns;
  return change;
}

}  // namespace

/// The ladder stays as it is: the alert has no level, its incident has. A level that comes later raises it as usual.
void Desk::tell_unknown(const rule::Alert& alert, rule::AlertState& state, bool is_thin, Output& out, std::int64_t now_ns) {
  if (state.level != Level::none || !state.blocked_by.empty()) return;
  if (!state.no_data || state.unknown_since_ns == 0) return end_unknown(alert, state, out, now_ns);
  // one that a person resolved stays so: nothing new is known
  if (is_thin || (state_.by_alert.contains(alert.name) && !waits_in_incident(alert.name)) || waits_for_its_first(alert, state)) return;
  const std::int64_t at = state.unknown_since_ns + wait_of(alert);
  if (at > now_ns) {
    // looked at again before that too: only by a look that comes too late the ladder knows that nobody watched meanwhile
    const std::int64_t next = std::min(at, now_ns + patience_of(alert));
    if (state.next_ns <= now_ns || state.next_ns > next) alert_alarms_.set(alert.name, state.next_ns = next);
    return;
  }
  rule::Change change = change_of(alert, now_ns);
  change.what = rule::Change::What::fired;
  change.to = level_of(alert);
  change.since_ns = state.unknown_since_ns;
  change.reason = "nothing is known: " + state.reason;
  feed(change, out, now_ns);
}

/// It waits for a check that is critical, and its own is not run meanwhile: what stands on what is down is taken for down, unless
/// somebody was told of that one or is about to be. It opens the incident as one that waits, so that an alert of the other joins it.
void Desk::tell_waiting(const rule::Alert& alert, Held& held, Output& out, std::int64_t now_ns) {
  const rule::AlertState& state = held.state;
  if (state.blocked_by.empty()) return void(held.blocked_ns = 0);
  if (held.blocked_ns == 0) held.blocked_ns = now_ns;
  if (state_.by_alert.contains(alert.name)) return;
  const std::int64_t at = std::max(held.blocked_ns, state_.watched_since_ns) + wait_of(alert);
  if (at > now_ns) return alert_alarms_.set(alert.name, at);
  if (is_told_of(state.blocked_by)) return alert_alarms_.set(alert.name, now_ns + patience_of(alert));
  rule::Change change = change_of(alert, now_ns);
  change.what = rule::Change::What::blocked;
  change.to = highest_of(alert);
  change.blocked_by = state.blocked_by;
  change.since_ns = held.blocked_ns;
  change.reason = "blocked by " + state.blocked_by + ", which is critical and has no alert that fires";
  feed(change, out, now_ns);
}

/// By an alert that judges that check, or soon so.
bool Desk::is_told_of(std::string_view check) const {
  const auto alerts = alerts_of_.find(check);
  if (alerts == alerts_of_.end()) return false;
  return std::ranges::any_of(alerts->second, [&](const rule::Alert* alert) {
    if (std::ranges::find(alert->checks, check) == alert->checks.end()) return false;  // it waits for it as well
    const rule::AlertState* state = this->alert(alert->name);
    const bool fires = state_.by_alert.contains(alert->name) || (state != nullptr && state->level != Level::none);
    return fires || (state != nullptr && state->blocked_by.empty() && may_fire_soon(*state));
  });
}

/// It fires in an incident for what it waits for, or waited for when it was judged last.
bool Desk::waits_in_incident(std::string_view alert) const {
  const auto found = state_.by_alert.find(alert);
  if (found == state_.by_alert.end()) return false;
  const auto& members = state_.incidents.at(found->second).members;
  const auto member = members.find(alert);
  return member != members.end() && member->second.blocked;
}

/// It is known again and well. That also ends what an alert left in an incident whose own state was lost, and what waited.
void Desk::end_unknown(const rule::Alert& alert, const rule::AlertState& state, Output& out, std::int64_t now_ns) {
  const bool waited = waits_in_incident(alert.name);
  // to `no_data = "ok"` what waited is well, once its first result should have come
  const bool is_due = now_ns - state.unknown_since_ns > alert.grace_ns;
  const bool may_be_well = waited && ((alert.no_data.is_ok && is_due) || waits_for_its_first(alert, state));
  if ((state.unknown_since_ns != 0 && !may_be_well) || state.await_after_ns != 0) return;
  if (std::ranges::any_of(state.rungs, [](const rule::RungState& rung) { return rung.since_ns != 0; })) return;
  const auto found = state_.by_alert.find(alert.name);
  if (found == state_.by_alert.end()) return;
  const auto& members = state_.incidents.at(found->second).members;
  const auto member = members.find(alert.name);
  if (member == members.end()) return;
  rule::Change change = change_of(alert, now_ns);
  change.what = waited ? rule::Change::What::unblocked : rule::Change::What::resolved;
  change.from = member->second.level;
  change.reason =
      (waited ? "it waits no more: " : "known again: ") + (state.reason.empty() ? std::string("nothing is wrong") : state.reason);
  feed(change, out, now_ns);
}

}  // namespace ronda::response
