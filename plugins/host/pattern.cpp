// SPDX-License-Identifier: Apache-2.0
#include "pattern.hpp"

#include <regex.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "text.hpp"

namespace host {
namespace {

constexpr std::size_t longest = 1000;
constexpr std::uint64_t most_copies = 10'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The upper bound of the repeat that begins at `text`, "{2,5}" as 5; 1 when it is none.
std::uint64_t repeat_bound(std::string_view text) {
  const std::size_t end = text.find('}');
  if (end == std::string_view::npos) return 1;
  const std::string_view inside = text.substr(1, end - 1);
  const std::size_t comma = inside.find(',');
  const auto low = to_u64(inside.substr(0, comma));
  const auto high = comma == std::string_view::npos ? low : to_u64(inside.substr(comma + 1));
  return std::clamp<std::uint64_t>(high.value_or(low.value_or(1)), 1, most_copies + 1);
}

/// The C library copies what is repeated, so nested repeats multiply; all of them together are bounded.
void refuse_dear(const std::string& expression) {
  if (expression.size() > longest) throw std::invalid_argument("a pattern has at most 1000 bytes");
  std::uint64_t copies = 1;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    if (expression[i] == '\\' && i + 1 < expression.size()) {
      if (is_digit(expression[i + 1])) throw std::invalid_argument("a pattern cannot refer back (\\1)");
      ++i;
    } else if (expression[i] == '{') {
      copies *= repeat_bound(std::string_view(expression).substr(i));
      if (copies > most_copies)
        throw std::invalid_argument("the repeats of the pattern multiply to more than 10000");
    }
  }
}

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(const std::string& expression) {
    const int error = regcomp(&regex, expression.c_str(), REG_EXTENDED);
    if (error == 0) return;
    std::array<char, 128> reason;
    regerror(error, &regex, reason.data(), reason.size());
    throw std::invalid_argument("pattern '" + shown(expression) + "': " + reason.data());
  }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() { regfree(&regex); }

  regex_t regex;
};

Pattern::Pattern(const std::string& expression) {
  if (expression.empty()) return;
  refuse_dear(expression);
  compiled_ = std::make_shared<const Compiled>(expression);
}

bool Pattern::found_in(std::string_view line) const {
  if (!compiled_) return false;
  regmatch_t whole{};
  whole.rm_eo = static_cast<regoff_t>(line.size());
  // REG_STARTEND: the line is not terminated and may hold NUL. Without REG_NOSUB it needs one slot.
  return regexec(&compiled_->regex, line.data(), 1, &whole, REG_STARTEND) == 0;
}

}  // namespace host
