// SPDX-License-Identifier: Apache-2.0
#include "address.hpp"

#include <algorithm>

#include "outgoing/shown.hpp"

namespace smtp {
namespace {

constexpr std::size_t max_address_bytes = 254;  // RFC 5321, 4.5.3.1.3 without its brackets

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// What RFC 5322 calls an atom, and dots: no quotes, no comments.
bool is_user_character(char c) {
  return is_letter_or_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
}
std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Why it is no address; empty when it is one.
std::string objection(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == address.npos) return "there is no @ in it";
  const auto user = address.substr(0, at), host = address.substr(at + 1);
  if (address.size() > max_address_bytes) return ronda::text("it is longer than ", max_address_bytes, " bytes");
  if (user.empty() || host.empty()) return "something is missing beside the @";
  if (!std::all_of(user.begin(), user.end(), is_user_character) || !std::all_of(host.begin(), host.end(), is_host_character))
    return "it may hold letters, digits and !#$%&'*+-/=?^_`{|}~. only; give a host with other letters in its xn-- form";
  return {};
}

}  // namespace

bool is_host_character(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
}

ronda::reply<Address> parse_address(std::string_view text) {
  text = trim(text);
  const auto refused = [&](const std::string& why) {
    return ronda::reply<Address>::failed(RONDA_E_INVALID, "\"" + shown::escape(shown::cut(text, 100)) + "\" is no mail address: " + why);
  };
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), is_control)) return refused("there are control characters in it");
  Address out;
  const auto open = text.rfind('<');
  if (open != text.npos && text.back() == '>') {
    auto name = trim(text.substr(0, open));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    out.name = name;
    out.address = trim(text.substr(open + 1, text.size() - open - 2));
  } else {
    out.address = text;
  }
  if (const auto why = objection(out.address); !why.empty()) return refused(why);
  return out;
}

std::vector<ronda::reply<Address>> parse_addresses(std::string_view text) {
  std::vector<ronda::reply<Address>> out;
  for (text = trim(text); !text.empty();) {
    const auto comma = std::min(text.find(','), text.size());
    out.push_back(parse_address(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

}  // namespace smtp
