// SPDX-License-Identifier: Apache-2.0
// A POSIX extended regular expression that costs time linear in the line: no back-references, no repeats that multiply.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace host {

class Pattern {
 public:
  Pattern() = default;
  /// Throws std::invalid_argument with the reason; configs are checked when an instance is made.
  explicit Pattern(const std::string& expression);

  /// Matches somewhere in `line`, which may hold any bytes. An empty pattern matches nothing.
  bool found_in(std::string_view line) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace host
