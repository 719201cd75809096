// SPDX-License-Identifier: Apache-2.0
// A condition's text cut into words, numbers with units, strings and signs. Private to agent/rule.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "rule/condition.hpp"

namespace ronda::rule {

struct Token {
  enum class Kind : std::uint8_t { end, word, number, text, open, close, open_bracket, close_bracket, comma, assign, relation };
  Kind kind = Kind::end;
  std::size_t begin = 0, length = 0;
  double number = 0;    // in base units; per second where it has a "/"
  Dimension dimension;  // of a number
  Relation relation = Relation::more;
  std::string text;  // of a string, without its quotes

  std::size_t end() const { return begin + length; }
};

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}
  /// An Error's column is the byte, counted from 1.
  Result<Token> next();

 private:
  Result<Token> read_text(char quote);
  Result<Token> read_number_or_word();
  Result<Token> read_sign();
  Token make(Token::Kind kind, std::size_t length);

  std::string_view text_;
  std::size_t at_ = 0;
};

Error error_at(std::size_t offset, std::string message);

}  // namespace ronda::rule
