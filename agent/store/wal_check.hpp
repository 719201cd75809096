// SPDX-License-Identifier: Apache-2.0
// Whether a WAL that an agent left behind is damaged. SQLite itself takes what stands before the first frame that does
// not fit and says nothing about the rest, so commits that were promised could be missing without a word.
#pragma once

#include <optional>
#include <string>

namespace ronda::store {

/// What is wrong with the WAL at `path`, nullopt when nothing is or there is none. Only while nobody has it open.
/// One commit that is cut short at the end is no damage: a power loss leaves it so, and it was never promised.
std::optional<std::string> find_wal_damage(const std::string& path);

}  // namespace ronda::store
