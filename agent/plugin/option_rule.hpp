// SPDX-License-Identifier: Apache-2.0
// Rules between the options of one procedure: comparisons of keys and literals, and which keys belong together.
// There is no more language than this; what is wrong with a rule is found when the manifest is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "config/diagnostic.hpp"
#include "plugin/option.hpp"

namespace ronda::plugin {

enum class Comparison : std::uint8_t { less, less_equal, greater, greater_equal, equal, not_equal };

/// The path of a key ("tls.min_days" in two parts) or a literal in base units.
using Operand = std::variant<std::vector<std::string>, OptionNode>;

struct Assertion {
  Operand left, right;
  Comparison comparison = Comparison::equal;
};

struct Rule {
  std::optional<Assertion> assertion;
  std::string assertion_text;
  std::vector<std::string> one_of;  // exactly one of these is given
  std::vector<std::string> any_of;  // at least one
  std::string message;
};

/// "warn_at <= crit_at" with both sides resolved against `options`.
Result<Assertion> parse_assertion(std::string_view text, const std::vector<Option>& options);

/// Adds an error for every rule that does not hold. `given` is the object in conf.d, `place` its header;
/// the error stands at the first key of the rule that was given, else at the header.
void check_rules(const std::vector<Rule>& rules, const std::vector<Option>& options, const OptionNode& values,
                 const config::Table& given, config::Place place, config::Diagnostics& diagnostics);

}  // namespace ronda::plugin
