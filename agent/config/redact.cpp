// SPDX-License-Identifier: Apache-2.0
#include "config/redact.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

namespace ronda::config {
namespace {

struct Userinfo {
  std::size_t begin = 0;  // of the text before the @
  std::size_t end = 0;    // of the @; equal to begin when there is none
};

Userinfo find_userinfo(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t authority_end = std::min(text.find_first_of("/?#", begin), text.size());
  // the last @: passwords are written with raw @ in them
  const std::size_t at = text.substr(0, authority_end).rfind('@');
  if (at == std::string_view::npos || at < begin) return {begin, begin};
  return {begin, at};
}

}  // namespace

std::string cut_address(std::string_view text) {
  text = text.substr(0, text.find_first_of("?#"));
  const Userinfo user = find_userinfo(text);
  std::string out(text.substr(0, user.begin));
  out += text.substr(user.end > user.begin ? user.end + 1 : user.begin);
  return out;
}

std::string hide_userinfo(std::string_view text) {
  if (text.find("://") == std::string_view::npos) return std::string(text);
  const Userinfo user = find_userinfo(text);
  if (user.end == user.begin) return std::string(text);
  return std::string(text.substr(0, user.begin)) + "***" + std::string(text.substr(user.end));
}

bool is_address_key(std::string_view key) {
  constexpr std::array<std::string_view, 4> names = {"url", "host", "port", "path"};
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return key == name || (key.ends_with(name) && key[key.size() - name.size() - 1] == '_');
  });
}

std::string shown_text(const Value& value, std::string_view written, bool is_address) {
  if (value.as_string() == nullptr) return std::string(written);
  const std::string& text = *value.as_string();
  if (value.origin() == Origin::literal) return hide_userinfo(text);
  if (value.origin() == Origin::env && is_address) return cut_address(text);
  return written.empty() ? "***" : std::string(written);
}

std::string hide_secrets(std::string_view text, std::span<const std::string> secrets) {
  std::string out(text);
  std::vector<std::string_view> longest_first(secrets.begin(), secrets.end());  // one may begin with another
  std::ranges::stable_sort(longest_first, std::ranges::greater(), &std::string_view::size);
  for (const std::string_view secret : longest_first) {
    if (secret.empty()) continue;
    for (std::size_t at = out.find(secret); at != std::string::npos; at = out.find(secret, at + 3)) {
      out.replace(at, secret.size(), "***");
    }
  }
  return out;
}

}  // namespace ronda::config
