// SPDX-License-Identifier: Apache-2.0
// The grammar of conditions:
//
//   condition = all { "or" all }            all = one { "and" one }
//   one       = "not" one | value [ RELATION value ]
//   value     = "(" condition ")" | NUMBER | word | CHECK "." METRIC [ labels ] | "task." NAME ".status" | NAME "(" arguments ")"
//   labels    = "[" NAME "=" TEXT { "," NAME "=" TEXT } "]"
#include "rule/parser.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "rule/judge.hpp"

namespace ronda::rule {
namespace {

constexpr std::array<std::string_view, 5> status_words = {"ok", "warning", "critical", "unknown", "pending"};

}  // namespace

namespace {

/// "task.dump.status": how the task ended last.
bool is_task_status(std::string_view text) {
  constexpr std::string_view status = ".status";
  if (!text.starts_with(task_prefix) || !text.ends_with(status) || text.size() <= task_prefix.size() + status.size()) return false;
  return is_object_name(text.substr(task_prefix.size(), text.size() - task_prefix.size() - status.size()));
}

}  // namespace

std::string tick(std::string_view text) {
  return "`" + escape_controls(repair_utf8(text, 100)) + "`";
}

Status Parser::run() {
  RONDA_TRY(token_, tokens_.next());
  if (token_.kind == Kind::end) return error_at(0, "an empty condition; write for example \"api.status == critical\"");
  RONDA_TRY(const std::uint32_t whole, condition());
  if (token_.kind == Kind::word && (text_of(token_) == "AND" || text_of(token_) == "OR")) return unexpected("write `and` and `or` small");
  if (token_.kind != Kind::end) return unexpected("nothing more is expected here; two conditions are joined by `and` or `or`");
  if (!is_truth(whole)) return not_a_truth(whole);
  return done();
}

Status Parser::advance() {
  last_end_ = token_.end();
  RONDA_TRY(token_, tokens_.next());
  return done();
}

Status Parser::expect(Kind kind, std::string_view what) {
  if (token_.kind != kind) return unexpected(std::string(what) + " is missing here");
  return advance();
}

Status Parser::deeper() {
  if (++depth_ <= most_depth) return done();
  return unexpected("nested more than " + std::to_string(most_depth) + " levels deep");
}

Node Parser::at(const Token& token, Form form) const {
  Node node;
  node.form = form;
  node.begin = static_cast<std::uint32_t>(token.begin);
  node.length = static_cast<std::uint32_t>(token.length);
  return node;
}

Parser::Index Parser::add(Node node) {
  if (out_.nodes.size() == most_nodes) return error_at(node.begin, "a condition of more than " + std::to_string(most_nodes) + " parts");
  out_.nodes.push_back(std::move(node));
  return static_cast<std::uint32_t>(out_.nodes.size() - 1);
}

Error Parser::not_a_truth(std::uint32_t index) const {
  const Node& one = node(index);
  const std::string text(out_.text_of(one));
  if (one.form == Form::status) return error_at(one.begin, tick(text) + " is a status; compare it: " + tick(text + " == critical"));
  if (one.form == Form::word)
    return error_at(one.begin, tick(text) + " is a word; compare a status with it: `CHECK.status == " + text + "`");
  return error_at(one.begin, tick(text) + " is a number; compare it with another, for example " + tick(text + " > 0"));
}

Parser::Index Parser::joined(Form form, std::uint32_t left, std::uint32_t right) {
  if (!is_truth(left)) return not_a_truth(left);
  if (!is_truth(right)) return not_a_truth(right);
  Node out;
  out.form = form;
  out.begin = node(left).begin;
  out.left = left;
  out.right = right;
  close(out);
  return add(std::move(out));
}

Parser::Index Parser::condition() {
  RONDA_TRY(std::uint32_t left, all());
  while (is_word("or")) {
    RONDA_TRY(Unit more, advance());
    (void)more;
    RONDA_TRY(const std::uint32_t right, all());
    RONDA_TRY(left, joined(Form::either, left, right));
  }
  return left;
}

Parser::Index Parser::all() {
  RONDA_TRY(std::uint32_t left, one());
  while (is_word("and")) {
    RONDA_TRY(Unit more, advance());
    (void)more;
    RONDA_TRY(const std::uint32_t right, one());
    RONDA_TRY(left, joined(Form::both, left, right));
  }
  return left;
}

Parser::Index Parser::one() {
  return is_word("not") ? negation() : comparison();
}

Parser::Index Parser::negation() {
  RONDA_TRY(Unit unit, deeper());
  Node out = at(token_, Form::negated);
  RONDA_TRY(unit, advance());
  RONDA_TRY(out.left, one());
  if (!is_truth(out.left)) return not_a_truth(out.left);
  --depth_;
  close(out);
  return add(std::move(out));
}

Parser::Index Parser::comparison() {
  RONDA_TRY(const std::uint32_t left, value());
  if (token_.kind == Kind::assign) return unexpected("write == to compare");
  if (token_.kind != Kind::relation) return left;
  const Token relation = token_;
  RONDA_TRY(Unit unit, advance());
  (void)unit;
  RONDA_TRY(const std::uint32_t right, value());
  if (token_.kind == Kind::relation || token_.kind == Kind::assign) return unexpected("one comparison at a time; join two by `and`");
  return compare(left, relation, right);
}

namespace {

Relation mirrored(Relation relation) {
  switch (relation) {
    case Relation::less:
      return Relation::more;
    case Relation::more:
      return Relation::less;
    case Relation::at_most:
      return Relation::at_least;
    case Relation::at_least:
      return Relation::at_most;
    default:
      return relation;
  }
}

}  // namespace

Parser::Index Parser::compare(std::uint32_t left, Token relation, std::uint32_t right) {
  Node out;
  out.form = Form::compared;
  out.begin = node(left).begin;
  close(out);
  out.relation = relation.relation;
  // a constant stands on the right, so that nobody has to look for it on both sides
  const bool constant_first = node(left).form == Form::word || node(left).form == Form::number;
  if (constant_first) {
    std::swap(left, right);
    out.relation = mirrored(out.relation);
  }
  out.left = left;
  out.right = right;
  const Form a = node(left).form, b = node(right).form;
  if (a == Form::status && b == Form::word) return add(std::move(out));
  if (a == Form::status || b == Form::status) {
    const Node& other = node(a == Form::status ? right : left);
    return error_at(other.begin, "a status is compared with ok, warning, critical, unknown or pending");
  }
  if (b == Form::word)
    return error_at(node(right).begin, "only a status is compared with " + tick(out_.text_of(node(right))) + ": `CHECK.status`");
  if (is_truth(left)) return error_at(node(left).begin, "what is compared here holds or does not: it is no number");
  if (is_truth(right)) return error_at(node(right).begin, "what is compared here holds or does not: it is no number");
  if (a == Form::number) return error_at(out.begin, "two constants are compared: that never changes");
  return add(std::move(out));
}

Parser::Index Parser::value() {
  switch (token_.kind) {
    case Kind::open:
      return parenthesis();
    case Kind::word:
      return word();
    case Kind::number: {
      Node out = at(token_, Form::number);
      out.number = token_.number;
      out.dimension = token_.dimension;
      RONDA_TRY(Unit unit, advance());
      (void)unit;
      return add(std::move(out));
    }
    case Kind::end:
      return unexpected("the condition ends here, where a value is expected");
    case Kind::text:
      return unexpected("a text stands here where a value is expected; texts are for labels: [mount=\"/var\"]");
    default:
      return unexpected(tick(text_of(token_)) + " stands here where a value is expected");
  }
}

Parser::Index Parser::parenthesis() {
  RONDA_TRY(Unit unit, deeper());
  RONDA_TRY(unit, advance());
  RONDA_TRY(const std::uint32_t inside, condition());
  RONDA_TRY(unit, expect(Kind::close, "`)`"));
  --depth_;
  return inside;
}

Parser::Index Parser::word() {
  const Token name = token_;
  const std::string_view text = text_of(name);
  RONDA_TRY(Unit unit, advance());
  (void)unit;
  if (token_.kind == Kind::open) return call(name);
  if (text.find('.') != std::string_view::npos) return reference(name);
  const auto known = std::ranges::find(status_words, text);
  if (known != status_words.end()) {
    Node out = at(name, Form::word);
    out.word = static_cast<measure::Status>(known - status_words.begin());
    return add(std::move(out));
  }
  if (text.front() >= '0' && text.front() <= '9')
    return error_at(name.begin, tick(text) + " is no number with a unit; write for example 5, 5%, 500ms, 10MiB");
  constexpr std::array<std::string_view, 8> words = {"ok", "warning", "critical", "unknown", "pending", "and", "or", "not"};
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view near = nearest(small, words);
  if (!near.empty()) return error_at(name.begin, tick(text) + " is no word of conditions; did you mean " + tick(near) + "?");
  return error_at(name.begin, tick(text) + " alone says nothing; write CHECK.METRIC or CHECK.status");
}

Parser::Index Parser::reference(const Token& name) {
  const std::string_view text = text_of(name);
  const bool of_task = is_task_status(text);
  const std::size_t dot = of_task ? text.rfind('.') : text.find('.');
  Node out = at(name, Form::metric);
  out.check = text.substr(0, dot);
  out.metric = text.substr(dot + 1);
  if (!of_task && !is_object_name(out.check)) return error_at(name.begin, tick(out.check) + " is no name of a check");
  if (out.metric.empty()) return error_at(name.end(), "the name of a metric is missing here, or status, duration or age");
  if (out.metric == "status") out.form = Form::status;
  if (out.metric == "duration") out.form = Form::duration;
  if (out.metric == "age") out.form = Form::age;
  if (token_.kind == Kind::open_bracket) {
    if (out.form != Form::metric) return unexpected(tick(text) + " has no labels");
    RONDA_TRY(Unit unit, labels(out));
    (void)unit;
  }
  close(out);
  return add(std::move(out));
}

Status Parser::labels(Node& node) {
  constexpr std::size_t most_labels = 16;
  do {
    RONDA_TRY(Unit unit, advance());
    const Token name = token_;
    RONDA_TRY(unit, expect(Kind::word, "the name of a label"));
    RONDA_TRY(unit, expect(Kind::assign, "`=`"));
    const Token value = token_;
    RONDA_TRY(unit, expect(Kind::text, "the label's text in quotes"));
    const std::string key(text_of(name));
    if (std::ranges::any_of(node.labels, [&](const auto& known) { return known.first == key; }))
      return error_at(name.begin, "label " + tick(key) + " stands here twice");
    if (node.labels.size() == most_labels) return error_at(name.begin, "more than " + std::to_string(most_labels) + " labels");
    node.labels.emplace_back(key, value.text);
  } while (token_.kind == Kind::comma);
  std::ranges::sort(node.labels);
  return expect(Kind::close_bracket, "`]`");
}

std::optional<Condition> parse_condition(std::string_view text, const Facts& facts, std::vector<Remark>& remarks) {
  if (text.size() > most_text) {
    remarks.push_back({0, "a condition of more than " + std::to_string(most_text) + " bytes", false});
    return {};
  }
  Condition out;
  out.text = text;
  if (const Status read = Parser(out.text, out).run(); !read) {
    const auto& where = read.error().where();
    remarks.push_back({where ? where->column - 1 : 0, read.error().message(), false});
    return {};
  }
  if (!judge_nodes(out, facts, remarks)) return {};
  note_needs(out);
  return out;
}

std::string_view relation_text(Relation relation) {
  constexpr std::array<std::string_view, 6> texts = {"<", "<=", ">", ">=", "==", "!="};
  return texts[static_cast<std::size_t>(relation)];
}

}  // namespace ronda::rule
