// SPDX-License-Identifier: Apache-2.0
// POSIX extended regular expressions over any bytes, matched by RE2: no text makes a match take more than time in
// proportion to its length, or more than a bounded amount of memory, and nothing is called recursively.
// plugins/http and plugins/host hold the same file, because each folder of a plugin stands alone; a test compares them.
#pragma once

#include <re2/re2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ere {

inline constexpr std::size_t max_bytes = 1000;
inline constexpr int max_steps = 1000;               // of the compiled program: at the very worst each is done once a byte
inline constexpr std::int64_t max_memory = 1 << 20;  // bytes, of the program and of what matching keeps

inline bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// The length of the repeat that `text` begins with, 5 of "{2,5}"; 0 when it is none. RE2 takes what it does not know as a
/// repeat, {02} too, for characters.
inline std::size_t repeat_length(std::string_view text) {
  std::size_t at = 1;
  const auto number = [&] {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - begin < 2 || text[begin] != '0';
  };
  bool right = number();
  if (text.substr(at, 1) == ",") {
    ++at;
    right = number() && right;
  }
  return right && text.substr(at, 1) == "}" ? at + 1 : 0;
}

/// Why `\c` is not taken; empty when it is.
inline std::string escape_objection(char c) {
  const std::string shown = std::string("\\") + c;
  if (c >= '1' && c <= '9') return "back-references such as " + shown + " are not supported";
  if (c == '<' || c == '>') return shown + " is not supported: write \\b";
  if (c == '`' || c == '\'') return shown + " is not supported: write " + (c == '`' ? "^" : "$");
  if (is_word(c) && std::string_view("wWsSbB").find(c) == std::string_view::npos)
    return shown + " means nothing in POSIX extended expressions (a digit is [0-9])";
  return {};
}

/// Appends the bracket expression that begins at `at`, and moves `at` behind it. RE2 reads a backslash in it as an
/// escape, POSIX as a character.
inline std::string add_bracket(std::string_view pattern, std::size_t& at, std::string& out) {
  out += pattern[at++];
  if (at < pattern.size() && pattern[at] == '^') out += pattern[at++];
  for (const std::size_t begin = at; at < pattern.size(); ++at) {
    const char c = pattern[at];
    const char next = at + 1 < pattern.size() ? pattern[at + 1] : '\0';
    if (c == ']' && at > begin) break;
    if (c == '\\' && is_word(next)) return std::string("in [..] a backslash is a character: \\") + next + " means nothing there";
    if (c == '[' && (next == '.' || next == '=')) return std::string("[") + next + " in [..] is not supported";
    const std::size_t close = c == '[' && next == ':' ? pattern.find(":]", at + 2) : pattern.npos;
    if (close != pattern.npos) {
      out += pattern.substr(at, close + 2 - at);
      at = close + 1;
      continue;
    }
    if (c == '\\' || c == '[' || c == ']') out += '\\';
    out += c;
  }
  if (at >= pattern.size()) return "a [ has no ]";
  out += pattern[at++];
  return {};
}

/// Writes `pattern` into `out` as RE2 says it. Why it is not taken; empty when it is.
inline std::string translate(std::string_view pattern, std::string& out) {
  if (pattern.empty()) return "it is empty";
  if (pattern.size() > max_bytes) return "it is longer than 1000 bytes";
  if (pattern.find('\0') != pattern.npos) return "it holds a NUL character";
  bool repeats = false;  // what was read last is a repeat
  for (std::size_t at = 0; at < pattern.size();) {
    const std::string_view rest = pattern.substr(at);
    const bool repeated = std::exchange(repeats, false);
    if (rest[0] == '[') {
      if (auto why = add_bracket(pattern, at, out); !why.empty()) return why;
      continue;
    }
    std::size_t taken = 1;
    if (rest[0] == '\\') {
      if (rest.size() == 1) return "it ends in a backslash";
      if (auto why = escape_objection(rest[1]); !why.empty()) return why;
      taken = 2;
      // RE2's own \s has no vertical tab, and it knows escapes of ASCII only
      if (rest[1] == 's' || rest[1] == 'S') {
        out += rest[1] == 's' ? "[[:space:]]" : "[^[:space:]]";
      } else {
        out += static_cast<unsigned char>(rest[1]) < 0x80 ? rest.substr(0, 2) : rest.substr(1, 1);
      }
    } else if (rest.substr(0, 2) == "(?") {
      return "(?...) is not part of POSIX extended expressions";
    } else if (rest[0] == '{' && rest.size() > 1 && (rest[1] == ',' || (rest[1] >= '0' && rest[1] <= '9'))) {
      taken = repeat_length(rest);
      if (taken == 0) return "a { that begins no repeat such as {2,5} is written \\{";
      repeats = true;
      out += rest[1] == ',' ? "{0" : "{";
      out += rest.substr(1, taken - 1);
    } else {
      repeats = rest[0] == '*' || rest[0] == '+' || rest[0] == '?';
      if (repeats && repeated && rest[0] != '*')
        return std::string("a ") + rest[0] + " behind a repeat is not part of POSIX extended expressions (there are no lazy repeats)";
      out += rest[0];
    }
    at += taken;
  }
  return {};
}

/// Null, and `why` tells it, when the pattern is not taken. `^` and `$` are the ends of the text, not of its lines;
/// `.` and `[^..]` match a line break as they match any byte. May be shared by threads.
inline std::shared_ptr<const re2::RE2> compile(std::string_view pattern, std::string& why) {
  std::string text;
  why = translate(pattern, text);
  if (!why.empty()) return nullptr;
  re2::RE2::Options options(re2::RE2::Latin1);  // bytes
  options.set_posix_syntax(true);
  options.set_longest_match(true);
  options.set_perl_classes(true);  // \w
  options.set_word_boundary(true);
  options.set_one_line(true);
  options.set_dot_nl(true);
  options.set_max_mem(max_memory);
  options.set_log_errors(false);
  auto compiled = std::make_shared<const re2::RE2>(text, options);
  if (!compiled->ok()) {
    why = compiled->error();
  } else if (compiled->ProgramSize() > max_steps) {
    why = "it is too large once its repeats are written out (" + std::to_string(compiled->ProgramSize()) + " steps; at most " +
          std::to_string(max_steps) + ")";
  }
  return why.empty() ? compiled : nullptr;
}

}  // namespace ere
