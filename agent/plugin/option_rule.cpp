// SPDX-License-Identifier: Apache-2.0
#include "plugin/option_rule.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "plugin/scalar_value.hpp"

namespace ronda::plugin {
namespace {

struct Operator {
  std::string_view text;
  Comparison comparison;
};
// longer ones first
constexpr std::array<Operator, 6> operators = {{{"<=", Comparison::less_equal},
                                                {">=", Comparison::greater_equal},
                                                {"==", Comparison::equal},
                                                {"!=", Comparison::not_equal},
                                                {"<", Comparison::less},
                                                {">", Comparison::greater}}};

std::vector<std::string> split_path(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t dot = text.find('.');
    parts.emplace_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

const Option* resolve(const std::vector<std::string>& path, const std::vector<Option>& options) {
  const std::vector<Option>* level = &options;
  const Option* option = nullptr;
  for (const std::string& part : path) {
    if (level == nullptr) return nullptr;
    option = find_option(*level, part);
    if (option == nullptr) return nullptr;
    level = option->type == OptionType::table && option->wrappers.empty() ? &option->keys : nullptr;
  }
  return option;
}

/// Options whose values may be compared: numbers with numbers, durations with durations, text with text.
int comparison_class(OptionType type) {
  switch (type) {
    case OptionType::integer:
    case OptionType::port:
    case OptionType::real:
      return 1;
    case OptionType::duration:
      return 2;
    case OptionType::bytes:
      return 3;
    case OptionType::percent:
      return 4;
    case OptionType::timestamp:
      return 5;
    case OptionType::boolean:
      return 6;
    case OptionType::secret:
    case OptionType::any:
    case OptionType::table:
      return 0;
    default:
      return 7;
  }
}

bool is_key_like(std::string_view text) {
  return !text.empty() && text[0] >= 'a' && text[0] <= 'z' && text != "true" && text != "false";
}

/// The literal as TOML would give it to an option of this type.
std::optional<config::Value> literal_value(std::string_view text, OptionType type) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  if (quoted) return config::Value(std::string(text.substr(1, text.size() - 2)), {});
  if (type == OptionType::boolean && (text == "true" || text == "false"))
    return config::Value(text == "true", {});
  const bool number = type == OptionType::integer || type == OptionType::port || type == OptionType::real;
  // a number is read as if a reference had given its text
  if (number) return config::Value(std::string(text), {}, config::Origin::env);
  if (!is_text(type) && type != OptionType::boolean) return config::Value(std::string(text), {});
  return std::nullopt;
}

Result<OptionNode> parse_literal(std::string_view text, const Option& beside) {
  config::Diagnostics diagnostics;
  const TextJudges judges;
  CheckContext context{diagnostics, judges};
  Option plain;
  plain.type = beside.type;
  const auto value = literal_value(text, beside.type);
  auto node = value ? check_scalar(plain, *value, std::string(text), context) : std::nullopt;
  if (node) return *std::move(node);
  return Error(Errc::invalid, "'" + std::string(text) + "' cannot be compared with '" + beside.key + "', " +
                                  "which is of type " + type_name(beside));
}

struct Sides {
  std::string_view left, right;
  Comparison comparison = Comparison::equal;
};

std::optional<Sides> split_sides(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const Operator& candidate : operators) {
      if (!text.substr(at).starts_with(candidate.text)) continue;
      return Sides{trim(text.substr(0, at)), trim(text.substr(at + candidate.text.size())),
                   candidate.comparison};
    }
  }
  return std::nullopt;
}

Result<const Option*> resolve_side(std::string_view text, const std::vector<Option>& options) {
  if (!is_key_like(text)) return static_cast<const Option*>(nullptr);
  const Option* option = resolve(split_path(text), options);
  if (option == nullptr) return Error(Errc::invalid, "there is no option '" + std::string(text) + "'");
  if (!option->wrappers.empty() || comparison_class(option->type) == 0)
    return Error(Errc::invalid,
                 "'" + std::string(text) + "' is of type " + type_name(*option) + ", which has no order");
  return option;
}

bool holds(Comparison comparison, int order) {
  switch (comparison) {
    case Comparison::less:
      return order < 0;
    case Comparison::less_equal:
      return order <= 0;
    case Comparison::greater:
      return order > 0;
    case Comparison::greater_equal:
      return order >= 0;
    case Comparison::equal:
      return order == 0;
    case Comparison::not_equal:
      return order != 0;
  }
  return false;
}

const OptionNode* value_of(const Operand& operand, const OptionNode& values) {
  if (const auto* literal = std::get_if<OptionNode>(&operand)) return literal;
  const OptionNode* node = &values;
  for (const std::string& part : std::get<0>(operand)) {
    node = node->find(part);
    if (node == nullptr) return nullptr;
  }
  return node;
}

bool assertion_holds(const Assertion& assertion, const OptionNode& values) {
  const OptionNode* left = value_of(assertion.left, values);
  const OptionNode* right = value_of(assertion.right, values);
  if (left == nullptr || right == nullptr) return true;
  const auto order = compare_scalars(*left, *right);
  return !order || holds(assertion.comparison, *order);
}

/// The member of conf.d that gives this option, under its name or an old one.
const config::Member* find_given(const std::string& key, const std::vector<Option>& options,
                                 const config::Table& given) {
  const Option* option = find_option(options, key);
  for (const config::Member& member : given) {
    if (member.key == key) return &member;
    if (option != nullptr && std::ranges::find(option->renamed_from, member.key) != option->renamed_from.end())
      return &member;
  }
  return nullptr;
}

std::vector<std::string> first_keys(const Rule& rule) {
  if (!rule.assertion) return rule.one_of.empty() ? rule.any_of : rule.one_of;
  std::vector<std::string> keys;
  for (const Operand* side : {&rule.assertion->left, &rule.assertion->right}) {
    if (const auto* path = std::get_if<0>(side)) keys.push_back(path->front());
  }
  return keys;
}

}  // namespace

Result<Assertion> parse_assertion(std::string_view text, const std::vector<Option>& options) {
  const auto sides = split_sides(text);
  if (!sides || sides->left.empty() || sides->right.empty())
    return Error(Errc::invalid, "an assertion is LEFT OP RIGHT with one of < <= > >= == !=");
  RONDA_TRY(const Option* left, resolve_side(sides->left, options));
  RONDA_TRY(const Option* right, resolve_side(sides->right, options));
  if (left == nullptr && right == nullptr) return Error(Errc::invalid, "an assertion names at least one option");
  if (left != nullptr && right != nullptr) {
    if (comparison_class(left->type) != comparison_class(right->type))
      return Error(Errc::invalid, "'" + std::string(sides->left) + "' is of type " + type_name(*left) + ", '" +
                                      std::string(sides->right) + "' of type " + type_name(*right));
    return Assertion{split_path(sides->left), split_path(sides->right), sides->comparison};
  }
  if (left != nullptr) {
    RONDA_TRY(OptionNode literal, parse_literal(sides->right, *left));
    return Assertion{split_path(sides->left), std::move(literal), sides->comparison};
  }
  RONDA_TRY(OptionNode literal, parse_literal(sides->left, *right));
  return Assertion{std::move(literal), split_path(sides->right), sides->comparison};
}

void check_rules(const std::vector<Rule>& rules, const std::vector<Option>& options, const OptionNode& values,
                 const config::Table& given, config::Place place, config::Diagnostics& diagnostics) {
  for (const Rule& rule : rules) {
    std::size_t count = 0;
    const config::Member* first = nullptr;
    for (const std::string& key : first_keys(rule)) {
      const config::Member* member = find_given(key, options, given);
      if (member == nullptr) continue;
      ++count;
      if (first == nullptr) first = member;
    }
    const bool sound = rule.assertion         ? assertion_holds(*rule.assertion, values)
                       : rule.one_of.empty() ? count > 0
                                             : count == 1;
    if (!sound) diagnostics.error(first == nullptr ? place : first->value.place(), rule.message);
  }
}

}  // namespace ronda::plugin
