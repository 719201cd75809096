// SPDX-License-Identifier: Apache-2.0
// The keys that belong to the core in every check, task and notifier; no plugin may declare one of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.hpp"
#include "config/generation.hpp"

namespace ronda::config {

/// All of them, in alphabetical order.
std::span<const std::string_view> core_key_names();
bool is_core_key(std::string_view key);
/// Whether [defaults.KIND] may set it.
bool has_default(std::string_view key);
std::vector<std::string_view> default_key_names();

/// The name of another object that a key mentions; looked up when all objects are known.
struct Mention {
  std::string_view key;
  std::string_view target_kind;
  std::string target;
  Place place;
};

/// Reads one core key into the instance; false when `key` is none.
bool read_core_key(Scope& scope, const Member& member, Instance& instance, std::vector<Mention>& mentions);

/// What must hold between the keys of one instance, after all were read; sets the interval of a bare check.
void finish_instance(Scope& scope, Instance& instance);

/// `for`: a duration, "3 of 5", or a table of either per level.
std::vector<Hold> read_hold(Scope& scope, const Value& value);

}  // namespace ronda::config
