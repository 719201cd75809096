// SPDX-License-Identifier: Apache-2.0
#include "json_path.hpp"

#include <charconv>
#include <utility>

namespace http {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  ronda::reply<JsonPath> parse() {
    JsonPath path;
    path.text = std::string(text_);
    path.apply = take_function();
    if (rest_.substr(0, 1) == "$") rest_.remove_prefix(1);
    while (error_.empty() && !rest_.empty()) path.steps.push_back(take_step(path.steps.empty()));
    if (text_.empty() || text_.size() > max_path_bytes)
      error_ = "a JSON path has 1 to " + std::to_string(max_path_bytes) + " characters";
    if (error_.empty()) return path;
    return ronda::reply<JsonPath>::failed(RONDA_E_INVALID, "JSON path '" + std::string(text_) + "': " + error_);
  }

 private:
  JsonPath::Apply take_function() {
    const auto open = rest_.substr(0, 4);
    if (open != "len(" && open != "has(") return JsonPath::Apply::value;
    if (rest_.back() != ')') {
      error_ = "there is no ')' at the end";
      return JsonPath::Apply::value;
    }
    rest_ = rest_.substr(4, rest_.size() - 5);
    if (rest_.empty() && open == "has(") error_ = "has() needs a path";
    return open == "len(" ? JsonPath::Apply::length : JsonPath::Apply::presence;
  }

  JsonPath::Step take_step(bool first) {
    if (rest_.front() == '[') return rest_.substr(1, 1) == "\"" ? take_quoted() : take_index();
    if (rest_.front() == '.') {
      rest_.remove_prefix(1);
    } else if (!first) {
      error_ = "expected '.' or '[' before '" + std::string(rest_) + "'";
    }
    return take_name();
  }

  JsonPath::Step take_name() {
    const auto name = rest_.substr(0, rest_.find_first_of(".[]()\"$ \t"));
    if (name.empty() && error_.empty())
      error_ = rest_.empty() ? "a name is missing at the end" : "a name is missing before '" + std::string(rest_) + "'";
    rest_.remove_prefix(name.size());
    return {false, 0, std::string(name)};
  }

  JsonPath::Step take_index() {
    const auto digits = rest_.substr(1, rest_.find(']') - 1);
    JsonPath::Step step{true, 0, {}};
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), step.index);
    if (problem != std::errc{} || end != digits.data() + digits.size() || rest_.find(']') == rest_.npos) {
      error_ = "expected a number or a quoted name in []";
      return step;
    }
    rest_.remove_prefix(digits.size() + 2);
    return step;
  }

  JsonPath::Step take_quoted() {
    const auto end = rest_.find("\"]", 2);
    if (end == rest_.npos) {
      error_ = "[\" is not closed by \"]";
      return {};
    }
    JsonPath::Step step{false, 0, std::string(rest_.substr(2, end - 2))};
    rest_.remove_prefix(end + 2);
    return step;
  }

  std::string_view text_, rest_;
  std::string error_;
};

}  // namespace

ronda::reply<JsonPath> parse_json_path(std::string_view text) { return Parser(text).parse(); }

}  // namespace http
