// SPDX-License-Identifier: Apache-2.0
// The tables that conf.d knows, and the keys of those objects whose meaning belongs to other parts: here only
// types and units of keys that are decided; other keys pass to the part that owns them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "config/fields.hpp"

namespace ronda::config {

enum class Role : std::uint8_t { setting, instance, service, raw };

struct TopTable {
  std::string_view name;
  Role role;
};

/// Every table that may stand at the top of a file.
std::span<const TopTable> top_tables();
std::span<const std::string_view> top_table_names();
const TopTable* find_top_table(std::string_view name);

/// Judges the decided keys of a raw object, whose value is a table.
void check_raw_object(Scope& scope, const RawObject& object);

/// Values that were wrong as TOML or as references spoil the object although nobody reads them here.
void check_nothing(Scope& scope, const Value& value);

}  // namespace ronda::config
