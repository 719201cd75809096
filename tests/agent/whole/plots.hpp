// SPDX-License-Identifier: Apache-2.0
// What an agent does durably, as plots that are short: one for each part of it that has something to lose.
#pragma once

#include <vector>

#include "story.hpp"

namespace ronda::test {

/// An alert's life, among people, by the fallback, and by what it is told: by a job, a person, a posting program.
std::vector<Plot> plots_of_alerts();
/// What the agent remembers to do, and what it keeps: slots, windows, ladders, letters, an older store, a copy of it.
std::vector<Plot> plots_of_time();
std::vector<Plot> all_plots();
/// Ends the program where there is none of that name.
Plot plot_named(const std::string& name);

}  // namespace ronda::test
