// SPDX-License-Identifier: Apache-2.0
// Ids as people type them: those of the agent are whole and in upper case.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/cli.hpp"

namespace ronda::cli {

/// Those of `ids` that `typed` may mean, in any case of letters: the one that it is, else those that begin with it, or whose
/// last part ("K7Q2M4XD" of "S-K7Q2M4XD") begins or ends with it. Fewer than three characters mean none but a whole one.
std::vector<std::string> ids_meant(std::string_view typed, std::span<const std::string> ids);

/// What the agent lists at `target` and has the id that `typed` means; an id that it does not list is given back as it is,
/// for the agent to say so. An error is the exit code of what was said: several fit, and which, or there is no answer.
Result<std::string, int> whole_id(const Options& options, std::string_view target, std::string_view what, const std::string& typed);
/// "INC-20261129-K7Q2M4XD0A", in whatever case, of whatever incident.
bool is_whole_incident_id(std::string_view typed);
Result<std::string, int> whole_incident_id(const Options& options, const std::string& typed);

/// "P1", as it is shown, is the level p1; any other text is left as it is.
std::string level_typed(std::string text);

}  // namespace ronda::cli
