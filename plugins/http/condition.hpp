// SPDX-License-Identifier: Apache-2.0
// What a value must be: a literal as it stands in the config (true, 5, "up"), or text that begins with an
// operator: "< 500ms", ">= 0.5", "!= none", "== any(ok, degraded)", "== pat(v2.*)", "~ ^v[0-9]+$", "!~ error".
// Literals after an operator: numbers with an optional unit (% ns us ms s m h d w B KB KiB ...), true, false,
// null, "quoted" or bare words. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document.hpp"
#include "regex.hpp"

namespace http {

struct Literal {
  enum class Type { null, boolean, number, string, glob };
  Type type = Type::null;
  bool boolean = false;
  double number = 0;
  std::string string;
};

class Condition {
 public:
  enum class Op { equal, unequal, less, less_equal, greater, greater_equal, matches, matches_not };

  static Condition equals(bool value);
  static Condition equals(double value);
  /// A string as it stands in the config: a condition if it begins with an operator, else that very string.
  static ronda::reply<Condition> from_text(std::string_view text);

  bool holds(const JsonValue& value) const;
  /// As it is to be read after "expected": `true`, `< 500ms`, `"up"`.
  const std::string& text() const { return text_; }

 private:
  Op op_ = Op::equal;
  std::vector<Literal> literals_;
  std::optional<Regex> regex_;
  std::string text_;
};

/// `*` any characters, `?` one; time at most pattern x text, no recursion.
bool glob_matches(std::string_view pattern, std::string_view text);

/// "1.5", "80%" (0.8), "500ms" (0.5), "10MiB"; nothing when it is no such number.
std::optional<double> number_with_unit(std::string_view text);

}  // namespace http
