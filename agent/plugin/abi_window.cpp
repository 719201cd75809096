// SPDX-License-Identifier: Apache-2.0
#include "plugin/abi_window.hpp"

#include "ronda/version.h"

namespace ronda::plugin {
namespace {

std::string list_of(const std::vector<std::uint32_t>& majors) {
  std::string out;
  for (const std::uint32_t major : majors) out += (out.empty() ? "" : ", ") + std::to_string(major);
  return out;
}

std::string window_of(const HostAbi& host) {
  const std::string newest = std::to_string(host.newest_major);
  return host.oldest_major == host.newest_major ? newest : std::to_string(host.oldest_major) + " and " + newest;
}

std::string version_of(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

}  // namespace

HostAbi this_agents_abi() {
  return {RONDA_ABI_MAJOR, RONDA_ABI_MAJOR, RONDA_ABI_MINOR};
}

Loaded<std::uint32_t> choose_entry(const HostAbi& host, const std::vector<std::uint32_t>& exported,
                                   const Abi& needed) {
  if (exported.empty())
    return Refusal{LoadStep::policy, LoadReason::no_entry, "exports no ronda_plugin_entry_N",
                   "define it with RONDA_PLUGIN(..) and build with ronda_add_plugin()"};
  std::uint32_t chosen = 0;
  for (const std::uint32_t major : exported)
    if (major >= host.oldest_major && major <= host.newest_major) chosen = major;
  if (chosen == 0)
    return Refusal{LoadStep::policy, LoadReason::wrong_major,
                   "offers the plugin ABI " + list_of(exported) + "; this agent accepts " + window_of(host),
                   "take a build of the plugin for this agent, or another agent"};
  // what the manifest says of a later major does not bind the older entry
  if (chosen == needed.major && chosen == host.newest_major && needed.minor > host.minor)
    return Refusal{LoadStep::policy, LoadReason::needs_newer_minor,
                   "needs SDK " + version_of(needed.major, needed.minor) + ", agent has " +
                       version_of(host.newest_major, host.minor),
                   "upgrade the agent, or build with -DRONDA_TARGET_MINOR=" + std::to_string(host.minor)};
  return chosen;
}

}  // namespace ronda::plugin
