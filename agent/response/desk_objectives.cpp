// SPDX-License-Identifier: Apache-2.0
// The desk's part for objectives, and for the first look after a start.
#include <algorithm>

#include "response/desk.hpp"

namespace ronda::response {

Output Desk::begin_looking(std::int64_t now_ns) {
  Output out;
  if (std::exchange(looking_, true)) return out;
  state_.watched_since_ns = now_ns;
  look_at_all(out, now_ns);
  settle(out, now_ns);
  return out;
}

/// What of an alert is seen now: of an objective its burn, of all others their conditions.
rule::Reading Desk::read(const rule::Alert& alert, const rule::AlertState& state, Output& out, std::int64_t now_ns) {
  if (const rule::Slo* slo = objectives_.of_alert(alert.name)) return objectives_.look(*slo, input_of(*slo), now_ns, out.samples);
  return rule::observe(alert, state, plan_->rules.facts, history_, now_ns);
}

void Desk::judge_objectives(std::string_view check, Output& out, std::int64_t now_ns) {
  for (const rule::Slo* slo : objectives_.of_check(check)) objectives_.on_result(*slo, input_of(*slo), now_ns, out.samples);
}

/// By a window of conf.d or by one that a person opened; a silence hides what fires and says nothing of why it does.
bool Desk::is_excluded(const rule::Slo& slo) const {
  if (!slo.definition.without_windows) return false;
  const auto tags = plan_->settings.tags.find(slo.alert.check);
  const incident::Subject subject{slo.alert.name, slo.alert.check, slo.alert.service, config::Level::p1,
                                  tags == plan_->settings.tags.end() ? std::span<const std::string>() : tags->second};
  return std::ranges::any_of(state_.mutes,
                             [&](const incident::Mute& mute) { return mute.name.starts_with("window:") && mute.covers(subject); });
}

Output Desk::restore_objective(const measure::slo::Objective& asked, std::span<const measure::slo::Stretch> older, std::int64_t now_ns) {
  Output out;
  objectives_.restore(asked, older);
  const rule::Alert* alert = plan_->rules.find(std::string(rule::slo_prefix) + asked.name);
  if (alert == nullptr || !looking_) return out;
  look_at(*alert, out, now_ns);
  settle(out, now_ns);
  return out;
}

}  // namespace ronda::response
