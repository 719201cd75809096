// SPDX-License-Identifier: Apache-2.0
// The rules of a candidate: what conf.d and the manifests of its plugins say, judged together. The only part of rule/ that
// knows candidates and plugins.
#pragma once

#include "rule/alert.hpp"
#include "rule/objective.hpp"
#include "schedule/candidate.hpp"

namespace ronda::rule {

Facts facts_of(const schedule::Candidate& candidate);

/// Appends to the candidate's diagnostics, and to what is disabled in its generation.
RuleSet load_alerts(schedule::Candidate& candidate);
/// The same of its objectives; `facts` are those of facts_of().
SloSet load_slos(schedule::Candidate& candidate, const Facts& facts);

}  // namespace ronda::rule
