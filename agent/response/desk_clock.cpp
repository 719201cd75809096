// SPDX-License-Identifier: Apache-2.0
// The wall clock was set forward. What is dated here moves with it, so that everything lasts as long as it would have; what the clock on
// the wall decides (windows, rotas, quiet hours, drills) goes by it as it is now. Decision 0122.
#include "base/clock_set.hpp"
#include "response/desk.hpp"
#include "response/upkeep.hpp"

namespace ronda::response {
namespace {

void shift(std::int64_t& at_ns, std::int64_t by_ns) {
  if (at_ns != 0) at_ns += by_ns;
}

void shift(std::map<std::string, std::int64_t, std::less<>>& asked, std::int64_t by_ns) {
  for (auto& [incident, at_ns] : asked) {
    if (at_ns != escalation::never_asked) at_ns += by_ns;
  }
}

}  // namespace

void Desk::Alarms::move(std::int64_t by_ns) {
  order_.clear();
  for (auto& [name, at_ns] : at_) order_.emplace(at_ns += by_ns, name);
}

Output Desk::on_clock_set(std::int64_t by_ns, std::int64_t now_ns) {
  Output out;
  history_.move(by_ns, now_ns);
  objectives_.move(by_ns, now_ns);
  for (auto& [name, held] : alerts_) {
    const std::int64_t next_ns = held.state.next_ns;
    rule::move(held.state, by_ns, now_ns);
    // said in a life before, and not again: it was dated by a clock that was right where it lies ahead of this one all the same
    if (name.starts_with(inbound_prefix) && held.written_ns == 0 && next_ns > now_ns) held.state.next_ns = next_ns;
    held.blocked_ns = moved_with_clock(held.blocked_ns, by_ns, now_ns);
    // of one without a row the store may have another life's, which is not known yet
    if (held.row_ns != 0) write_alert(name, held, out, now_ns);
  }
  move_mutes(by_ns, now_ns - by_ns, out);
  shift(asked_, by_ns);
  shift(unheard_, by_ns);
  for (Alarms* alarms : {&alert_alarms_, &incident_alarms_, &engine_alarms_}) alarms->move(by_ns);
  for (const auto& [name, held] : alerts_) {
    if (name.starts_with(inbound_prefix)) alert_alarms_.set(name, held.state.next_ns);
  }
  // rules are looked at anew: some wait for an hour of the clock, or for an age that is by another one
  for (const rule::Alert& alert : plan_->rules.alerts) alert_alarms_.set(alert.name, now_ns);
  for (std::int64_t* at_ns : {&state_.watched_since_ns, &muted_ns_, &cleaned_ns_, &calm_since_ns_, &paused_ns_}) shift(*at_ns, by_ns);
  feed(incident::ClockSet{by_ns}, out, now_ns);
  boundary_wake_ = now_ns;
  is_fresh_ = muting_ = true;
  settle(out, now_ns);
  return out;
}

/// A silence or maintenance that has begun lasts as long as was said; one that is to come begins at its hour.
void Desk::move_mutes(std::int64_t by_ns, std::int64_t before_ns, Output& out) {
  const auto moves = [before_ns](const auto& one) { return one.from_ns <= before_ns && one.ended_ns == 0; };
  for (incident::Silence& one : silences_.silences) {
    if (!moves(one)) continue;
    for (std::int64_t* at_ns : {&one.from_ns, &one.until_ns, &one.ok_since_ns}) shift(*at_ns, by_ns);
    out.decision.silences.push_back({one.id, one.until_ns, incident::to_json(one)});
  }
  for (incident::OneOff& one : upkeep_.one_offs) {
    if (!moves(one)) continue;
    one.from_ns += by_ns;
    incident::UpkeepRow row = incident::row_of(one);
    out.decision.silences.push_back({std::move(row.id), row.until_ns, std::move(row.data)});
  }
}

}  // namespace ronda::response
