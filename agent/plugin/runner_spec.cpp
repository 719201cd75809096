// SPDX-License-Identifier: Apache-2.0
#include "plugin/runner_spec.hpp"

#include <pwd.h>

#include <algorithm>

namespace ronda::plugin {

namespace {

constexpr std::int64_t nobody = 65534;

void set_user(const std::string& user, RunnerSpec& spec) {
  const passwd* account = ::getpwnam(user.empty() ? "_ronda-run" : user.c_str());
  spec.setup.uid = account == nullptr ? nobody : account->pw_uid;
  spec.setup.gid = account == nullptr ? nobody : account->pw_gid;
  // who is asked for by name is not somebody else
  if (account == nullptr && !user.empty()) spec.refused = "there is no user \"" + user + "\" on this host";
}

}  // namespace

bool has_user(const std::string& name) {
  return ::getpwnam(name.c_str()) != nullptr;
}

bool fits_pid_namespace(const std::vector<std::string>& grants) {
  return std::ranges::find(grants, to_string(Grant::exec)) == grants.end();
}

GroupLimits group_limits(const wire::Setup& setup, bool programs) {
  const std::int64_t running = programs ? setup.concurrency : 0;
  GroupLimits limits;
#ifndef RONDA_SANITIZED  // whose shadow memory no plugin has asked for
  limits.memory_bytes = setup.memory_bytes * (1 + running);
#endif
  limits.tasks = setup.pids + group_spare_tasks + group_tasks_a_program * running;
  return limits;
}

RunnerSpec make_runner_spec(const PluginEntry& entry, const RunnerSettings& settings) {
  RunnerSpec spec;
  spec.runner_path = settings.runner_path;
  spec.plugin_id = entry.manifest.id;
  spec.sha256 = entry.sha256;
  spec.user = settings.user;
  spec.plugin_fd = {entry.staged, &entry.staged->file};
  wire::Setup& setup = spec.setup;
  setup.build = RONDA_BUILD;
  setup.plugin_id = entry.manifest.id;
  setup.exec_path = entry.staged->path;
  const std::int64_t calls = entry.manifest.max_concurrency;
  setup.concurrency = calls;
  setup.memory_bytes = runner_base_memory + entry.manifest.limits.memory * calls;
  setup.fds = runner_base_fds + entry.manifest.limits.fds * calls;
  setup.pids = runner_base_pids + (entry.manifest.limits.pids + 1) * calls;
  if (settings.as_root) set_user(settings.user, spec);
  for (const Grant grant : entry.grants) {
    setup.grants.emplace_back(to_string(grant));
    if (grant == Grant::setuid) setup.no_new_privs = false;
  }
  spec.detached = settings.detached;
  spec.pid_namespace = settings.pid_namespace && !settings.detached && fits_pid_namespace(setup.grants);
  spec.cgroups = settings.cgroups;
  spec.starts = settings.starts;
  spec.group = group_limits(setup, !fits_pid_namespace(setup.grants));
  const double share = entry.manifest.limits.cpu;
  if (share > 0) spec.group.cores = runner_base_cores + share * static_cast<double>(calls);
  if (settings.detached) setup.concurrency = 1;  // what is left alive is the one call's that ran; its limits are those of the others
  for (const Procedure& procedure : entry.manifest.provides) {
    const auto kind = static_cast<wire::Kind>(procedure.kind);
    const bool is_new = procedure.kind != Kind::unknown && std::ranges::find(setup.kinds, kind) == setup.kinds.end();
    if (is_new) setup.kinds.push_back(kind);
  }
  setup.facts = settings.facts;
  return spec;
}

}  // namespace ronda::plugin
