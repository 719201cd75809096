// SPDX-License-Identifier: Apache-2.0
#include "regex.hpp"

#include "ere.hpp"

namespace http {

struct Regex::Compiled {
  std::shared_ptr<const re2::RE2> program;
};

ronda::reply<Regex> Regex::compile(std::string_view pattern) {
  std::string why;
  auto program = ere::compile(pattern, why);
  std::string text(pattern);
  if (!program) return ronda::reply<Regex>::failed(RONDA_E_INVALID, "regular expression '" + text + "': " + why);
  return Regex(std::move(text), std::make_shared<const Compiled>(Compiled{std::move(program)}));
}

bool Regex::search(std::string_view text) const {
  return compiled_->program->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

std::optional<std::string_view> Regex::extract(std::string_view text) const {
  const int groups = compiled_->program->NumberOfCapturingGroups() > 0 ? 2 : 1;
  re2::StringPiece found[2];
  if (!compiled_->program->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, found, groups)) return std::nullopt;
  const auto& part = found[groups - 1];
  if (part.data() == nullptr) return std::string_view();
  return std::string_view(part.data(), part.size());
}

}  // namespace http
