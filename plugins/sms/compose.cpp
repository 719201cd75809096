// SPDX-License-Identifier: Apache-2.0
#include "compose.hpp"

#include <vector>

#include "alphabet.hpp"
#include "outgoing/text.hpp"

namespace sms {
namespace {

constexpr std::size_t longest_code = 32, most_in_a_segment = 160;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Control characters but line ends become blanks, which are taken off the end.
std::string tidied(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = outgoing::take_character(text);
    if (c != '\r') outgoing::append_utf8(out, (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0) ? ' ' : c);
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '\n')) out.pop_back();
  return out;
}

std::string joined(const std::string& head, const std::string& tail) {
  return head.empty() || tail.empty() ? head + tail : head + "\n" + tail;
}

/// The longest beginning of `head` that fits together with `tail`.
std::string fitted(const std::string& head, const std::string& tail, std::size_t max_segments) {
  if (const auto whole = joined(head, tail); size_of(whole).segments <= max_segments) return whole;
  std::vector<std::size_t> ends = {0};  // of the characters that could fit at all
  std::string_view rest = head;
  while (!rest.empty() && ends.size() <= max_segments * most_in_a_segment) {
    outgoing::take_character(rest);
    ends.push_back(head.size() - rest.size());
  }
  for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
    auto cut = tidied(std::string_view(head).substr(0, *end)) + "...";
    if (cut = joined(cut, tail); size_of(cut).segments <= max_segments) return cut;
  }
  return tail;
}

}  // namespace

bool is_e164(std::string_view number) {
  if (number.size() < 8 || number.size() > 16 || number[0] != '+' || number[1] == '0') return false;
  for (const char c : number.substr(1))
    if (!is_digit(c)) return false;
  return true;
}

std::string ack_sentence(std::string_view code, std::string_view language) {
  const auto shown = outgoing::one_line(code, longest_code);
  if (shown.empty()) return {};
  return language == "es" ? "Responda " + shown + " para confirmar." : "Reply " + shown + " to acknowledge.";
}

std::string compose(const Parts& parts, std::size_t max_segments, bool transliterate) {
  const auto head = joined(tidied(parts.title), tidied(parts.body)), tail = tidied(parts.ack);
  if (transliterate) {
    const auto plain_head = transliterated(head), plain_tail = transliterated(tail);
    if (size_of(joined(plain_head, plain_tail)).alphabet == Alphabet::gsm7) return fitted(plain_head, plain_tail, max_segments);
  }
  return fitted(head, tail, max_segments);
}

std::string form_encoded(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

}  // namespace sms
