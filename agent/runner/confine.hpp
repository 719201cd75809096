// SPDX-License-Identifier: Apache-2.0
// How a runner gives up what it does not need, before it loads anything: user, groups, descriptors, limits.
#pragma once

#include <string>

#include "base/result.hpp"
#include "plugin/messages.hpp"

namespace ronda::runner {

/// Limits, user and descriptors as the setup says. Errors name what could not be done; remarks, which limit is lower than
/// wanted because the agent's own is.
Status confine(const wire::Setup& setup, std::vector<std::string>& remarks);

/// The last step before foreign code runs: what this process can still ask of the kernel (decision 0016). Works as far
/// as the kernel has it and says how far that is, for people: "seccomp, landlock 7".
std::string lock_down(const wire::Setup& setup);

}  // namespace ronda::runner
