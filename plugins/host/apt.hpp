// SPDX-License-Identifier: Apache-2.0
// What `apt-get --simulate dist-upgrade` would install. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace host {

struct PendingUpdates {
  std::size_t all = 0;
  std::vector<std::string> security;  // names of packages that come from a security archive
};

/// Reads the lines "Inst NAME [OLD] (NEW ORIGIN, ORIGIN [ARCH])". A package without an old version is new,
/// pulled in by others, and counts as well.
PendingUpdates parse_simulation(std::string_view text);

}  // namespace host
