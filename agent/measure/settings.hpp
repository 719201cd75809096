// SPDX-License-Identifier: Apache-2.0
// What conf.d says about samples and objectives: `[store]`, `[slo.N]`, and which checks services name. Pure; what is wrong is
// reported at its place, and the object is left out.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/generation.hpp"
#include "measure/history.hpp"
#include "measure/slo.hpp"
#include "store/types.hpp"

namespace ronda::measure {

struct StoreSettings {
  store::SampleRetention retention;  // `raw`, `five_minutes`, `hours`
  bool all = false;                  // samples = "all": of every check, not only of those that are named
};
/// Each level is kept for at least as long as the one before it, else what it is made of would be missed in a report.
StoreSettings read_store(const config::Generation& generation, config::Diagnostics& diagnostics);

/// A sound `[slo.N]`. Texts are conditions or metrics, judged by rule.
struct SloDefinition {
  slo::Objective objective;  // `objective`, `window`, `min_samples`; counts: where `total` stands
  /// `min_bad` of each burn rule, in seconds or requests; none: what is usual.
  std::array<std::optional<double>, 3> least_bad;
  std::string good, total;                      // `good` alone: a condition, by time. With `total`: both are counters
  bool counts_bad = false;                      // `bad` stands in the place of `good`: the counter is of what failed
  std::array<bool, 3> calls{true, true, true};  // of the burn rules, those that `levels` names
  config::Place good_place, total_place;
  std::string service, title;
  bool without_windows = false;  // maintenance = "excluded"
  config::Place place;
};
std::vector<SloDefinition> read_slos(const config::Generation& generation, config::Diagnostics& diagnostics);

/// A check that runs, and how often; 0: not by time alone.
struct Running {
  std::string check;
  std::int64_t interval_ns = 0;
};
/// One for each of `running` that a service names, or for all of them. A generation that was made ready has no instances
/// any more, so that they are given.
std::vector<Want> service_wants(const config::Generation& generation, const StoreSettings& settings, std::span<const Running> running);

}  // namespace ronda::measure
