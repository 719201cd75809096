// SPDX-License-Identifier: Apache-2.0
// The content lines of an iCalendar file (RFC 5545, 3.1): unfolded, taken apart into name, parameters and value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ronda::people {

struct ContentLine {
  std::uint32_t number = 0;                                     // of its first line in the file
  std::string name;                                             // upper case
  std::vector<std::pair<std::string, std::string>> parameters;  // names upper case, values without quotes
  std::string value;

  std::string_view parameter(std::string_view key) const;
};

/// Takes the next content line from `text` and moves on; none at its end. A line that has no colon comes with its
/// whole text as `name` and is of no use to anybody.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}
  std::optional<ContentLine> next();

 private:
  std::string_view take_physical();

  std::string_view rest_;
  std::uint32_t number_ = 0;
};

/// Names and words of the format are the same whatever their case.
std::string upper_case(std::string_view text);

/// A TEXT value without its escapes (3.3.11).
std::string unescape_text(std::string_view value);

}  // namespace ronda::people
