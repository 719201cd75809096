// SPDX-License-Identifier: Apache-2.0
// The key that signs acknowledge links: 32 random bytes in STATE/door.key, which nobody but the agent's user can read. Made
// when it is first wanted. It stands in no database, so no copy of one has it; who takes it away ends all links.
#pragma once

#include <string>

#include "base/result.hpp"

namespace ronda {

/// Of the state directory, which is the agent's own already.
Result<std::string> read_or_make_door_key(const std::string& state_directory);

}  // namespace ronda
