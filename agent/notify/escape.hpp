// SPDX-License-Identifier: Apache-2.0
// Values from outside made fit for the channel that shows them, and texts cut to what a channel takes.
// Pure; every function takes any bytes and answers valid UTF-8. It knows no template and no notifier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ronda::notify {

/// How a channel reads what it is given.
enum class Markup : std::uint8_t {
  plain,
  mrkdwn,  // Slack: & < > have a meaning, and so `<!channel>` and `<http://..|..>`
  html,
  sms,  // one line, few characters
};

/// "plain", "mrkdwn", "html", "sms"; and back, plain for what is none.
std::string_view markup_name(Markup markup);
Markup find_markup(std::string_view name);

/// A value for one line: broken bytes repaired; controls, line breaks and bidi controls as \xNN; then what the markup
/// gives a meaning to is escaped. Nothing in it can end the line, mention somebody or become a link or tag.
std::string escape_line(std::string_view value, Markup markup);
/// The same for a value of several lines: \n stays (and is a space in an SMS), \r\n becomes \n.
std::string escape_lines(std::string_view value, Markup markup);

/// What a channel takes. Units: characters (code points); of SMS parts as GSM 03.38 and UCS-2 count them.
struct Limits {
  std::size_t title = 200;
  std::size_t body = 16'000;
  int sms_parts = 2;
};
Limits limits_of(Markup markup);

/// At most `most` characters; what was cut ends in "...", never inside a character, before a combining mark or
/// inside an entity like &amp;.
std::string cut(std::string_view text, std::size_t most);

/// How an SMS is counted: GSM-7 septets (extension characters are two) or UCS-2 units.
struct SmsSize {
  bool gsm7 = true;
  std::size_t units = 0;
  int parts = 1;  // 160 and 153 septets, 70 and 67 units: one part alone, and each of several
};
SmsSize sms_size(std::string_view text);
/// Letters and signs that GSM-7 lacks and that have a near one in it ("a" with acute, curly quotes) by that one; what
/// is left that it lacks stays.
std::string fold_for_sms(std::string_view text);
/// Cut so that it takes at most `parts` parts.
std::string cut_sms(std::string_view text, int parts);

}  // namespace ronda::notify
