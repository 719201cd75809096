// SPDX-License-Identifier: Apache-2.0
// What a reload changes: instances by kind and name, compared by content hash. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/generation.hpp"

namespace ronda::config {

struct InstanceName {
  Kind kind = Kind::check;
  std::string name;
  bool operator==(const InstanceName&) const = default;
};

struct Diff {
  std::size_t kept = 0;
  std::vector<InstanceName> replaced;
  std::vector<InstanceName> added;
  std::vector<InstanceName> removed;
  bool settings_changed = false;
  bool objects_changed = false;  // services, alerts, contacts, ...

  bool empty() const {
    return replaced.empty() && added.empty() && removed.empty() && !settings_changed && !objects_changed;
  }
};

Diff diff(const Generation& before, const Generation& after);

/// "112 kept, 2 replaced, 1 added, 0 removed"
std::string counts_text(const Diff& diff);
/// The names behind the counts for the log: "removed check api, task dump; added ..."; at most `most` of
/// each.
std::string names_text(const Diff& diff, std::size_t most);

}  // namespace ronda::config
