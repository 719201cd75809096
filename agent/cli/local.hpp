// SPDX-License-Identifier: Apache-2.0
// The configuration as this very process reads it, for verbs that work with no agent running.
#pragma once

#include <functional>

#include "cli/cli.hpp"
#include "plugin/host_libraries.hpp"
#include "plugin/stage.hpp"
#include "schedule/candidate.hpp"

namespace ronda::cli {

/// What a candidate refers to; must outlive it.
struct LocalParts {
  schedule::ZoneDatabase zones;
  plugin::HostLibraries libraries{plugin::system_library_directories()};
  plugin::Stage* stage = nullptr;  // null: nothing is staged, no plugin can be run
};

schedule::Candidate load_local(const Options& options, LocalParts& parts);
/// The same, where `judge` takes the place of the look at people and escalations.
schedule::Candidate load_judged(const Options& options, LocalParts& parts, std::function<void(schedule::Candidate&)> judge);

/// conf.d as a whole cannot be read, or not be parsed in time, which was said with its cause: what it holds is not known, which is not nothing.
bool is_unread(const schedule::Candidate& candidate);

/// "the configuration has 2 errors ('ronda validate' shows them)"
std::string errors_text(const schedule::Candidate& candidate);

}  // namespace ronda::cli
