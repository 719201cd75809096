// SPDX-License-Identifier: Apache-2.0
#include "rule/tokens.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "base/units.hpp"

namespace ronda::rule {
namespace {

using Kind = Token::Kind;

constexpr std::size_t most_shown = 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_word(char c) {
  return is_digit(c) || is_letter(c) || c == '_' || c == '-' || c == '.';
}

std::string shown(std::string_view text) {
  return "\"" + escape_controls(repair_utf8(text, most_shown)) + "\"";
}

/// Digits with a fraction, then letters, as often as they come ("1h30m"), then "%": its length.
std::size_t quantity_length(std::string_view text) {
  std::size_t end = text.starts_with('-') ? 1 : 0;
  while (end < text.size() && is_digit(text[end])) {
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
      ++end;
      while (end < text.size() && is_digit(text[end])) ++end;
    }
    while (end < text.size() && is_letter(text[end])) ++end;
  }
  return end < text.size() && text[end] == '%' ? end + 1 : end;
}

std::string_view unit_of(std::string_view quantity) {
  const std::size_t unit = quantity.find_first_not_of("-0123456789.");
  if (unit == std::string_view::npos) return "";
  if (quantity[unit] == '%') return "ratio";
  return quantity.find('B', unit) == std::string_view::npos ? "s" : "B";
}

struct Rate {
  std::string_view text;
  double seconds;
};
constexpr std::array<Rate, 4> rates = {{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};

/// What people write who know other languages, and what it is called here.
struct Foreign {
  std::string_view sign;
  std::string_view remedy;
};
constexpr std::array<Foreign, 9> foreign = {{{"&&", "write `and`"},
                                             {"&", "write `and`"},
                                             {"||", "write `or`"},
                                             {"|", "write `or`"},
                                             {"!", "write `not`"},
                                             {"+", "there is no arithmetic, but the functions over time and ratio(a, b)"},
                                             {"-", "there is no arithmetic, but the functions over time and ratio(a, b)"},
                                             {"*", "there is no arithmetic, but the functions over time and ratio(a, b)"},
                                             {"/", "there is no arithmetic; ratio(a, b) divides"}}};

}  // namespace

Error error_at(std::size_t offset, std::string message) {
  return Error(Errc::invalid, std::move(message), Position{"", 1, static_cast<std::uint32_t>(offset + 1)});
}

Token Tokens::make(Kind kind, std::size_t length) {
  Token token;
  token.kind = kind;
  token.begin = at_;
  token.length = length;
  at_ += length;
  return token;
}

Result<Token> Tokens::next() {
  while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  if (at_ == text_.size()) return make(Kind::end, 0);
  const char c = text_[at_];
  if (c == '"' || c == '\'') return read_text(c);
  const bool negative = c == '-' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
  if (is_digit(c) || is_letter(c) || c == '_' || negative) return read_number_or_word();
  return read_sign();
}

Result<Token> Tokens::read_text(char quote) {
  std::string out;
  for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
    if (text_[i] == quote) {
      Token token = make(Kind::text, i + 1 - at_);
      token.text = std::move(out);
      return token;
    }
    if (text_[i] == '\\' && i + 1 < text_.size() && (text_[i + 1] == quote || text_[i + 1] == '\\')) ++i;
    out += text_[i];
  }
  return error_at(at_, "this text has no closing quote");
}

Result<Token> Tokens::read_number_or_word() {
  const std::string_view rest = text_.substr(at_);
  std::size_t word = rest.starts_with('-') ? 1 : 0;
  while (word < rest.size() && is_word(rest[word])) ++word;
  std::size_t length = quantity_length(rest);
  // a name may begin with a digit: "3scale.status"
  const std::size_t dot = rest.substr(0, word).find('.');
  if (length == 0 || (length < word && !rest.starts_with('-') && dot != std::string_view::npos)) return make(Kind::word, word);
  length = std::max(length, word);
  const auto value = parse_quantity(rest.substr(0, length));
  if (!value) {
    if (is_object_name(rest.substr(0, length))) return make(Kind::word, length);
    return error_at(at_, value.error().message());
  }
  Token token;
  token.number = *value;
  token.dimension.unit = unit_of(rest.substr(0, length));
  if (length < rest.size() && rest[length] == '/') {
    std::size_t end = length + 1;
    while (end < rest.size() && is_word(rest[end])) ++end;
    const std::string_view per = rest.substr(length + 1, end - length - 1);
    const auto known = std::ranges::find(rates, per, &Rate::text);
    if (known == rates.end()) return error_at(at_ + length, "after \"/\" stands s, m, h or d: 10MiB/s is so much each second");
    token.number /= known->seconds;
    token.dimension.per = Per::second;
    length = end;
  }
  const Token place = make(Kind::number, length);
  token.kind = Kind::number;
  token.begin = place.begin;
  token.length = place.length;
  return token;
}

Result<Token> Tokens::read_sign() {
  struct Sign {
    std::string_view text;
    Kind kind;
    Relation relation = Relation::more;
  };
  constexpr std::array<Sign, 12> signs = {{{"<=", Kind::relation, Relation::at_most},
                                           {">=", Kind::relation, Relation::at_least},
                                           {"==", Kind::relation, Relation::equal},
                                           {"!=", Kind::relation, Relation::other},
                                           {"<", Kind::relation, Relation::less},
                                           {">", Kind::relation, Relation::more},
                                           {"=", Kind::assign},
                                           {"(", Kind::open},
                                           {")", Kind::close},
                                           {"[", Kind::open_bracket},
                                           {"]", Kind::close_bracket},
                                           {",", Kind::comma}}};
  const std::string_view rest = text_.substr(at_);
  for (const Sign& sign : signs) {
    if (!rest.starts_with(sign.text)) continue;
    Token token = make(sign.kind, sign.text.size());
    token.relation = sign.relation;
    return token;
  }
  for (const Foreign& one : foreign) {
    if (rest.starts_with(one.sign))
      return error_at(at_, "\"" + std::string(one.sign) + "\" is no sign of conditions; " + std::string(one.remedy));
  }
  std::size_t bytes = 1;
  while (bytes < rest.size() && (static_cast<unsigned char>(rest[bytes]) & 0xC0U) == 0x80U) ++bytes;
  return error_at(at_, shown(rest.substr(0, bytes)) + " has no meaning here");
}

}  // namespace ronda::rule
