// SPDX-License-Identifier: Apache-2.0
#include "outgoing/text.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "outgoing/shown.hpp"

namespace outgoing {

void append_utf8(std::string& to, std::uint32_t code) {
  const auto put = [&to](std::uint32_t byte) { to += static_cast<char>(static_cast<unsigned char>(byte)); };
  if ((code >= 0xd800 && code < 0xe000) || code > 0x10ffff) code = replacement;
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
  if (code < 0x10000) return put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
  put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f)), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
}

std::uint32_t take_character(std::string_view& text) {
  const auto first = shown::first_character(text);
  text.remove_prefix(std::max<std::size_t>(first.bytes, 1));
  return first.bytes == 0 ? replacement : first.point;
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) append_utf8(out, take_character(text));
  return out;
}

std::string cut_characters(std::string_view text, std::size_t most) {
  std::string out, all_but_last;
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    if (count == most) return all_but_last + "…";
    if (count + 1 == most) all_but_last = out;
    append_utf8(out, take_character(text));
  }
  return out;
}

std::string one_line(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    const auto code = take_character(text);
    const bool blank = code <= 0x20 || (code >= 0x7f && code <= 0xa0);
    if (!blank)
      append_utf8(out, code);
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return cut_characters(out, most);
}

std::string rfc3339(ronda::wall_time when) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch());
  const auto s = std::chrono::floor<std::chrono::seconds>(ms);
  const auto seconds = static_cast<std::time_t>(s.count());
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32], out[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(out, sizeof out, "%s.%03dZ", date, static_cast<int>((ms - s).count()));
  return out;
}

bool is_rfc3339(std::string_view text) {
  const auto fits = [&text](std::string_view form) {
    for (std::size_t i = 0; i < form.size(); ++i) {
      if (i >= text.size()) return false;
      const bool digit = text[i] >= '0' && text[i] <= '9';
      if (form[i] == '0' ? !digit : text[i] != form[i]) return false;
    }
    text.remove_prefix(form.size());
    return true;
  };
  if (!fits("0000-00-00T00:00:00")) return false;
  if (fits(".0"))
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  return text == "Z" || ((fits("+00:00") || fits("-00:00")) && text.empty());
}

}  // namespace outgoing
