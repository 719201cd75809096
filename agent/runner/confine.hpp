// SPDX-License-Identifier: Apache-2.0
// How a runner gives up what it does not need, before it loads anything: user, groups, descriptors, limits.
#pragma once

#include "base/result.hpp"
#include "plugin/blackbox.hpp"
#include "plugin/messages.hpp"

namespace ronda::runner {

/// Ends this process when the agent dies, whatever kills it.
void die_with_parent(int signal);

/// In a PID namespace: forks the worker and stays as its init, which reaps, passes the worker's end on and never
/// returns. The worker returns from this.
void become_init(plugin::Blackbox& blackbox);

/// Limits, user and descriptors as the setup says. Errors name what could not be done.
Status confine(const wire::Setup& setup);

/// Kills every process below this one, until none is left.
void end_descendants();

}  // namespace ronda::runner
