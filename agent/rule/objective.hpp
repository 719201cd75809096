// SPDX-License-Identifier: Apache-2.0
// `[slo.NAME]`: what is good, as a condition or as two counters, and the alert on how fast its budget burns. That is an
// alert like all others (ladder, incident, messages); only what is seen of it comes from the budget and not from conditions. Pure.
#pragma once

#include <string>
#include <vector>

#include "measure/settings.hpp"
#include "rule/alert.hpp"
#include "rule/ladder.hpp"

namespace ronda::rule {

/// Of the names of these alerts. No name of conf.d has a slash.
inline constexpr std::string_view slo_prefix = "slo/";

struct Slo {
  measure::SloDefinition definition;
  Condition good;   // by requests: the counter (of `bad` where that counts) compared with 0, so that its first node is the metric
  Condition total;  // by requests only
  std::vector<std::string> checks;
  std::int64_t patience_ns = 0;  // the longest of its checks; 0: not by time
  Alert alert;                   // "slo/NAME", without conditions of its own

  const std::string& name() const { return definition.objective.name; }
};

/// An objective is judged and looked at at least so often.
inline constexpr std::int64_t slo_look_ns = 60'000'000'000;
/// How long a judgement stands when none follows: with one at each look more than three of them missing means that nobody watched.
std::int64_t hold_of(const Slo& slo);
/// With nothing good or bad seen for so long nothing can be said: at least the shortest window of a burn.
std::int64_t known_for(const Slo& slo);

struct SloSet {
  std::vector<Slo> slos;    // by name
  std::vector<Need> needs;  // of the checks that they are judged by
};

/// What is wrong is reported at its place, and the objective is left out and appended to `disabled`.
SloSet load_slos(const config::Generation& generation, const Facts& facts, const config::Sources& files, config::Diagnostics& diagnostics,
                 std::vector<config::Disabled>& disabled);

/// How the budget burns, as a reading of the alert. `is_known` false: what came before is not all there, or nothing comes; a
/// level then neither begins nor ends.
Reading read_burns(const Slo& slo, const std::array<measure::slo::Burn, 3>& burns, const std::optional<measure::slo::Budget>& budget,
                   bool is_known, std::int64_t now_ns);

/// Of a burn that is held back: "1m was bad in 1h, and `min_bad` is 5m"
std::string held_back_text(const measure::slo::Objective& objective, const measure::slo::Burn& burn);

/// "99.9% in 30d"
std::string promise_text(const measure::slo::Objective& objective);

}  // namespace ronda::rule
