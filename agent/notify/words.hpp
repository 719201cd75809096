// SPDX-License-Identifier: Apache-2.0
// The shipped templates, English and Spanish. The ones of incidents are those of the operations runbook, 5.3.1 and
// 5.3.2, with all of their fields. Plain text with placeholders; nothing else.
#pragma once

#include <string_view>

#include "notify/template.hpp"

namespace ronda::notify {

struct Words {
  std::string_view title, body, sms;
};
const Words& shipped_words(Topic topic, Language language);

/// Before the title of a drill, and the first line of its body.
std::string_view drill_mark();
std::string_view drill_line(Language language);

/// "investigating", "mitigating" and "resolved" as the templates show them; other words as they are.
std::string_view status_word(std::string_view status, Language language);

}  // namespace ronda::notify
