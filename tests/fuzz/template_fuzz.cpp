// SPDX-License-Identifier: Apache-2.0
// Any bytes as the values of a message, through the shipped words of each topic, language and channel: no value ends a line where
// there is one, mentions anybody, is a tag or a control character, or makes the whole longer than its channel takes. And any text
// as a template: words for what is wrong with it, or a form of any message.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "base/text.hpp"
#include "notify/pattern.hpp"
#include "notify/template.hpp"

namespace {

using namespace ronda;
using namespace ronda::notify;

void expect(bool holds) {
  if (!holds) std::abort();
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_line(std::string_view text) {
  return repair_utf8(text, text.size()) == text && escape_controls(text) == text;
}

bool are_lines(std::string_view text) {
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find('\n');
    if (!is_line(text.substr(0, end))) return false;
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return true;
}

/// What stands for a sign of the markup is whole, and there is no other such sign.
bool is_inert(std::string_view text, Markup markup) {
  if (markup != Markup::mrkdwn && markup != Markup::html) return true;
  if (text.find_first_of("<>") != std::string_view::npos) return false;
  for (std::size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
    const std::string_view rest = text.substr(at);
    const bool plain = rest.starts_with("&amp;") || rest.starts_with("&lt;") || rest.starts_with("&gt;");
    if (!plain && !(markup == Markup::html && (rest.starts_with("&quot;") || rest.starts_with("&#39;")))) return false;
  }
  return true;
}

void render_one(const Templates& templates, const Templates::Use& use, const Fields& fields) {
  const Text text = templates.render(use, fields);
  const Limits limits = limits_of(use.markup);
  expect(is_line(text.title) && are_lines(text.body) && is_inert(text.title, use.markup) && is_inert(text.body, use.markup));
  if (use.markup == Markup::sms) {
    expect(text.title.empty() && is_line(text.body) && sms_size(text.body).parts <= limits.sms_parts);
    return;
  }
  expect(characters(text.title) <= limits.title && characters(text.body) <= limits.body);
  expect(!use.drill || text.title.starts_with("[DRILL] "));
}

void escape_one(std::string_view value) {
  for (const Markup markup : {Markup::plain, Markup::mrkdwn, Markup::html, Markup::sms}) {
    const std::string line = escape_line(value, markup), lines = escape_lines(value, markup);
    expect(is_line(line) && are_lines(lines) && is_inert(line, markup) && is_inert(lines, markup));
    for (const std::size_t most : {0, 3, 10, 100}) {
      const std::string short_one = cut(lines, most);
      expect(characters(short_one) <= most && are_lines(short_one) && is_inert(short_one, markup));
    }
  }
  for (const int parts : {1, 2}) expect(sms_size(cut_sms(escape_line(value, Markup::sms), parts)).parts <= parts);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Templates templates;
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  Fields fields;
  const auto names = field_names();
  std::string_view rest = bytes;
  for (std::size_t i = 0; i < names.size() && !rest.empty(); ++i) {
    const std::string_view value = rest.substr(0, rest.find('\x1e'));
    rest.remove_prefix(std::min(rest.size(), value.size() + 1));
    // some are long: few inputs are
    const std::string grown =
        value.ends_with('\x1d') ? std::string(value) + std::string(std::size_t{20} * value.size(), 'w') : std::string(value);
    fields.emplace_back(names[(i + data[2]) % names.size()].name, grown);
  }
  Templates::Use use;
  use.topic = static_cast<Topic>(data[0] % topic_count);
  use.language = data[0] % 16 < 8 ? Language::en : Language::es;
  use.markup = static_cast<Markup>(data[1] % 4);
  use.drill = data[1] % 8 < 4;
  render_one(templates, use, fields);
  escape_one(bytes.substr(0, 400));

  const Fields kept = fields_from_json(to_json(fields));
  expect(kept.size() == fields.size());
  for (const auto& [name, value] : fields) expect(value_of(kept, name) == repair_utf8(value, 3 * value.size()));
  static_cast<void>(fields_from_json(bytes));

  const auto pattern = Pattern::parse(bytes);
  if (!pattern) {
    expect(!pattern.error().message().empty());
    return 0;
  }
  static_cast<void>(pattern->fill(fields));
  return 0;
}
