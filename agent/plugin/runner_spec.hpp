// SPDX-License-Identifier: Apache-2.0
// What a runner of one plugin is started with: limits, user and grants, from its manifest and from what the host
// gives it. The one place where that is decided.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin/catalogue.hpp"
#include "plugin/supervisor.hpp"

namespace ronda::plugin {

/// What a runner itself needs, besides what its plugin says: bytes, descriptors, processes and threads, a share of a core (to
/// load the plugin too, for which it has ten seconds).
inline constexpr std::int64_t runner_base_memory = std::int64_t{64} << 20;
inline constexpr std::int64_t runner_base_fds = 64;
inline constexpr std::int64_t runner_base_pids = 16;
inline constexpr double runner_base_cores = 0.1;

/// What a group has beyond that. The keeper is in it; and a runner that has used up its threads must be able to make one
/// more, by which it is seen to be worn and is replaced, rather than failing at the limit for good.
inline constexpr std::int64_t group_spare_tasks = 16;
/// A program that a call starts, and those that it starts: beside what the plugin asks for itself.
inline constexpr std::int64_t group_tasks_a_program = 64;

/// What does not depend on the plugin.
struct RunnerSettings {
  std::string runner_path;      // of ronda-runner, absolute
  bool pid_namespace = false;   // each runner in one of its own, unless it needs the host's
  bool as_root = false;         // the runner becomes another user: `user`, or _ronda-run, or 65534
  std::string user;             // configured and allowed; empty: the default
  wire::Pairs facts;            // of ronda.facts/1
  Cgroups* cgroups = nullptr;   // null: rlimits alone
  StartGate* starts = nullptr;  // null: a runner is started when it is wanted
  bool detached = false;        // of instances that may leave programs running
};

/// Whether a plugin with these grants may live in a PID namespace. With `exec` it starts programs that expect the
/// numbers that /proc shows, as ps does: those are the host's.
bool fits_pid_namespace(const std::vector<std::string>& grants);

/// Whether this host knows a user of that name. May ask a directory on the network.
bool has_user(const std::string& name);

/// What the group of a runner may have. With `programs` each call may have a program that takes as much memory as one
/// process of this plugin may (which is its own limit, RLIMIT_DATA), and group_tasks_a_program tasks.
GroupLimits group_limits(const wire::Setup& setup, bool programs);

/// `entry` is staged. With a user that this host does not know the spec is refused.
RunnerSpec make_runner_spec(const PluginEntry& entry, const RunnerSettings& settings);

}  // namespace ronda::plugin
