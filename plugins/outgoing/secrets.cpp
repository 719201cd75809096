// SPDX-License-Identifier: Apache-2.0
#include "outgoing/secrets.hpp"

#include <string.h>

#include <algorithm>

namespace outgoing {
namespace {

constexpr std::size_t shortest = 6;  // what is shorter is found in innocent words

/// RFC 4648, of the text behind `before` other bytes, without '=' at the end. Where others stand before it, their characters
/// are left out, and so is a last one that it shares with what follows.
std::string base64(std::string_view text, std::size_t before, bool is_end) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto all = std::string(before, '\0') + std::string(text);
  std::string out;
  unsigned held = 0, bits = 0;
  for (const char c : all) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += digits[held >> (bits - 6) & 63];
  }
  if (is_end && bits > 0) out += digits[held << (6 - bits) & 63];
  return out.substr((before * 8 + 5) / 6);
}

std::string percent_encoded(std::string_view text, const char* hex) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && ::strchr("-._~", c) != nullptr);
    out += is_plain ? std::string(1, c) : std::string{'%', hex[byte >> 4], hex[byte & 15]};
  }
  return out;
}

}  // namespace

Secrets::~Secrets() {
  for (auto& secret : hidden_) explicit_bzero(secret.data(), secret.size());
}

void Secrets::add(std::string secret) {
  if (secret.size() < shortest || std::find(hidden_.begin(), hidden_.end(), secret) != hidden_.end()) return;
  const auto place = std::find_if(hidden_.begin(), hidden_.end(), [&](const auto& one) { return one.size() < secret.size(); });
  hidden_.insert(place, std::move(secret));
}

void Secrets::hide(std::string_view secret) {
  if (secret.size() < shortest) return;
  add(std::string(secret));
  add(percent_encoded(secret, "0123456789ABCDEF"));
  add(percent_encoded(secret, "0123456789abcdef"));
  for (std::size_t before = 0; before < 3; ++before) add(base64(secret, before, false));
}

void Secrets::hide_login(const std::string& login) {
  hide(login);
  add(base64(login, 0, true));
}

/// Path, query and userinfo, whole and by their parts.
void Secrets::hide_url(const std::string& text) {
  hide(text);
  const auto scheme = text.find("://");
  auto rest = std::string_view(text).substr(scheme == text.npos ? 0 : scheme + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  const auto at = authority.rfind('@');
  rest.remove_prefix(authority.size());
  hide(rest);
  hide(rest.substr(0, rest.find_first_of("?#")));
  std::string parts(rest);
  if (at != authority.npos) {
    const std::string login(authority.substr(0, at));
    hide_login(login);
    parts += "/" + login;
  }
  for (std::string_view left = parts; !left.empty();) {
    const auto part = left.substr(0, left.find_first_of("/?#&=;:"));
    hide(part);
    left.remove_prefix(std::min(part.size() + 1, left.size()));
  }
}

ronda::reply<std::string> Secrets::read(const ronda::value& option) {
  if (option.is_none()) return std::string();
  if (!option.is_secret()) return option.as<std::string>();
  const auto opened = open_(option);
  if (!opened) return ronda::reply<std::string>::failed(opened.code(), ronda::text(option.path(), ": ", opened.error()));
  hide(opened.view());
  return std::string(opened.view());
}

ronda::reply<Url> Secrets::read_url(const ronda::value& option) {
  const auto text = read(option);
  if (!text) return ronda::reply<Url>::failed(text.code(), text.error());
  auto url = parse_url(*text);
  if (!url) return ronda::reply<Url>::failed(url.code(), ronda::text(option.path(), ": ", url.error()));
  hide_url(url->text);
  return url;
}

std::string Secrets::without(std::string text) const {
  for (const auto& secret : hidden_)
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + 3)) text.replace(at, secret.size(), "***");
  return text;
}

}  // namespace outgoing
