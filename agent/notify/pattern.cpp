// SPDX-License-Identifier: Apache-2.0
#include "notify/pattern.hpp"

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <vector>

#include "base/text.hpp"

namespace ronda::notify {
namespace {

using kainjow::mustache::tag_type;
using Component = kainjow::mustache::component<std::string>;
using Walk = Component::walk_control;

/// "line 3, column 5 of the text"
std::string place_in(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, std::min(position, text.size()));
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t start = before.rfind('\n');
  const std::size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + " of the text";
}

std::string shown(std::string_view name) {
  return escape_controls(repair_utf8(name, 64));
}

std::string listed(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out += (out.empty() ? "{{" : ", {{") + std::string(name) + "}}";
  return out;
}

std::string wrong_placeholder(std::string_view name, std::span<const std::string_view> names) {
  if (name.empty()) return "a placeholder without a name";
  if (std::ranges::find(names, name) != names.end()) return {};
  if (std::ranges::find(field_names(), name, &FieldName::name) != field_names().end())
    return "`{{" + std::string(name) + "}}` has no value here; there are " + listed(names);
  const std::string_view close = nearest(name, names);
  return "unknown placeholder `{{" + shown(name) + "}}`" + (close.empty() ? "" : "; did you mean `{{" + std::string(close) + "}}`?");
}

/// What is wrong with a tag; empty: nothing.
std::string wrong_tag(const Component& part, std::span<const std::string_view> names) {
  switch (part.tag.type) {
    case tag_type::variable:
    case tag_type::section_begin:
    case tag_type::section_begin_inverted:
      return wrong_placeholder(part.tag.name, names);
    case tag_type::unescaped_variable:
      return "`{{{" + shown(part.tag.name) + "}}}` would not be escaped; write `{{" + shown(part.tag.name) + "}}`";
    case tag_type::partial:
      return "`{{>" + shown(part.tag.name) + "}}`: a template cannot include another";
    case tag_type::set_delimiter:
      return "the delimiters are {{ and }} and stay so";
    default:
      return {};
  }
}

int depth_of(std::string_view text) {
  int depth = 0, most = 0;
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) {
    const std::size_t tag = text.find_first_not_of(" \t\r\n", at + 2);
    if (tag == std::string_view::npos) break;
    if (text[tag] == '#' || text[tag] == '^') most = std::max(most, ++depth);
    if (text[tag] == '/') --depth;
  }
  return most;
}

/// Before the library reads it: nothing that it changes its own reading by, or recurses without bound on.
Status check_before(std::string_view text) {
  if (text.size() > pattern_bytes_max)
    return Error(Errc::range, "has at most " + std::to_string(pattern_bytes_max) + " bytes, this has " + std::to_string(text.size()));
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) {
    const std::size_t tag = text.find_first_not_of(" \t\r\n", at + 2);
    if (tag != std::string_view::npos && text[tag] == '=')
      return Error(Errc::invalid, "the delimiters are {{ and }} and stay so: " + place_in(text, at));
    if (text.find("}}", at) == std::string_view::npos) return Error(Errc::invalid, "`{{` without `}}`: " + place_in(text, at));
  }
  if (depth_of(text) > pattern_depth_max)
    return Error(Errc::range, "sections stand at most " + std::to_string(pattern_depth_max) + " deep in each other");
  return done();
}

/// "Unclosed section "x" at 12" of the library, with the place as people count.
Error said_by_library(std::string_view text, const std::string& message) {
  const std::size_t at = message.rfind(" at ");
  if (at == std::string::npos) return {Errc::invalid, message};
  const auto position = static_cast<std::size_t>(std::strtoull(message.c_str() + at + 4, nullptr, 10));
  std::string said = shown(message.substr(0, at));
  said.front() = static_cast<char>(said.front() | 0x20);
  return {Errc::invalid, said + ": " + place_in(text, position)};
}

}  // namespace

struct Pattern::Parsed {
  explicit Parsed(const std::string& text) : mustache(text) {
    mustache.set_custom_escape([](const std::string& value) { return value; });
  }
  mutable kainjow::mustache::mustache mustache;  // rendering is not const there, and changes nothing
};

Pattern::Pattern(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

Result<Pattern> Pattern::parse(std::string_view text) {
  std::vector<std::string_view> names;
  for (const FieldName& field : field_names()) names.push_back(field.name);
  return parse(text, names);
}

Result<Pattern> Pattern::parse(std::string_view text, std::span<const std::string_view> names) {
  RONDA_TRY(std::ignore, check_before(text));
  const std::string copy(text);
  // The parser by itself, for its tree: the class that renders does not show it.
  Component root;
  std::string message, wrong;
  kainjow::mustache::context<std::string> nothing;
  kainjow::mustache::context_internal<std::string> context(nothing);
  kainjow::mustache::parser<std::string>(copy, context, root, message);
  root.walk_children([&](Component& part) {
    if (part.is_text()) return Walk::walk;
    const std::string problem = wrong_tag(part, names);
    if (problem.empty()) return Walk::walk;
    wrong = problem + ": " + place_in(text, part.position);
    return Walk::stop;
  });
  if (!wrong.empty()) return Error(Errc::invalid, wrong);
  if (!message.empty()) return said_by_library(text, message);
  return Pattern(std::make_unique<Parsed>(copy));
}

std::string Pattern::fill(const Fields& escaped) const {
  kainjow::mustache::data data;
  for (const auto& [name, value] : escaped) {
    if (!value.empty()) data.set(name, value);
  }
  return parsed_->mustache.render(data);
}

}  // namespace ronda::notify
