// SPDX-License-Identifier: Apache-2.0
// The desk's part for maintenance, on-call overrides, tests and drills.
#include <algorithm>

#include "base/text.hpp"
#include "response/desk.hpp"
#include "response/upkeep.hpp"

namespace ronda::response {
namespace {

constexpr std::int64_t drill_is_stale_ns = std::int64_t{3600} * 1'000'000'000;  // one that no agent ran for is left out
constexpr std::int64_t clock_was_wrong_ns = 24 * drill_is_stale_ns;             // a clock that is set back further was never right

store::SilenceRow stored(incident::UpkeepRow row) {
  return {std::move(row.id), row.until_ns, std::move(row.data)};
}

Error unknown(std::string_view what, std::string_view id, std::string_view see) {
  return {Errc::not_found, "there is no " + std::string(what) + " `" + repair_utf8(id, 64) + "`; see `" + std::string(see) + "`"};
}

}  // namespace

Output Desk::start_maintenance(incident::OneOff one_off, std::int64_t now_ns) {
  Output out;
  out.decision.silences.push_back(stored(incident::row_of(one_off)));
  incident::add(upkeep_, std::move(one_off));
  muting_ = true;
  settle(out, now_ns);
  return out;
}

Result<Output> Desk::end_maintenance(std::string_view id, const incident::Author& author, std::int64_t now_ns) {
  const incident::OneOff* found = upkeep_.find(id);
  if (found == nullptr) return unknown("maintenance", id, "ronda maintenance list");
  const bool had_begun = found->from_ns <= now_ns;
  RONDA_TRY(auto ended, incident::end_one_off(*found, author, now_ns));
  Output out;
  if (had_begun || !ended.announce_ns.empty()) {
    const auto firing = state_.firing(plan_->settings);
    owe(tell_window(*plan_, incident::over_notice(ended, firing), overrides_of(upkeep_), now_ns), "", out, now_ns);
  }
  out.decision.silences.push_back(stored(incident::row_of(ended)));
  incident::add(upkeep_, std::move(ended));
  muting_ = true;
  settle(out, now_ns);
  return out;
}

Output Desk::override_oncall(incident::OnCallOverride one, std::int64_t) {
  Output out;
  out.decision.silences.push_back(stored(incident::row_of(one)));
  incident::add(upkeep_, std::move(one));
  return out;
}

Result<Output> Desk::end_override(std::string_view id, const incident::Author& author, std::int64_t now_ns) {
  const auto found = std::ranges::find(upkeep_.overrides, id, &incident::OnCallOverride::id);
  if (found == upkeep_.overrides.end()) return unknown("override", id, "ronda oncall show");
  RONDA_TRY(auto ended, incident::end_override(*found, author, now_ns));
  Output out;
  out.decision.silences.push_back(stored(incident::row_of(ended)));
  incident::add(upkeep_, std::move(ended));
  return out;
}

Result<Output> Desk::send_test(std::string_view target, const incident::Author& author, const std::string& key, std::int64_t now_ns) const {
  const people::People& people = plan_->people;
  const std::string name(target);
  const bool is_person = people.find_contact(target) != nullptr, is_rota = people.find_oncall(target) != nullptr;
  if (!is_person && !is_rota && people.find_group(target) == nullptr) {
    std::vector<std::string_view> names;
    for (const people::Contact& one : people.contacts) names.push_back(one.name);
    for (const people::Group& one : people.groups) names.push_back(one.name);
    for (const people::Rota& one : people.oncalls) names.push_back(one.name);
    const std::string_view near = nearest(target, names);
    return Error(Errc::not_found, "there is no contact, group or oncall `" + repair_utf8(target, 64) + "`" +
                                      (near.empty() ? std::string() : "; did you mean `" + std::string(near) + "`?"));
  }
  const std::vector<std::string> contacts = contacts_of(*plan_, {name}, overrides_of(upkeep_), now_ns);
  if (contacts.empty())
    return Error(Errc::exists, is_rota ? "nobody is on call for " + name + " now" : "there is nobody in " + name + " now");
  Told told = tell_trial(*plan_, contacts, key, config::Level::none, author, now_ns);
  if (told.rows.empty())
    return Error(Errc::exists, (is_person ? name : "nobody of " + name) + " has " + (is_person ? "no" : "a") + " channel that can be used");
  Output out;
  out.decision.outbox = std::move(told.rows);
  out.troubles = std::move(told.troubles);
  return out;
}

/// What windows owe to people beside being silent.
void Desk::keep_windows(const std::vector<incident::Firing>& firing, Output& out, std::int64_t now_ns) {
  const incident::UpkeepChange change = incident::tick(upkeep_, plan_->windows, firing, now_ns);
  for (const incident::OneOff& one : change.changed) out.decision.silences.push_back(stored(incident::row_of(one)));
  for (const std::string& window : change.marked) out.decision.silences.push_back(stored(incident::row_of(upkeep_, window)));
  if (change.cursor_moved) out.decision.silences.push_back(stored(incident::cursor_row(upkeep_)));
  if (change.notices.empty()) return;
  const escalation::Overrides overrides = overrides_of(upkeep_);
  for (const incident::WindowNotice& notice : change.notices) owe(tell_window(*plan_, notice, overrides, now_ns), "", out, now_ns);
}

/// Each drill once; of those that were due while no agent ran none is made up for after an hour.
void Desk::drill(Output& out, std::int64_t now_ns) {
  using std::chrono::floor;
  if (!plan_->drill) {
    drilled_ns_ = 0;
    return;
  }
  const auto second_of = [](std::int64_t at_ns) {
    return floor<std::chrono::seconds>(std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(at_ns)));
  };
  const auto ns_of = [](schedule::sys_seconds at) { return std::chrono::nanoseconds(at.time_since_epoch()).count(); };
  const schedule::Calendar& calendar = plan_->drill->calendar;
  const auto note = [&](std::int64_t at_ns) {
    drilled_ns_ = at_ns;
    out.decision.silences.push_back({std::string(drill_row_id), at_ns, "{}"});
  };
  // planned from now on; where the clock was set back by less, instants come again and their drills do not
  if (drilled_ns_ == 0 || drilled_ns_ > now_ns + clock_was_wrong_ns) note(now_ns);
  const auto last = calendar.previous(second_of(now_ns));
  if (last && ns_of(*last) > drilled_ns_) {
    const std::int64_t at = ns_of(*last);
    if (now_ns - at < drill_is_stale_ns) {
      const auto contacts = contacts_of(*plan_, plan_->drill->targets, overrides_of(upkeep_), now_ns);
      owe(tell_trial(*plan_, contacts, std::string(drill_prefix) + std::to_string(at / 1'000'000'000), plan_->drill->level, {}, now_ns), "",
          out, now_ns);
    }
    note(at);
  }
  if (const auto next = calendar.next(second_of(now_ns)))
    boundary_wake_ = boundary_wake_ ? std::min(*boundary_wake_, ns_of(*next)) : ns_of(*next);
}

}  // namespace ronda::response
