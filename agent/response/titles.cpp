// SPDX-License-Identifier: Apache-2.0
#include "response/titles.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/fields.hpp"
#include "response/plan.hpp"
#include "response/words.hpp"
#include "rule/objective.hpp"

namespace ronda::response {
namespace {

/// What is known when an alert fires, and does not change while its incident lasts. Its level does: messages have it anyway.
constexpr std::array<std::string_view, 7> placeholders = {"alert", "check", "host", "reason", "service", "since", "system"};

bool has_reason(std::string_view text) {
  for (std::size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) {
    std::string_view tag = text.substr(at + 2);
    tag = tag.substr(0, tag.find("}}"));
    if (!tag.empty() && tag.front() == '#') tag.remove_prefix(1);
    if (trim(tag) == "reason") return true;
  }
  return false;
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return std::string(trim(text));
}

void read_title(const config::RawObject& object, AlertTitles& out, config::Diagnostics& diagnostics) {
  const config::Value* value = object.value.find("title");
  const std::string* text = value == nullptr ? nullptr : value->as_string();
  if (text == nullptr || trim(*text).empty()) return;  // one that is no text is told by who reads the alert
  AlertTitle title{one_line(*text), nullptr, false};
  if (text->find("{{") != std::string::npos) {
    auto pattern = notify::Pattern::parse(*text, placeholders);
    config::Scope scope(diagnostics);
    if (!pattern) return config::wrong_text(scope, "title", *value, pattern.error().message(), "a title");
    title.pattern = std::make_shared<const notify::Pattern>(*std::move(pattern));
    title.says_reason = has_reason(*text);
  }
  out.emplace(object.name, std::move(title));
}

}  // namespace

AlertTitles read_titles(const config::Generation& generation, config::Diagnostics& diagnostics) {
  AlertTitles out;
  for (const config::RawObject& object : generation.raw("alert")) read_title(object, out, diagnostics);
  for (const config::RawObject& object : generation.raw("slo")) {
    const config::Value* value = object.value.find("title");
    const std::string* text = value == nullptr ? nullptr : value->as_string();
    if (text != nullptr && !trim(*text).empty())
      out.emplace(std::string(rule::slo_prefix) + object.name,
                  AlertTitle{std::string(rule::slo_prefix) + object.name + " (" + one_line(*text) + ")", nullptr, false});
  }
  return out;
}

std::string title_of(const Plan& plan, const rule::Change& change) {
  const auto found = plan.titles.find(change.alert);
  if (found == plan.titles.end()) return {};
  const AlertTitle& title = found->second;
  std::string out = title.text;
  if (title.pattern != nullptr) {
    out = one_line(title.pattern->fill({{"alert", change.alert},
                                        {"check", change.check},
                                        {"host", plan.settings.host},
                                        {"reason", change.reason},
                                        {"service", change.service},
                                        {"since", time_text(plan, change.since_ns)},
                                        {"system", system_of(plan, change.service)}}));
  }
  if (out.empty()) return {};
  return title.says_reason || change.reason.empty() ? out : out + ": " + change.reason;
}

}  // namespace ronda::response
