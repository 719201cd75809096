// SPDX-License-Identifier: Apache-2.0
#include "pattern.hpp"

#include <stdexcept>

#include "ere.hpp"
#include "text.hpp"

namespace host {

struct Pattern::Compiled {
  std::shared_ptr<const re2::RE2> program;
};

Pattern::Pattern(const std::string& expression) {
  if (expression.empty()) return;
  std::string why;
  auto program = ere::compile(expression, why);
  if (!program) throw std::invalid_argument("pattern '" + shown(expression, 100) + "': " + why);
  compiled_ = std::make_shared<const Compiled>(Compiled{std::move(program)});
}

bool Pattern::found_in(std::string_view line) const {
  return compiled_ && compiled_->program->Match({line.data(), line.size()}, 0, line.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace host
