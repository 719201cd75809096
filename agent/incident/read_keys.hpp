// SPDX-License-Identifier: Apache-2.0
// How the objects of this part are read: key by key, an unknown one is an error with the nearest known one.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "config/fields.hpp"
#include "config/redact.hpp"

namespace ronda::people {

/// Calls `read(key, value)` for each known key of the table; the others are errors.
template <class Read>
void read_keys(config::Scope& scope, const config::Table& table, std::span<const std::string_view> known, Read read) {
  for (const config::Member& member : table) {
    if (std::ranges::find(known, std::string_view(member.key)) == known.end()) {
      scope.error(member.key_place, config::unknown_key(member.key, known));
    } else {
      read(std::string_view(member.key), member.value);
    }
  }
}

/// A text that is shown to people: what came from a secret stands as it was written. Empty: it is none, which was told.
inline std::string shown_title(config::Scope& scope, std::string_view key, const config::Value& value,
                               const config::Generation& generation) {
  const auto text = config::read_text(scope, key, value);
  if (!text || value.origin() != config::Origin::secret) return text.value_or("");
  return config::shown_text(value, generation.written_at(value.place()), false);
}

/// "; did you mean `x`?", or nothing.
inline std::string hint(std::string_view word, std::span<const std::string_view> names) {
  const std::string_view close = nearest(word, names);
  return close.empty() ? std::string() : "; did you mean `" + std::string(close) + "`?";
}

/// A name as it is quoted in a message: bounded, without control characters.
inline std::string quoted(std::string_view name) {
  return "`" + escape_controls(name.substr(0, 128)) + "`";
}

}  // namespace ronda::people
