// SPDX-License-Identifier: Apache-2.0
// Which entry of a plugin this agent calls: the newest major that both know, refused only when the plugin says
// that it needs more than the agent has.
#pragma once

#include <cstdint>
#include <vector>

#include "plugin/manifest.hpp"
#include "plugin/refusal.hpp"

namespace ronda::plugin {

struct HostAbi {
  std::uint32_t oldest_major = 1;
  std::uint32_t newest_major = 1;
  std::uint32_t minor = 0;  // of the newest major
};
HostAbi this_agents_abi();

/// `exported`: N of every ronda_plugin_entry_N, ascending; `needed`: the manifest's `abi`.
Loaded<std::uint32_t> choose_entry(const HostAbi& host, const std::vector<std::uint32_t>& exported,
                                   const Abi& needed);

}  // namespace ronda::plugin
