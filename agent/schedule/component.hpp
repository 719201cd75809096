// SPDX-License-Identifier: Apache-2.0
// One field of a calendar expression: "*", or a list of values, ranges and steps, read from a piece of the
// text. Used by both grammars; private to agent/schedule. The text is bounded, each message has the column.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ronda::schedule {

/// A piece of the expression and the column (from 1) at which it stands.
struct Piece {
  std::string_view text;
  std::uint32_t column = 1;

  Piece sub(std::size_t from, std::size_t length = std::string_view::npos) const {
    return {text.substr(from, length), column + static_cast<std::uint32_t>(from)};
  }
};

/// What a field may hold, and how its ranges are written.
struct FieldRule {
  std::string_view name;  // "hour": for messages
  int low = 0;
  int high = 0;
  std::string_view range;                   // ".." or "-"
  std::span<const std::string_view> names;  // of low, low + 1, ...; three letters, any case
};

struct Chain {
  std::vector<int> values;  // ascending, each once
  bool star = false;        // the whole field is "*"
  bool starts_with_star = false;
  bool has_step = false;
};

Result<Chain> parse_chain(Piece piece, const FieldRule& rule);

Error calendar_error(std::uint32_t column, std::string message);
/// The pieces between separators, empty ones included.
std::vector<Piece> split(Piece piece, char separator);
/// The words between spaces.
std::vector<Piece> split_words(std::string_view text);
bool same_letters(std::string_view a, std::string_view b);

}  // namespace ronda::schedule
