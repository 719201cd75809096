// SPDX-License-Identifier: Apache-2.0
// Fills a history from the store, one question after the other, so that what is owed never waits for more than a day of
// one check's samples.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "measure/history.hpp"
#include "measure/slo.hpp"
#include "store/store.hpp"

namespace ronda::measure {

/// Both must live until `done` is called, or the store be closed. `done` is called once, on the thread on which the store
/// answers, with the first error there was: what could not be read is left out.
void load_history(store::Store& store, History& history, std::int64_t now_ns, std::function<void(ronda::Status)> done);

/// What the store has of an objective's judgements before `now_ns`, in stretches of five minutes that ascend; the newest may be
/// shorter. All of it, also what is not rolled up yet, and nothing that another condition judged. Judgements: those that
/// History::observe_value gave as ("slo:NAME", "good"), values of slo::Goodness; by requests as "requests_good" and "requests_bad", so many
/// since the one before. For Meter::restore. The store lives as above.
void load_judgements(store::Store& store, const slo::Objective& objective, std::int64_t now_ns,
                     std::function<void(ronda::Result<std::vector<slo::Stretch>>)> done);
/// "slo:NAME", the metric, and the label that tells by which condition it was judged.
std::string judgements_of(const slo::Objective& objective);
Labels judgement_labels(const slo::Objective& objective);
inline constexpr std::string_view judgement_metric = "good", good_requests_metric = "requests_good", bad_requests_metric = "requests_bad";

}  // namespace ronda::measure
