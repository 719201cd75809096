// SPDX-License-Identifier: Apache-2.0
// One text with {{placeholders}}, parsed and judged once. The home of the mustache library: its types stay in the
// source file. Of its language the plain forms alone: {{x}}, {{#x}}..{{/x}}, {{^x}}..{{/x}} and {{! comments}}.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "notify/template.hpp"

namespace ronda::notify {

class Pattern {
 public:
  /// Errc::invalid: what is wrong, where in the text, and what was meant, for people.
  static Result<Pattern> parse(std::string_view text);
  /// With these placeholders alone: the others have no value where it is filled.
  static Result<Pattern> parse(std::string_view text, std::span<const std::string_view> names);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  /// Values as they are given: escape them before. An empty one counts as missing.
  std::string fill(const Fields& escaped) const;

 private:
  struct Parsed;
  explicit Pattern(std::unique_ptr<Parsed> parsed);
  std::unique_ptr<Parsed> parsed_;
};

inline constexpr std::size_t pattern_bytes_max = 16 * 1024;
inline constexpr int pattern_depth_max = 8;

}  // namespace ronda::notify
