// SPDX-License-Identifier: Apache-2.0
#include "header.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base64.hpp"
#include "outgoing/shown.hpp"

namespace smtp {
namespace {

constexpr std::size_t max_line = 78;
constexpr std::string_view word_begin = "=?UTF-8?B?", word_end = "?=";
constexpr std::size_t max_word_bytes = 33;  // 44 characters of base64, 56 with what is around them: a line has at most 76

bool is_plain(std::string_view text) {
  const bool is_ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  const bool fits_lines = [&] {
    std::size_t run = 0, longest = 0;
    for (const char c : text) longest = std::max(longest, run = c == ' ' ? 0 : run + 1);
    return longest <= max_line - 20;
  }();
  return is_ascii && fits_lines && text.find("=?") == text.npos;
}

/// Encoded words, none of which ends within a character.
std::vector<std::string> encoded_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    std::size_t size = 0;
    while (size < text.size()) {
      const auto next = std::max<std::size_t>(shown::first_character(text.substr(size)).bytes, 1);
      if (size + next > max_word_bytes) break;
      size += next;
    }
    words.push_back(std::string(word_begin) + base64(text.substr(0, size)) + std::string(word_end));
    text.remove_prefix(size);
  }
  return words;
}

std::vector<std::string> plain_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// The words with one space or, where the line would be too long, a fold between.
std::string folded(std::string_view name, const std::vector<std::string>& words) {
  std::string out(name);
  out += ':';
  std::size_t line = out.size();
  for (std::size_t i = 0; i < words.size(); ++i) {
    // nothing is on the line of the name alone: a line of white space would follow an empty one
    const bool fold = i > 0 && line + 1 + words[i].size() > max_line;
    out += fold ? "\r\n " : " ";
    line = fold ? 1 : line + 1;
    out += words[i];
    line += words[i].size();
  }
  return out + "\r\n";
}

std::vector<std::string> words_of(std::string_view text) {
  return is_plain(text) ? plain_words(text) : encoded_words(text);
}

}  // namespace

std::string one_line(std::string_view text, std::size_t limit) {
  std::string spaced;
  for (const char c : text) {
    const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!is_space)
      spaced += c;
    else if (!spaced.empty() && spaced.back() != ' ')
      spaced += ' ';
  }
  if (!spaced.empty() && spaced.back() == ' ') spaced.pop_back();
  return shown::cut(shown::escape(spaced), limit);
}

std::string unstructured(std::string_view name, std::string_view text) {
  return folded(name, words_of(one_line(text)));
}

std::string mailbox(std::string_view field, const Address& address) {
  std::vector<std::string> words;
  const auto name = one_line(address.name, 200);
  // of the characters that a name may not hold as they are, the encoded word takes all
  const bool has_specials = name.find_first_of("()<>[]:;@\\,.\"") != name.npos;
  if (!name.empty()) words = has_specials ? encoded_words(name) : words_of(name);
  words.push_back(words.empty() ? address.address : "<" + address.address + ">");
  return folded(field, words);
}

std::string id_part(std::string_view text) {
  std::string out;
  bool is_same = text.size() <= 64;
  for (const char c : text.substr(0, 64)) {
    const bool may_stand = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    is_same = is_same && may_stand;
    out += may_stand ? c : '-';
  }
  if (is_same) return out;
  return out + "." + hex_hash(text);
}

std::string hex_hash(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return shown::hex(static_cast<unsigned>(hash >> 32), 8) + shown::hex(static_cast<unsigned>(hash), 8);
}

}  // namespace smtp
