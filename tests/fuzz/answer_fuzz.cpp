// SPDX-License-Identifier: Apache-2.0
// What a sink answers, and what a message may hold: every text ends in a verdict or a form within its bounds.
#include <cstdint>
#include <cstdlib>

#include "outgoing/json.hpp"
#include "outgoing/outcome.hpp"
#include "outgoing/retry_after.hpp"
#include "outgoing/text.hpp"
#include "slack/blocks.hpp"
#include "slack/web_api.hpp"
#include "sms/alphabet.hpp"
#include "sms/compose.hpp"
#include "sms/gateway.hpp"

namespace {

void require(bool held) {
  if (!held) std::abort();
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) outgoing::take_character(text);
  return count;
}

void answers(std::string_view text, int status) {
  outgoing::Answer answer;
  answer.status = status;
  answer.body = answer.retry_after = text;
  require(characters(outgoing::outcome_of(answer, 1795914000).summary) < 400);
  require(characters(sms::read_reply(answer, 1795914000).summary) < 400);
  require(characters(slack::read_reply(text).outcome.summary) < 400);
  slack::read_webhook_reply(status, text);
  if (const auto wait = outgoing::parse_retry_after(text, 1795914000)) require(wait->count() >= 0 && wait->count() <= 3600);
}

void messages(std::string_view text) {
  const auto escaped = slack::escaped(text, 150);
  require(escaped.find_first_of("<>") == std::string::npos && characters(escaped) <= 150);
  require(slack::escaped(escaped, 150) == escaped);
  const auto composed = sms::compose({text.substr(0, text.size() / 2), text.substr(text.size() / 2), "Reply 4821."}, 2, true);
  require(sms::size_of(composed).segments <= 2);
  require(composed.size() >= 11 && composed.compare(composed.size() - 11, 11, "Reply 4821.") == 0);
  outgoing::JsonWriter json;
  json.object().member("x", text).end_object();
  const auto read = outgoing::parse_json_object(json.text());
  require(read && read->text("x") == outgoing::valid_utf8(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  answers(text, data[0] % 6 == 0 ? 0 : 100 + data[0] * 2 + data[1] % 2);
  messages(text);
  return 0;
}
