// SPDX-License-Identifier: Apache-2.0
#include "config/diagnostic.hpp"

#include <algorithm>
#include <tuple>

#include "base/text.hpp"

namespace ronda::config {
namespace {

constexpr std::size_t max_columns = 120;
constexpr std::size_t max_message_bytes = 2000;
constexpr std::size_t tab_columns = 4;

std::string_view severity_text(Severity severity) {
  return severity == Severity::error ? "error" : "warning";
}

/// Bytes of the character at the start of `text`; a stray byte counts as one.
std::size_t character_bytes(std::string_view text) {
  std::size_t bytes = 1;
  while (bytes < text.size() && bytes < 4 && (static_cast<unsigned char>(text[0]) & 0xC0U) == 0xC0U &&
         (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) {
    ++bytes;
  }
  return bytes;
}

std::size_t count_columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view line_of(std::string_view text, std::uint32_t line) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// A source line as it is shown, and the column of the caret in it, both counted from 0.
struct Shown {
  std::vector<std::string> characters;
  std::vector<std::size_t> starts;  // column at which each begins
  std::size_t width = 0;
};

Shown show(std::string_view line) {
  Shown shown;
  while (!line.empty()) {
    const std::size_t bytes = character_bytes(line);
    std::string piece = line[0] == '\t' ? std::string(tab_columns, ' ') : escape_controls(line.substr(0, bytes));
    shown.starts.push_back(shown.width);
    shown.width += count_columns(piece);
    shown.characters.push_back(std::move(piece));
    line.remove_prefix(bytes);
  }
  return shown;
}

std::string source_lines(std::string_view line, std::uint32_t column) {
  const Shown shown = show(line);
  const std::size_t index = column - 1;
  const std::size_t caret = index < shown.starts.size() ? shown.starts[index] : shown.width;
  // a window that keeps the caret in its left two thirds
  const std::size_t room = max_columns - 2;
  const std::size_t from = caret > room * 2 / 3 && shown.width > room ? caret - room * 2 / 3 : 0;
  std::string out = from > 0 ? "..." : "";
  std::size_t used = out.size();
  std::size_t caret_at = used;
  for (std::size_t i = 0; i < shown.characters.size(); ++i) {
    if (shown.starts[i] < from) continue;
    if (i == index) caret_at = used;
    const std::size_t width = count_columns(shown.characters[i]);
    if (used + width + 3 > room && shown.width - shown.starts[i] > 3) {
      out += "...";
      break;
    }
    out += shown.characters[i];
    used += width;
  }
  if (index >= shown.characters.size()) caret_at = used;
  return "  " + out + "\n  " + std::string(caret_at, ' ') + "^\n";
}

}  // namespace

void Diagnostics::sort() {
  const auto key = [](const Diagnostic& d) { return std::tuple(d.where.file, d.where.line, d.where.column); };
  std::stable_sort(all_.begin(), all_.end(), [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
}

std::string place_text(Place place, const Sources& sources) {
  if (place.file >= sources.size()) return {};
  std::string text = escape_controls(sources[place.file].path);
  if (place.line > 0) text += ":" + std::to_string(place.line);
  if (place.line > 0 && place.column > 0) text += ":" + std::to_string(place.column);
  return text;
}

namespace {

std::string one_line(const Diagnostic& diagnostic, const Sources& sources, std::string_view severity) {
  std::string text = place_text(diagnostic.where, sources);
  if (!text.empty()) text += ": ";
  text += severity;
  text += escape_controls(repair_utf8(diagnostic.message, max_message_bytes));
  if (diagnostic.first) text += "; the first is at " + place_text(*diagnostic.first, sources);
  return text;
}

}  // namespace

std::string place_and_message(const Diagnostic& diagnostic, const Sources& sources) {
  return one_line(diagnostic, sources, "");
}

std::string headline(const Diagnostic& diagnostic, const Sources& sources) {
  return one_line(diagnostic, sources, std::string(severity_text(diagnostic.severity)) + ": ");
}

std::string render(const Diagnostic& diagnostic, const Sources& sources) {
  std::string text = headline(diagnostic, sources) + "\n";
  const Place where = diagnostic.where;
  if (where.file >= sources.size() || where.line == 0 || where.column == 0) return text;
  const std::string_view line = line_of(sources[where.file].text, where.line);
  if (trim(line).empty()) return text;
  return text + source_lines(line, where.column);
}

std::string render_all(const Diagnostics& diagnostics, const Sources& sources) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics.all()) text += render(diagnostic, sources);
  if (diagnostics.not_kept() > 0) text += "and " + std::to_string(diagnostics.not_kept()) + " more\n";
  return text;
}

}  // namespace ronda::config
