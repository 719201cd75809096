// SPDX-License-Identifier: Apache-2.0
#include "config/toml_scan.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/text.hpp"
#include "config/toml.hpp"

namespace ronda::config {
namespace {

constexpr char part_end = '\x1f';  // between the parts of a normalised header; no TOML text has it unescaped

class Scanner {
 public:
  Scanner(std::string_view text, std::uint32_t file, Diagnostics& diagnostics) : text_(text), file_(file), diagnostics_(diagnostics) {}

  bool run() {
    while (sound_ && pos_ < text_.size()) {
      if (at_line_start_ && depth_ == 0 && peek() == '[') {
        scan_header();
      } else {
        scan_one();
      }
    }
    return sound_;
  }

 private:
  char peek(std::size_t ahead = 0) const { return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0'; }
  bool starts_with(std::string_view token) const { return text_.substr(pos_).starts_with(token); }

  void take() {
    const char c = text_[pos_++];
    if (c == '\n') {
      ++line_;
      column_ = 1;
      at_line_start_ = true;
    } else {
      // columns count characters, not bytes
      if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++column_;
      if (c != ' ' && c != '\t') at_line_start_ = false;
    }
  }
  void take(std::size_t count) {
    while (count-- > 0 && pos_ < text_.size()) take();
  }

  Place here() const { return {file_, line_, column_}; }

  void fail(Place where, std::string message) {
    diagnostics_.error(where, std::move(message));
    sound_ = false;
  }

  void scan_one() {
    const char c = peek();
    if (c == '#') return skip_line();
    if (const auto character = foreign(); !character.empty()) return must_be_quoted(character);
    if (c == '"' || c == '\'') return skip_string();
    if (c == '\n' || c == '=' || c == ',') dots_ = 0;
    if (c == '.' && ++dots_ >= max_toml_depth) return too_deep();
    if (c == '[' || c == '{') {
      dots_ = 0;
      if (++depth_ >= max_toml_depth) return too_deep();
    }
    if ((c == ']' || c == '}') && depth_ > 0) --depth_;
    take();
  }

  /// A character beyond ASCII, or nothing where the bytes are none (the parser tells that of the first such place).
  std::string_view foreign() const {
    const auto lead = static_cast<unsigned char>(peek());
    if (lead < 0xC0) return {};
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    const std::string_view character = text_.substr(pos_, size);
    return character.size() == size && repair_utf8(character, size) == character ? character : std::string_view();
  }

  /// Here toml++ 3.3 takes it for granted that these are kinds of space.
  void must_be_quoted(std::string_view character) {
    fail(here(), "'" + std::string(character) + "' must stand in quotes: names without them are letters, digits, _ and -");
  }

  void too_deep() { fail(here(), "nested more than " + std::to_string(max_toml_depth) + " levels deep"); }

  void skip_line() {
    while (pos_ < text_.size() && peek() != '\n') take();
  }

  void skip_string() {
    const char quote = peek();
    const bool escapes = quote == '"';
    const bool multi = peek(1) == quote && peek(2) == quote;
    const std::string end(multi ? 3 : 1, quote);
    take(end.size());
    while (pos_ < text_.size() && !starts_with(end)) {
      if (!multi && peek() == '\n') return;  // not closed: the parser says so
      take(escapes && peek() == '\\' ? 2 : 1);
    }
    take(end.size());
    while (multi && peek() == quote) take();  // up to two quotes may stand right before the closing three
  }

  /// toml++ 3.3 goes on without looking where a header's name begins with anything else. "[]" and "[ [a]]" it knows.
  static bool begins_name(char c, bool is_list) {
    const auto letter = static_cast<unsigned char>(c | 0x20);
    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '"' || c == '\'' || c == ']' ||
           (c == '[' && !is_list);
  }

  void scan_header() {
    const Place start = here();
    const bool is_list = peek(1) == '[';
    take(is_list ? 2 : 1);
    const std::size_t inside = pos_;
    while (peek() == ' ' || peek() == '\t') take();
    if (pos_ < text_.size() && !begins_name(peek(), is_list))
      return fail(here(), "a name must begin here: letters, digits, _ and -, or quotes");
    std::string name;
    std::size_t parts = 1;
    std::string shown(text_.substr(inside, pos_ - inside));
    while (pos_ < text_.size() && peek() != ']' && peek() != '\n' && peek() != '#') {
      const std::size_t begin = pos_;
      const char c = peek();
      if (c == '"' || c == '\'') {
        skip_string();
        if (pos_ - begin > 2) name.append(text_.substr(begin + 1, pos_ - begin - 2));  // less: empty, or not closed
      } else {
        if (const auto character = foreign(); !character.empty()) return must_be_quoted(character);
        take();
        if (c == '.' && ++parts > max_toml_depth) return too_deep();
        if (c != ' ' && c != '\t') name += c == '.' ? part_end : c;
      }
      shown.append(text_.substr(begin, pos_ - begin));
    }
    if (is_list) {
      lists_.insert(name);
    } else {
      note_table(start, name, shown);
    }
  }

  void note_table(Place start, const std::string& name, const std::string& shown) {
    for (std::size_t end = name.find(part_end); end != std::string::npos; end = name.find(part_end, end + 1)) {
      if (lists_.contains(name.substr(0, end))) return;  // once per element of the list
    }
    const auto [found, fresh] = tables_.emplace(name, start);
    if (fresh) return;
    diagnostics_.error(start, "[" + shown + "] stands twice", found->second);
    sound_after_headers_ = false;
  }

 public:
  bool has_duplicates() const { return !sound_after_headers_; }

 private:
  std::string_view text_;
  std::uint32_t file_;
  Diagnostics& diagnostics_;
  std::unordered_map<std::string, Place> tables_;
  std::unordered_set<std::string> lists_;
  std::size_t pos_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
  std::size_t depth_ = 0;
  std::size_t dots_ = 0;
  bool at_line_start_ = true;
  bool sound_ = true;
  bool sound_after_headers_ = true;
};

}  // namespace

bool scan_toml(std::string_view text, std::uint32_t file, Diagnostics& diagnostics) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Scanner scanner(text, file, diagnostics);
  return scanner.run() && !scanner.has_duplicates();
}

}  // namespace ronda::config
