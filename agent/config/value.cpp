// SPDX-License-Identifier: Apache-2.0
#include "config/value.hpp"

#include <array>

namespace ronda::config {

const Value* Value::find(std::string_view key) const {
  const Table* table = as_table();
  if (table == nullptr) return nullptr;
  for (const Member& member : *table) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view Value::type_name() const {
  constexpr std::array<std::string_view, 7> names = {"nothing",  "a boolean", "an integer", "a number",
                                                     "a string", "a list",    "a table"};
  return names[data_.index()];
}

}  // namespace ronda::config
