// SPDX-License-Identifier: Apache-2.0
// Values of conf.d against declared options, with lists and tables: all that is wrong, at its place, in one pass.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/scalar_value.hpp"

namespace ronda::plugin {

/// A value against the whole type of an option. Nothing when an error was added.
std::optional<OptionNode> check_value(const Option& option, const config::Value& value, const std::string& name,
                                      CheckContext& context);

struct TableCheck {
  const std::vector<Option>& options;
  const config::Table& given;
  config::Place place;  // of the table, for what is missing in it
  std::string prefix;   // "expect.", or nothing at the first level
  bool has_core_keys = false;
};

/// A table against the options that may stand in it; fills defaults. Nothing when an error was added.
std::optional<OptionTable> check_table(const TableCheck& table, CheckContext& context);

/// Keys of conf.d that belong to the core in every check, task and notifier.
const std::vector<std::string_view>& core_keys();
bool is_core_key(std::string_view key);

}  // namespace ronda::plugin
