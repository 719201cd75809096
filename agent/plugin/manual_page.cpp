// SPDX-License-Identifier: Apache-2.0
#include "plugin/manual_page.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "plugin/docs.hpp"

namespace ronda::plugin {
namespace {

constexpr int breakable_after = 40;  // characters without a blank

/// One character off the front of valid UTF-8.
std::uint32_t take_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t size = byte(0) < 0x80 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  std::uint32_t point = size == 1 ? byte(0) : byte(0) & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) point = point << 6U | (byte(i) & 0x3fU);
  text.remove_prefix(size);
  return point;
}

std::string glyph(std::uint32_t point, bool literal) {
  switch (point) {
    case '\\':
      return "\\(rs";
    case '\'':
      return "\\(aq";
    case '`':
      return "\\(ga";
    case '^':
      return "\\(ha";
    case '~':
      return "\\(ti";
    case '"':
      return "\\(dq";
    case '-':
      return literal ? "\\-" : "-";  // what is copied into conf.d must be no typographic hyphen
    default:
      break;
  }
  if (point < 0x80) return {static_cast<char>(point)};
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "\\[u%04X]", point);
  return name.data();
}

/// Text of one line as it is; literal: as people type it. A long word may be broken anywhere.
std::string plain(std::string_view raw, bool literal = false) {
  const std::string text = escape_controls(raw);
  std::string out;
  int since_blank = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::uint32_t point = take_point(rest);
    since_blank = point == ' ' ? 0 : since_blank + 1;
    out += glyph(point, literal);
    if (since_blank % breakable_after == breakable_after - 1) out += "\\:";
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + plain(text, true) + "\\fR";
}

/// What stands between two marks at the front of `text`, which is then behind the second; nothing without it.
std::optional<std::string_view> take_marked(std::string_view& text, std::string_view mark) {
  if (!text.starts_with(mark)) return std::nullopt;
  const std::size_t end = text.find(mark, mark.size());
  if (end == std::string_view::npos || end == mark.size()) return std::nullopt;
  const std::string_view inside = text.substr(mark.size(), end - mark.size());
  text.remove_prefix(end + mark.size());
  return inside;
}

/// A cell of a table in Markdown has its | escaped.
std::string without_cell(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\\' || text.substr(i + 1, 1) != "|") out += text[i];
  return out;
}

/// One line of Markdown: `literal` and **strong**, no more.
std::string inline_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto marked = take_marked(text, "`");
    if (!marked) marked = take_marked(text, "**");
    if (marked) {
      out += bold(*marked);
      continue;
    }
    const std::size_t size = std::max<std::size_t>(1, std::min(text.find_first_of("`*"), text.size()));
    out += plain(text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}

/// A line of its own that is no request.
std::string line(const std::string& roff) {
  return (roff.empty() || roff.front() == '.' || roff.front() == ' ' ? "\\&" : "") + roff + "\n";
}

std::string heading(std::string_view text) {
  return ".SH \"" + plain(text) + "\"\n";
}

/// Lines that are not filled.
std::string literal_block(std::string_view text) {
  std::string out = ".RS 4\n.nf\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += line(plain(text.substr(0, end), true));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + ".fi\n.RE\n";
}

/// What authors write: paragraphs, lists with "- ", blocks between ```.
std::string paragraphs(std::string_view text) {
  std::string out = ".PP\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view one = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.starts_with("```")) {
      const std::size_t close = std::min(text.find("```"), text.size());
      out += literal_block(text.substr(0, close)) + ".PP\n";
      text.remove_prefix(std::min(text.find('\n', close), text.size()));
    } else if (one.empty()) {
      if (!out.ends_with(".PP\n")) out += ".PP\n";
    } else if (one.starts_with("- ")) {
      out += ".IP \\(bu 2\n" + line(inline_text(one.substr(2)));
    } else {
      out += line(inline_text(one));
    }
  }
  return out.ends_with(".PP\n") ? out.substr(0, out.size() - 4) : out;
}

void add_options(const std::vector<Option>& options, const std::string& prefix, std::string& out) {
  for (const Option& option : options) {
    if (out.size() > max_manual_page_bytes) return;
    std::string name = prefix + option.key;
    std::string tag = bold(name) + " (" + plain(type_name(option));
    if (const std::string otherwise = without_cell(option_default(option)); !otherwise.empty())
      tag += (option.required ? ", " : ", default ") + inline_text(otherwise);
    out += ".TP\n" + line(tag + ")") + line(inline_text(without_cell(option_meaning(option))));
    for (const Wrapper wrapper : option.wrappers) name += wrapper == Wrapper::list ? "[]" : ".NAME";
    add_options(option.keys, name + ".", out);
  }
}

void add_metrics(const Procedure& procedure, std::string& out) {
  if (procedure.metrics.empty() && !procedure.open_metrics) return;
  out += ".SS Metrics\n";
  for (const MetricDeclaration& metric : procedure.metrics) {
    out += ".TP\n" +
           line(bold(metric.name) + " (" + plain(metric.unit.empty() ? "" : metric.unit + ", ") + (metric.counter ? "counter)" : "gauge)"));
    std::string labels;
    for (const std::string& label : metric.labels) labels += (labels.empty() ? " (by " : ", ") + bold(label);
    out += line(inline_text(metric.doc) + labels + (labels.empty() ? "" : ")"));
  }
  if (procedure.open_metrics) out += ".PP\nMore metrics are named by the configuration or by what is measured.\n";
}

void add_procedure(const Procedure& procedure, std::string& out) {
  out += heading(procedure.name + " (" + std::string(to_string(procedure.kind)) + ")") + line(inline_text(procedure.summary));
  if (!procedure.doc.empty()) out += paragraphs(procedure.doc);
  if (procedure.kind == Kind::notifier) out += ".PP\n" + line("It is given messages " + plain(messages_text(procedure.messages)) + ".");
  out += ".SS Options\n";
  if (procedure.options.empty()) out += "It has no options.\n";
  add_options(procedure.options, "", out);
  add_metrics(procedure, out);
  out += ".SS Example\n" + literal_block(example_object(procedure));
}

}  // namespace

Result<std::string> manual_page(const Manifest& manifest) {
  std::string names, grants;
  for (const Procedure& procedure : manifest.provides) names += (names.empty() ? "" : ", ") + procedure.name;
  for (const Grant grant : manifest.needs) grants += (grants.empty() ? "" : ", ") + bold(to_string(grant));
  // left alone, words of conf.d would be torn apart to fill the line, and divided with hyphens
  std::string out = ".TH \"" + plain(manifest.id) + "\" 5 \"\" \"" + plain(manifest.id + " " + manifest.version) +
                    "\" \"Ronda plugins\"\n" + ".nh\n.ad l\n.SH NAME\n" +
                    line(plain(manifest.id) + " \\- plugin of Ronda with " + plain(names)) +
                    ".SH DESCRIPTION\nLicense: " + plain(manifest.license) + ".\n";
  if (!manifest.homepage.empty()) out += line(plain(manifest.homepage));
  out += ".PP\nGrants that it needs: " + (grants.empty() ? "none" : grants) + ".\n";
  for (const Procedure& procedure : manifest.provides) {
    add_procedure(procedure, out);
    if (out.size() > max_manual_page_bytes)
      return Error(Errc::range, "the manual page of " + manifest.id + " would have more than 1 MiB; its Markdown has no limit");
  }
  return out;
}

}  // namespace ronda::plugin
