// SPDX-License-Identifier: Apache-2.0
#include "plugin/option_regex.hpp"

#include <regex.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace ronda::plugin {
namespace {

/// What the automaton may have at most, bounded repeats written out.
constexpr std::uint64_t max_cost = 1'000;

Error wrong(std::string message) { return {Errc::invalid, "the regular expression " + std::move(message)}; }

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

std::optional<Error> check_escape(char c) {
  if (c >= '1' && c <= '9') return wrong("has a back-reference; those are not linear in time");
  if (c == 'd') return wrong("has \\d, which POSIX does not know; write [0-9]");
  if (c == 'D') return wrong("has \\D, which POSIX does not know; write [^0-9]");
  if (c == 't' || c == 'n' || c == 'r')
    return wrong(std::string("has \\") + c + ", which POSIX does not know; write [[:space:]]");
  if (c == '<' || c == '>') return wrong(std::string("has \\") + c + ", which POSIX does not know; write \\b");
  if (c == '`') return wrong("has \\`, which POSIX does not know; write ^");
  if (c == '\'') return wrong("has \\', which POSIX does not know; write $");
  constexpr std::string_view known = "wWsSbB";
  if (is_word(c) && known.find(c) == std::string_view::npos)
    return wrong(std::string("has \\") + c + ", which POSIX does not know");
  return std::nullopt;
}

/// Walks the pattern once: escapes, groups, and what bounded repeats cost when they are written out.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  std::optional<Error> run() {
    while (at_ < text_.size()) {
      if (auto error = step()) return error;
      if (groups_.back().sum > max_cost || groups_.back().last > max_cost)
        return wrong("is too large once its {..} are written out");
    }
    return std::nullopt;
  }

 private:
  struct Group {
    std::uint64_t sum = 0, last = 0;
  };

  void atom(std::uint64_t cost) {
    groups_.back().sum += groups_.back().last;
    groups_.back().last = cost;
  }

  std::optional<Error> step() {
    const bool repeated = std::exchange(repeats_, false);
    const char c = text_[at_];
    if (c == '\\') return escape();
    if (c == '[') return bracket();
    if (c == '{') return repeat();
    ++at_;
    if (c == '(') return open_group();
    if (c == ')') {
      close_group();
    } else if (c == '*' || c == '+' || c == '?') {
      repeats_ = true;
      if (repeated && c == '?') return wrong("has a lazy repeat, which POSIX does not know");
      if (repeated && c == '+') return wrong("has a possessive repeat, which POSIX does not know");
    } else {
      atom(1);
    }
    return std::nullopt;
  }

  std::optional<Error> escape() {
    if (at_ + 1 >= text_.size()) return wrong("ends in a backslash");
    if (auto error = check_escape(text_[at_ + 1])) return error;
    at_ += 2;
    atom(1);
    return std::nullopt;
  }

  std::optional<Error> bracket() {
    std::size_t end = at_ + 1;
    if (end < text_.size() && text_[end] == '^') ++end;
    if (end < text_.size() && text_[end] == ']') ++end;
    while (end < text_.size() && text_[end] != ']') {
      if (text_[end] == '\\' && end + 1 < text_.size() && is_word(text_[end + 1]))
        return wrong(std::string("has \\") + text_[end + 1] + " in [..], where a backslash is a character like any other");
      const bool is_class = text_[end] == '[' && end + 1 < text_.size() &&
                            (text_[end + 1] == ':' || text_[end + 1] == '.' || text_[end + 1] == '=');
      const std::size_t close =
          is_class ? text_.find(std::string{text_[end + 1], ']'}, end + 2) : std::string_view::npos;
      end = close == std::string_view::npos ? end + 1 : close + 2;
    }
    if (end >= text_.size()) return wrong("has a [ without ]");
    at_ = end + 1;
    atom(1);
    return std::nullopt;
  }

  std::optional<Error> repeat() {
    const std::size_t end = text_.find('}', at_);
    if (end == std::string_view::npos) return wrong("has a { without }; write \\{ for the character");
    const std::string_view body = text_.substr(at_ + 1, end - at_ - 1);
    const std::size_t comma = body.find(',');
    std::string_view most = comma == std::string_view::npos ? body : body.substr(comma + 1);
    if (most.empty()) most = body.substr(0, comma);
    std::uint64_t times = 0;
    const auto [stop, failed] = std::from_chars(most.data(), most.data() + most.size(), times);
    if (failed != std::errc{} || stop != most.data() + most.size() || times > 255)
      return wrong("has a bad repeat {" + std::string(body) + "}; at most {255}");
    for (const std::string_view part : {body.substr(0, comma), most})  // RE2 takes them for characters
      if (part.size() > 1 && part[0] == '0') return wrong("has a repeat {" + std::string(body) + "} with zeros in front");
    repeats_ = true;
    groups_.back().last *= std::max<std::uint64_t>(times, 1);
    at_ = end + 1;
    return std::nullopt;
  }

  std::optional<Error> open_group() {
    if (at_ < text_.size() && text_[at_] == '?')
      return wrong("has a group (?..), which POSIX does not know; write (..)");
    if (groups_.size() > 50) return wrong("has more than 50 groups inside each other");
    groups_.push_back({});
    return std::nullopt;
  }

  void close_group() {
    if (groups_.size() == 1) return;  // regcomp says what is wrong
    const std::uint64_t cost = groups_.back().sum + groups_.back().last;
    groups_.pop_back();
    atom(cost);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool repeats_ = false;  // what was read last is a repeat
  std::vector<Group> groups_ = {{}};
};

}  // namespace

Status check_regex(std::string_view pattern) {
  if (pattern.size() > max_regex_bytes)
    return wrong("has " + std::to_string(pattern.size()) + " bytes; at most 1000");
  if (pattern.find('\0') != std::string_view::npos) return wrong("has a NUL");
  if (auto error = Scan(pattern).run()) return *std::move(error);
  regex_t compiled;
  const int code = regcomp(&compiled, std::string(pattern).c_str(), REG_EXTENDED | REG_NOSUB);
  if (code != 0) {
    std::array<char, 200> text{};
    regerror(code, &compiled, text.data(), text.size());
    return wrong(std::string("is not one: ") + text.data());
  }
  regfree(&compiled);
  return done();
}

bool regex_matches(const std::string& pattern, const std::string& text) {
  regex_t compiled;
  if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return false;
  const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

}  // namespace ronda::plugin
