// SPDX-License-Identifier: Apache-2.0
// What is wrong with objects that are disabled already: everything is told in one pass, and each thing once. Runs nothing,
// and nothing of an unsound object comes into what runs.
#pragma once

#include <functional>
#include <vector>

#include "schedule/candidate.hpp"

namespace ronda::schedule {

/// Adds what stands where nothing is told yet. Of an object as a whole, at `whole`, there may be several things to say.
void add_untold(const config::Diagnostics& more, config::Place whole, config::Diagnostics& told);

/// Asks each judge what it says of the candidate, and what it would say of objects whose shape is wrong (by kind, then name).
void judge_all(const std::vector<std::function<void(Candidate&)>>& judges, std::vector<config::RawObject> unsound, Candidate& candidate);

}  // namespace ronda::schedule
