// SPDX-License-Identifier: Apache-2.0
// What objects say of each other: mentioned names that do not exist, cycles of `after`, checks that tell
// nobody.
#pragma once

#include <span>
#include <vector>

#include "config/core_keys.hpp"
#include "config/generation.hpp"

namespace ronda::config {

/// A mention and who made it; kind is "check", "task", "notifier", "service" or "agent".
struct Link {
  std::string_view kind;
  std::string name;
  Mention mention;
};

/// Judges the links of a generation whose objects are sorted; `unsound` are objects that are wrong themselves. With
/// `names_complete` false (a file could not be read) an unknown name may be right, and is only dropped. Objects with
/// a wrong mention move to `disabled`.
void judge_links(Generation& generation, std::span<const RawObject> unsound, const std::vector<Link>& links,
                 bool names_complete, Diagnostics& diagnostics);

}  // namespace ronda::config
