// SPDX-License-Identifier: Apache-2.0
#include "plugin/secret_forms.hpp"

#include <algorithm>
#include <array>

namespace ronda::plugin {
namespace {

constexpr std::size_t shortest = 4;         // what is shorter is hidden in no form
constexpr std::size_t shortest_base64 = 8;  // the inner characters of a shorter one stand in any base64
constexpr std::size_t longest = 4096;

std::string hex(char c, std::string_view digits) {
  const auto byte = static_cast<unsigned char>(c);
  return {digits[byte >> 4], digits[byte & 15]};
}

constexpr std::string_view upper_digits = "0123456789ABCDEF", lower_digits = "0123456789abcdef";

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

std::string percent_encoded(std::string_view text, std::string_view kept, std::string_view digits, bool is_form) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c) || kept.find(c) != std::string_view::npos)
      out += c;
    else
      out += is_form && c == ' ' ? "+" : "%" + hex(c, digits);
  }
  return out;
}

/// Each of `special` by what stands at the same place in `instead`.
template <std::size_t N>
std::string escaped(std::string_view text, std::string_view special, const std::array<std::string_view, N>& instead) {
  std::string out;
  for (const char c : text) {
    const std::size_t at = special.find(c);
    if (at == std::string_view::npos)
      out += c;
    else
      out += instead[at];
  }
  return out;
}

/// The characters that are the secret's alone when `before` bytes stand before it, whatever they and those behind it are.
std::string inner_base64(std::string_view secret, std::size_t before) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t begin = (before * 8 + 5) / 6, end = (before + secret.size()) * 8 / 6;
  const auto bit = [&](std::size_t at) {
    const std::size_t byte = at / 8;
    return byte < before ? 0U : (static_cast<unsigned char>(secret[byte - before]) >> (7 - at % 8)) & 1U;
  };
  std::string out;
  for (std::size_t i = begin; i < end; ++i) {
    unsigned value = 0;
    for (std::size_t k = 0; k < 6; ++k) value = value << 1 | bit(i * 6 + k);
    out += digits[value];
  }
  return out;
}

}  // namespace

std::vector<std::string> forms_of(std::string_view secret) {
  std::vector<std::string> out;
  if (secret.size() < shortest || secret.size() > longest) return out;
  const auto add = [&](std::string form) {
    if (form != secret && std::ranges::find(out, form) == out.end()) out.push_back(std::move(form));
  };
  for (const std::string_view kept : {"", "/", ";,/?:@&=+$!*'()#"}) {
    for (const std::string_view digits : {upper_digits, lower_digits}) {
      for (const bool is_form : {false, true}) add(percent_encoded(secret, kept, digits, is_form));
    }
  }
  using namespace std::string_view_literals;
  // as JSON by the writers there are, a secret of several lines too
  add(escaped(secret, "\"\\\n\r\t", std::array{"\\\""sv, "\\\\"sv, "\\n"sv, "\\r"sv, "\\t"sv}));
  add(escaped(secret, "\"\\\n\r\t/", std::array{"\\\""sv, "\\\\"sv, "\\n"sv, "\\r"sv, "\\t"sv, "\\/"sv}));
  add(escaped(secret, "\"\\\n\r\t<>&", std::array{"\\\""sv, "\\\\"sv, "\\n"sv, "\\r"sv, "\\t"sv, "\\u003c"sv, "\\u003e"sv, "\\u0026"sv}));
  add(escaped(secret, "\"\\\n\r\t", std::array{"\\\""sv, "\\\\"sv, "\\u000a"sv, "\\u000d"sv, "\\u0009"sv}));
  // as logs are written: by Python, nginx, rsyslog
  add(escaped(secret, "\\\n\r\t", std::array{"\\\\"sv, "\\n"sv, "\\r"sv, "\\t"sv}));
  add(escaped(secret, "\"\\\n\r\t", std::array{"\\x22"sv, "\\x5C"sv, "\\x0A"sv, "\\x0D"sv, "\\x09"sv}));
  add(escaped(secret, "\n\r\t", std::array{"#012"sv, "#015"sv, "#011"sv}));
  add(escaped(secret, "<>&\"'", std::array{"&lt;"sv, "&gt;"sv, "&amp;"sv, "&quot;"sv, "&#39;"sv}));
  add(escaped(secret, "<>&\"'", std::array{"&lt;"sv, "&gt;"sv, "&amp;"sv, "&#34;"sv, "&#39;"sv}));
  add(escaped(secret, "<>&\"'", std::array{"&lt;"sv, "&gt;"sv, "&amp;"sv, "&quot;"sv, "&#x27;"sv}));
  if (secret.size() < shortest_base64) return out;
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string plain = inner_base64(secret, before);
    add(plain);
    add(escaped(plain, "+/", std::array{"-"sv, "_"sv}));  // as in URLs
  }
  return out;
}

}  // namespace ronda::plugin
