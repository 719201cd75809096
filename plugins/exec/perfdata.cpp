// SPDX-License-Identifier: Apache-2.0
#include "perfdata.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace nagios {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// A number at the front of `text`, which is then moved past it. A comma is taken for a decimal point when a
/// digit follows it: plugins print in their own locale.
std::optional<double> take_number(std::string_view& text) {
  const auto sign = text.substr(0, 1) == "+" ? std::size_t{1} : std::size_t{0};
  std::string digits(text.substr(sign, 64));
  const auto comma = digits.find(',');
  if (comma != std::string::npos && comma + 1 < digits.size() && is_digit(digits[comma + 1]) &&
      digits.find('.') == std::string::npos)
    digits[comma] = '.';
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(sign + static_cast<std::size_t>(end - digits.data()));
  return value;
}

/// Empty, a letter or a sign like % or \u00b5 first; "1,234.5" is no number and ",234.5" no unit.
bool is_unit(std::string_view text) {
  return text.size() <= max_unit_bytes &&
         (text.empty() || (!is_digit(text.front()) && std::string_view("+-.,:'").find(text.front()) == std::string_view::npos));
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  Perfdata scan() {
    for (skip_space(); !rest_.empty(); skip_space()) {
      auto label = rest_.front() == '\'' ? quoted_label() : plain_label();
      if (label) item(std::move(*label));
    }
    return std::move(found_);
  }

 private:
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  std::string_view take_token() {
    const auto end = std::find_if(rest_.begin(), rest_.end(), is_space);
    const auto token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }

  std::optional<std::string> give_up_token() {
    take_token();
    ++found_.malformed;
    return std::nullopt;
  }

  /// 'it''s'= ; a doubled quote stands for one.
  std::optional<std::string> quoted_label() {
    std::string label;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] != '\'') {
        label += rest_[i];
      } else if (rest_.substr(i + 1, 1) == "'") {
        label += rest_[i++];
      } else {
        rest_.remove_prefix(i + 1);
        return after_label(std::move(label));
      }
    }
    ++found_.malformed;  // the quote never ends
    rest_ = {};
    return std::nullopt;
  }

  /// Everything up to '=', blanks included, since many plugins do not quote. What stands before a ';' or on a
  /// line above belongs to no item.
  std::optional<std::string> plain_label() {
    const auto equals = rest_.find('=');
    if (equals == std::string_view::npos) {
      ++found_.malformed;
      rest_ = {};
      return std::nullopt;
    }
    auto label = rest_.substr(0, equals);
    rest_.remove_prefix(equals);
    if (const auto stray = label.find_last_of(";\n"); stray != std::string_view::npos) {
      ++found_.malformed;
      label.remove_prefix(stray + 1);
    }
    return after_label(std::string(trim(label)));
  }

  std::optional<std::string> after_label(std::string label) {
    if (rest_.empty() || rest_.front() != '=' || label.empty() || label.size() > max_label_bytes)
      return give_up_token();
    rest_.remove_prefix(1);
    return label;
  }

  void item(std::string label) {
    Perfdatum datum;
    datum.label = std::move(label);
    auto fields = take_token();
    auto value = take_field(fields);
    if (value == "U" || value == "u") {
      ++found_.undetermined;
      return;
    }
    const auto number = take_number(value);
    while (!value.empty() && value.back() == ',') value.remove_suffix(1);  // "a=1, b=2"
    if (!number || !is_unit(value)) {
      ++found_.malformed;
    } else if (!std::isfinite(*number)) {
      ++found_.undetermined;
    } else if (found_.items.size() == max_items) {
      ++found_.dropped;
    } else {
      datum.value = *number;
      datum.unit = value;
      for (auto* field : {&datum.warn, &datum.crit, &datum.min, &datum.max}) *field = take_field(fields);
      found_.items.push_back(std::move(datum));
    }
  }

  static std::string_view take_field(std::string_view& fields) {
    const auto field = fields.substr(0, fields.find(';'));
    fields.remove_prefix(std::min(fields.size(), field.size() + 1));
    return field;
  }

  std::string_view rest_;
  Perfdata found_;
};

/// Multiplied, then divided: 57 / 100 is 0.57, 57 * 0.01 is not.
struct Scale {
  std::string_view unit;
  std::string_view base;
  double multiply, divide;
};

constexpr Scale scales[] = {
    {"%", "ratio", 1, 100},        {"ns", "s", 1, 1e9},           {"us", "s", 1, 1e6},
    {"\xC2\xB5s", "s", 1, 1e6},    {"\xCE\xBCs", "s", 1, 1e6},    {"ms", "s", 1, 1e3},
    {"s", "s", 1, 1},              {"min", "s", 60, 1},           {"h", "s", 3600, 1},
    {"d", "s", 86400, 1},          {"B", "B", 1, 1},              {"KB", "B", 1e3, 1},
    {"kB", "B", 1e3, 1},           {"MB", "B", 1e6, 1},           {"GB", "B", 1e9, 1},
    {"TB", "B", 1e12, 1},          {"PB", "B", 1e15, 1},          {"KiB", "B", 1024.0, 1},
    {"MiB", "B", 1048576.0, 1},    {"GiB", "B", 1073741824.0, 1}, {"TiB", "B", 1099511627776.0, 1},
    {"PiB", "B", 1125899906842624.0, 1},
};

std::string number_text(double value) {
  char text[400];  // without an exponent, which a range may not have: up to 309 digits
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  return std::string(text, end);
}

/// One bound: a number, perhaps with the unit said again ("10%").
std::string scaled_bound(std::string_view text, const Scale& scale, bool& valid) {
  const auto value = take_number(text);
  valid = valid && value && std::isfinite(*value) && (text.empty() || text == scale.unit);
  return valid ? number_text(*value * scale.multiply / scale.divide) : std::string();
}

/// [@][start:][end] with every number scaled; empty when it is no such range.
std::string scaled_range(std::string_view range, const Scale& scale) {
  bool valid = !range.empty();
  std::string out;
  if (valid && range.front() == '@') {
    out = "@";
    range.remove_prefix(1);
    valid = !range.empty();
  }
  const auto colon = range.find(':');
  if (colon != std::string_view::npos) {
    const auto start = range.substr(0, colon);
    if (!start.empty()) out += start == "~" ? "~" : scaled_bound(start, scale, valid);
    out += ':';
    range.remove_prefix(colon + 1);
  }
  if (!range.empty()) out += scaled_bound(range, scale, valid);
  return valid ? out : std::string();
}

}  // namespace

Perfdata parse_perfdata(std::string_view text) { return Scanner(text).scan(); }

Perfdatum to_base_unit(Perfdatum item) {
  const auto* scale = std::find_if(std::begin(scales), std::end(scales),
                                   [&](const Scale& s) { return s.unit == item.unit; });
  const Scale as_it_is{item.unit, item.unit, 1, 1};
  const auto& use = scale == std::end(scales) ? as_it_is : *scale;
  item.value = item.value * use.multiply / use.divide;
  for (auto* range : {&item.warn, &item.crit, &item.min, &item.max}) *range = scaled_range(*range, use);
  item.unit = std::string(use.base);
  return item;
}

Output split_output(std::string_view out) {
  Output parts;
  while (!out.empty() && is_space(out.front())) out.remove_prefix(1);
  bool only_perfdata = false;
  for (bool first = true; !out.empty(); first = false) {
    auto line = out.substr(0, out.find('\n'));
    out.remove_prefix(std::min(out.size(), line.size() + 1));
    const auto bar = only_perfdata ? 0 : line.find('|');
    const auto text = trim(line.substr(0, only_perfdata ? 0 : bar));
    if (first)
      parts.summary = text;
    else if (!only_perfdata)
      parts.detail.append(parts.detail.empty() ? "" : "\n").append(text);
    if (bar == std::string_view::npos) continue;
    parts.perfdata.append(parts.perfdata.empty() ? "" : "\n").append(line.substr(only_perfdata ? 0 : bar + 1));
    only_perfdata = !first;  // after the second bar every line is perfdata
  }
  while (!parts.detail.empty() && is_space(parts.detail.back())) parts.detail.pop_back();
  return parts;
}

}  // namespace nagios
