// SPDX-License-Identifier: Apache-2.0
#include "regex.hpp"

#include <regex.h>

namespace http {
namespace {

constexpr std::size_t max_pattern_bytes = 1000;

/// Why a pattern is not taken; empty when it is.
std::string objection(std::string_view pattern) {
  if (pattern.empty()) return "it is empty";
  if (pattern.size() > max_pattern_bytes) return "it is longer than 1000 bytes";
  if (pattern.find('\0') != pattern.npos) return "it holds a NUL character";
  if (pattern.find("(?") != pattern.npos) return "(?...) is not part of POSIX extended expressions";
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    const char c = pattern[++i];
    if (c >= '1' && c <= '9') return std::string("back-references such as \\") + c + " are not supported";
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0';
    if (letter && std::string_view("wWsSbB").find(c) == std::string_view::npos)
      return std::string("\\") + c + " means nothing in POSIX extended expressions (a digit is [0-9])";
  }
  return {};
}

}  // namespace

struct Regex::Compiled {
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    if (error == 0) regfree(&regex);
  }
  regex_t regex{};
  int error = -1;
};

ronda::reply<Regex> Regex::compile(std::string_view pattern) {
  const std::string text(pattern);
  auto why = objection(text);
  auto compiled = std::make_shared<Compiled>();
  if (why.empty()) {
    compiled->error = regcomp(&compiled->regex, text.c_str(), REG_EXTENDED);
    char message[128] = "";
    if (compiled->error != 0) regerror(compiled->error, &compiled->regex, message, sizeof message);
    why = message;
  }
  if (why.empty()) return Regex(text, std::move(compiled));
  return ronda::reply<Regex>::failed(RONDA_E_INVALID, "regular expression '" + text + "': " + why);
}

bool Regex::search(std::string_view text) const {
  regmatch_t range[1] = {{0, static_cast<regoff_t>(text.size())}};
  return regexec(&compiled_->regex, text.empty() ? "" : text.data(), 1, range, REG_STARTEND) == 0;
}

std::optional<std::string_view> Regex::extract(std::string_view text) const {
  regmatch_t found[2] = {{0, static_cast<regoff_t>(text.size())}, {-1, -1}};
  if (regexec(&compiled_->regex, text.empty() ? "" : text.data(), 2, found, REG_STARTEND) != 0) return std::nullopt;
  const auto& part = found[compiled_->regex.re_nsub > 0 ? 1 : 0];
  if (part.rm_so < 0) return std::string_view();
  return text.substr(static_cast<std::size_t>(part.rm_so), static_cast<std::size_t>(part.rm_eo - part.rm_so));
}

}  // namespace http
