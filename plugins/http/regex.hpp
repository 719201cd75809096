// SPDX-License-Identifier: Apache-2.0
// POSIX extended regular expressions over text that may hold any bytes. Takes no back-references and none of the escapes
// of other dialects: nothing means something else without a word. Time is linear in the text, whatever it holds.
#pragma once

#include <ronda/reply.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace http {

class Regex {
 public:
  static ronda::reply<Regex> compile(std::string_view pattern);

  bool search(std::string_view text) const;
  /// The first match's first group, or all of the match when there is no group.
  std::optional<std::string_view> extract(std::string_view text) const;
  const std::string& pattern() const { return pattern_; }

 private:
  struct Compiled;
  Regex(std::string pattern, std::shared_ptr<const Compiled> compiled)
      : pattern_(std::move(pattern)), compiled_(std::move(compiled)) {}

  std::string pattern_;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace http
