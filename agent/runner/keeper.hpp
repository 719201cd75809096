// SPDX-License-Identifier: Apache-2.0
// The process between the agent and the plugin's: it runs no plugin code, holds no descriptor, and sees to it that
// whatever the plugin started ends with the plugin, and the plugin with the agent. Of a detached runner (decision 0023) only the
// programs of calls in flight end.
#pragma once

#include "plugin/blackbox.hpp"
#include "runner/programs.hpp"

namespace ronda::runner {

/// Ends this process when its parent dies, whatever kills that.
void die_with_parent(int signal);

/// What becomes of the processes that the plugin has started, when it ends.
enum class Orphans : std::uint8_t {
  kernel_ends,  // with the keeper, the init of a PID namespace
  keeper_ends,
  stay,  // but for the groups of programs that a call still waits for
};

/// Forks the worker, which returns from this, and stays as its keeper: reaps what the plugin leaves behind, continues
/// what is stopped, passes the worker's end on through the blackbox and ends with it, never returning.
/// In a PID namespace it is the init, and the kernel ends all others with it. Outside of one it is the subreaper of
/// everything below; the worker's end, SIGTERM and the agent's death make it kill all of that first. Where orphans stay it
/// kills the worker and the groups of `programs`, which is null otherwise, and writes down in the blackbox who is left.
void become_keeper(plugin::Blackbox& blackbox, Orphans orphans, Programs* programs);

/// Kills the children of this process, and theirs as they come back to it, until none is left or `most_ms` have passed.
void end_descendants(int most_ms);

}  // namespace ronda::runner
