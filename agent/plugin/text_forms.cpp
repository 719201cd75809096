// SPDX-License-Identifier: Apache-2.0
#include "plugin/text_forms.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

namespace ronda::plugin {
namespace {

constexpr std::size_t max_path_bytes = 4095;
constexpr std::size_t max_url_bytes = 8192;

Error wrong(std::string message) { return {Errc::invalid, std::move(message)}; }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool has_parent_part(std::string_view path) {
  return path == ".." || path.starts_with("../") || path.ends_with("/..") ||
         path.find("/../") != std::string_view::npos;
}

bool is_ipv6(std::string_view text) {
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_host_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

Status check_path(std::string_view text) {
  if (!text.starts_with('/')) return wrong("must be an absolute path");
  if (text.size() > max_path_bytes) return wrong("is longer than 4095 bytes");
  if (std::ranges::any_of(text, is_control)) return wrong("has a control character");
  if (has_parent_part(text)) return wrong("must not have a '..' part");
  return done();
}

Status check_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  const std::string_view scheme = text.substr(0, std::min(colon, text.size()));
  const bool plain = std::ranges::all_of(
      scheme, [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
  if (colon == std::string_view::npos || scheme.empty() || !plain || !is_letter(scheme.front()))
    return wrong("must be a URL like \"https://example.org/\"");
  if (text.size() > max_url_bytes) return wrong("is longer than 8192 bytes");
  if (std::ranges::any_of(text, [](char c) { return is_control(c) || c == ' '; }))
    return wrong("has a space or a control character; write it as %20");
  const std::string_view rest = text.substr(colon + 3);
  if (rest.empty() || (rest.front() == '/' && scheme != "file")) return wrong("names no host");
  return done();
}

Status check_host(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    if (is_ipv6(text.substr(1, text.size() - 2))) return done();
  } else if (is_ipv6(text) || is_host_name(text)) {
    return done();
  }
  if (text.find("://") != std::string_view::npos) return wrong("must be a host name, not a URL");
  return wrong("must be a host name or an IP address");
}

}  // namespace ronda::plugin
