// SPDX-License-Identifier: Apache-2.0
#include "condition.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace http {
namespace {

struct Unit {
  std::string_view name;
  double multiply, divide;
};
constexpr Unit units[] = {
    {"", 1, 1},
    {"%", 1, 100},
    {"ns", 1, 1e9},
    {"us", 1, 1e6},
    {"ms", 1, 1e3},
    {"s", 1, 1},
    {"m", 60, 1},
    {"h", 3600, 1},
    {"d", 86400, 1},
    {"w", 604800, 1},
    {"B", 1, 1},
    {"KB", 1e3, 1},
    {"MB", 1e6, 1},
    {"GB", 1e9, 1},
    {"TB", 1e12, 1},
    {"KiB", 1024.0, 1},
    {"MiB", 1048576.0, 1},
    {"GiB", 1073741824.0, 1},
    {"TiB", 1099511627776.0, 1},
};

struct Operator {
  std::string_view sign;
  Condition::Op op;
};
// the longer ones first
constexpr Operator operators[] = {
    {"==", Condition::Op::equal},         {"!=", Condition::Op::unequal},     {"<=", Condition::Op::less_equal},
    {">=", Condition::Op::greater_equal}, {"!~", Condition::Op::matches_not}, {"<", Condition::Op::less},
    {">", Condition::Op::greater},        {"~", Condition::Op::matches},
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// The inside of name(...); nothing when `text` is no such call.
std::optional<std::string_view> argument(std::string_view name, std::string_view text) {
  if (text.substr(0, name.size()) != name || text.substr(name.size(), 1) != "(" || text.back() != ')') return std::nullopt;
  return text.substr(name.size() + 1, text.size() - name.size() - 2);
}

Literal read_literal(std::string_view text) {
  Literal literal;
  if (text == "null") return literal;
  if (text == "true" || text == "false") {
    literal.type = Literal::Type::boolean;
    literal.boolean = text == "true";
  } else if (const auto number = number_with_unit(text)) {
    literal.type = Literal::Type::number;
    literal.number = *number;
  } else if (const auto pattern = argument("pat", text)) {
    literal.type = Literal::Type::glob;
    literal.string = std::string(*pattern);
  } else {
    const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
    literal.type = Literal::Type::string;
    literal.string = std::string(quoted ? text.substr(1, text.size() - 2) : text);
  }
  return literal;
}

bool equal(const Literal& literal, const JsonValue& value) {
  using Type = JsonValue::Type;
  switch (literal.type) {
    case Literal::Type::null:
      return value.type == Type::null;
    case Literal::Type::boolean:
      return value.type == Type::boolean && value.boolean == literal.boolean;
    case Literal::Type::number:
      return value.type == Type::number && value.number == literal.number;
    case Literal::Type::string:
      return value.type == Type::string && value.string == literal.string;
    case Literal::Type::glob:
      return value.type == Type::string && glob_matches(literal.string, value.string);
  }
  return false;
}

bool ordered(Condition::Op op, double left, double right) {
  switch (op) {
    case Condition::Op::less:
      return left < right;
    case Condition::Op::less_equal:
      return left <= right;
    case Condition::Op::greater:
      return left > right;
    default:
      return left >= right;
  }
}

ronda::reply<Condition> refuse(std::string_view text, std::string_view why) {
  return ronda::reply<Condition>::failed(RONDA_E_INVALID, ronda::text("condition '", text, "': ", why));
}

/// What looks like an operator and is none, with what may be meant; empty when `text` is a text.
std::string misread(std::string_view text) {
  if (text.empty()) return {};
  const std::string_view first = text.substr(0, 1);
  const std::string_view second = text.substr(1, 1);
  const std::string rest(trim(text.substr(1)));
  const auto literally = ronda::text("; for the text itself write \"== \\\"", text, "\\\"\"");
  if (first == "=" && second != "<" && second != ">") {
    if (second == "~") return ronda::text("'=~' is no operator: write \"~ ", trim(text.substr(2)), "\"", literally);
    return ronda::text("'=' is no operator: write \"== ", rest, "\"", literally);
  }
  if (first == "=") return ronda::text("'=", second, "' is no operator: write \"", second, "= ", trim(text.substr(2)), "\"", literally);
  if (first == "!" && second == " ") return ronda::text("'!' is no operator: write \"!= ", rest, "\"", literally);
  return {};
}

std::vector<Literal> read_literals(std::string_view operand) {
  std::vector<Literal> literals;
  auto list = argument("any", operand);
  if (!list) return {read_literal(operand)};
  while (true) {
    const auto comma = list->find(',');
    literals.push_back(read_literal(trim(list->substr(0, comma))));
    if (comma == list->npos) return literals;
    list->remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<double> number_with_unit(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool starts_like_one = !text.empty() && (text[0] == '-' || text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));
  if (error != std::errc{} || !starts_like_one) return std::nullopt;  // from_chars also takes "inf" and "nan"
  const auto name = trim(text.substr(static_cast<std::size_t>(end - text.data())));
  const auto* unit = std::find_if(std::begin(units), std::end(units), [&](const Unit& u) { return u.name == name; });
  if (unit == std::end(units)) return std::nullopt;
  return value * unit->multiply / unit->divide;
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Condition Condition::equals(bool value) {
  Condition condition;
  condition.literals_ = {{Literal::Type::boolean, value, 0, {}}};
  condition.text_ = value ? "true" : "false";
  return condition;
}

Condition Condition::equals(double value) {
  Condition condition;
  condition.literals_ = {{Literal::Type::number, false, value, {}}};
  condition.text_ = ronda::text(value);
  return condition;
}

ronda::reply<Condition> Condition::from_text(std::string_view text) {
  Condition condition;
  const auto* found =
      std::find_if(std::begin(operators), std::end(operators), [&](const Operator& o) { return text.substr(0, o.sign.size()) == o.sign; });
  if (found == std::end(operators)) {
    if (const auto meant = misread(text); !meant.empty()) return refuse(text, meant);
    condition.literals_ = {{Literal::Type::string, false, 0, std::string(text)}};
    condition.text_ = "\"" + std::string(text) + "\"";
    return condition;
  }
  const auto operand = trim(text.substr(found->sign.size()));
  if (operand.empty()) return refuse(text, "nothing stands after the operator");
  condition.op_ = found->op;
  condition.text_ = std::string(found->op == Op::equal ? operand : text);
  if (found->op == Op::matches || found->op == Op::matches_not) {
    auto regex = Regex::compile(operand);
    if (!regex) return refuse(text, regex.error());
    condition.regex_ = std::move(*regex);
    return condition;
  }
  condition.literals_ = read_literals(operand);
  const bool orders = found->op != Op::equal && found->op != Op::unequal;
  if (orders && (condition.literals_.size() != 1 || condition.literals_[0].type != Literal::Type::number))
    return refuse(text, ronda::text("'", found->sign, "' compares with one number, for example \"", found->sign, " 5\" or \"", found->sign,
                                    " 500ms\""));
  return condition;
}

bool Condition::holds(const JsonValue& value) const {
  if (value.type == JsonValue::Type::missing) return false;  // nothing is neither equal nor unequal
  const auto is_equal = [&](const Literal& literal) { return equal(literal, value); };
  switch (op_) {
    case Op::equal:
      return std::any_of(literals_.begin(), literals_.end(), is_equal);
    case Op::unequal:
      return std::none_of(literals_.begin(), literals_.end(), is_equal);
    case Op::matches:
      return value.type == JsonValue::Type::string && regex_->search(value.string);
    case Op::matches_not:
      return value.type == JsonValue::Type::string && !regex_->search(value.string);
    default:
      break;
  }
  const auto number = value.as_number();
  return number && ordered(op_, *number, literals_[0].number);
}

}  // namespace http
