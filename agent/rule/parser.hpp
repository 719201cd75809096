// SPDX-License-Identifier: Apache-2.0
// The reader of conditions: recursive descent, one token ahead, bounded in depth and size. Private to agent/rule.
#pragma once

#include <string>
#include <string_view>

#include "rule/condition.hpp"
#include "rule/tokens.hpp"

namespace ronda::rule {

/// `text` in backquotes, fit for a message.
std::string tick(std::string_view text);

class Parser {
 public:
  /// `text` is that of `out`; both outlive it.
  Parser(std::string_view text, Condition& out) : tokens_(text), out_(out) {}

  /// Fills the nodes; an Error's column is the byte, counted from 1.
  Status run();

 private:
  using Index = Result<std::uint32_t>;
  using Kind = Token::Kind;

  Index condition();
  Index all();
  Index one();
  Index negation();
  Index comparison();
  Index compare(std::uint32_t left, Token relation, std::uint32_t right);
  Index value();
  Index parenthesis();
  Index word();
  Index reference(const Token& name);
  Index call(const Token& name);
  Index over_time(Node node);
  Index counted(Node node);
  Index ratio(Node node);
  Index baseline(Node node);
  Index forecast(Node node);
  Index task_age(Node node);
  Result<std::uint32_t> metric_argument(std::string_view function);
  Result<std::int64_t> duration_argument(std::string_view what);
  Status labels(Node& node);
  Status expect(Kind kind, std::string_view what);
  Status advance();
  Status deeper();

  Index add(Node node);
  Index joined(Form form, std::uint32_t left, std::uint32_t right);
  Node at(const Token& token, Form form) const;
  void close(Node& node) const { node.length = static_cast<std::uint32_t>(last_end_) - node.begin; }
  const Node& node(std::uint32_t index) const { return out_.nodes[index]; }
  std::string_view text_of(const Token& token) const { return std::string_view(out_.text).substr(token.begin, token.length); }
  bool is_word(std::string_view word) const { return token_.kind == Kind::word && text_of(token_) == word; }
  bool is_truth(std::uint32_t index) const { return node(index).form <= Form::compared; }
  bool is_number(std::uint32_t index) const {
    const Form form = node(index).form;
    return form > Form::compared && form != Form::word && form != Form::status;
  }
  Error not_a_truth(std::uint32_t index) const;
  Error unexpected(std::string message) const { return error_at(token_.begin, std::move(message)); }

  Tokens tokens_;
  Condition& out_;
  Token token_;
  std::size_t last_end_ = 0;  // of the token before
  std::size_t depth_ = 0;
};

}  // namespace ronda::rule
