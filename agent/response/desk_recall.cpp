// SPDX-License-Identifier: Apache-2.0
// A store that could not be read at the start and can be now: what people had before is theirs again.
#include <algorithm>
#include <utility>

#include "response/desk.hpp"
#include "response/upkeep.hpp"

namespace ronda::response {

/// What is said to be over once is not said again; while the store cannot be read nobody knows whether it knows it as firing.
void Desk::note_over(const std::string& alert) {
  if (!is_read_ && (over_.size() < most_inbound || !alert.starts_with(inbound_prefix))) over_.insert(alert);
}

/// Of those that fired before: in the store and in their incidents.
void Desk::end_over(const Kept& kept, Output& out, std::int64_t now_ns) {
  for (const store::AlertState& row : kept.alerts) {
    if (over_.contains(row.name) && !alerts_.contains(row.name))
      out.decision.alerts.push_back({row.name, std::max(row.at, now_ns), std::nullopt});
  }
  for (const auto& [alert, id] : std::map(state_.by_alert)) {
    const auto known = alerts_.find(alert);
    const bool is_over = known == alerts_.end() ? over_.contains(alert) : known->second.state.level == config::Level::none;
    if (!is_over || !(alert.starts_with(own_prefix) || alert.starts_with(inbound_prefix))) continue;
    const incident::Member& member = state_.find(id)->members.at(alert);
    rule::Change over;
    over.alert = alert;
    over.what = rule::Change::What::resolved;
    over.from = member.level;
    over.at_ns = over.since_ns = now_ns;
    over.check = member.check;
    over.service = member.service;
    over.reason = "it is over";
    feed(over, out, now_ns);
  }
  over_.clear();
}

Output Desk::recall(const Kept& kept, std::int64_t now_ns) {
  Output out;
  is_read_ = true;
  const auto note = [&](const Status& taken) {
    if (!taken) out.troubles.push_back("not remembered: " + taken.error().message());
  };
  // A level that this life found holds. Where it found none, what fired before has yet to recover, as its rule says; what is
  // about the agent itself is over when this life says so, and no rule will look at it.
  const auto fired = [](const store::AlertState& row) {
    const auto state = rule::decode_state(row.data.value_or(""));
    return !state || state->level != config::Level::none;
  };
  // first: without it the age of a task's success would be counted from this start, and what is too old would seem over
  for (const store::InstanceState& row : kept.checks) {
    const bool is_task = row.id.kind == config::kind_name(config::Kind::task);
    if (is_task && row.last_run != 0) history_.restore_task(row.id.name, row.last_ok, row.since != 0 ? row.since : row.last_run);
  }
  for (const store::AlertState& row : kept.alerts) {
    const auto known = alerts_.find(row.name);
    const bool is_judged =
        known != alerts_.end() && (known->second.state.level != config::Level::none || row.name.starts_with(own_prefix) || !fired(row));
    if (!is_judged && !over_.contains(row.name)) note(take_up(row, now_ns));
  }
  count_inbound();
  // marks, the cursor and the last drill are this life's own by now
  for (const store::SilenceRow& row : kept.silences) {
    const bool is_said = row.id.starts_with("M-") || row.id.starts_with("O-") || !is_upkeep(row.id);
    const auto is_same = [&](const incident::OnCallOverride& one) { return one.id == row.id; };
    const bool is_known =
        silences_.find(row.id) != nullptr || upkeep_.find(row.id) != nullptr || std::ranges::any_of(upkeep_.overrides, is_same);
    if (is_said && !is_known) note(take_up(row));
  }
  std::vector<incident::Event> unknown = kept.events;
  std::erase_if(unknown, [&](const incident::Event& event) { return state_.find(event.incident) != nullptr; });
  note_asked(unknown);
  if (!unknown.empty()) feed(incident::Recalled{std::move(unknown)}, out, now_ns);
  end_over(kept, out, now_ns);
  is_fresh_ = muting_ = true;  // what is hidden now may be another thing than when those were decided
  settle(out, now_ns);
  return out;
}

}  // namespace ronda::response
