// SPDX-License-Identifier: Apache-2.0
#include "gateway.hpp"

#include <algorithm>
#include <optional>

#include "outgoing/json.hpp"
#include "outgoing/outcome.hpp"
#include "outgoing/text.hpp"

namespace sms {
namespace {

constexpr std::size_t shown_characters = 200;

/// What passes by itself: too many at once, queues that are full, troubles of the gateway's own.
bool passes(std::int64_t code) {
  constexpr std::int64_t passing[] = {14107, 20429, 20500, 20503, 20504, 21611, 30001};
  return std::find(std::begin(passing), std::end(passing), code) != std::end(passing);
}

std::string_view remedy(std::int64_t code) {
  switch (code) {
    case 20003:
      return "; are account_sid and auth_token right?";
    case 21211:
    case 21214:
    case 21217:
    case 21614:
      return "; is the contact's number right, and one of a mobile telephone?";
    case 21408:
      return "; the account may not send to that country";
    case 21606:
    case 21659:
    case 21660:
      return "; is `from` a number of this account?";
    case 21610:
      return "; the receiver has replied STOP, and must reply START";
    default:
      return "";
  }
}

/// The number of what went wrong, where the body says one.
std::optional<std::int64_t> error_code(const outgoing::JsonObject& body) {
  if (const auto code = body.integer("error_code")) return code;
  return body.integer("code");
}

ronda::delivery failure(int status, std::int64_t code, const outgoing::JsonObject& body, std::chrono::nanoseconds wait) {
  auto words = body.text("message");
  if (words.empty()) words = body.text("error_message");
  const auto said = ronda::text("the gateway says ", code, words.empty() ? "" : ": ", outgoing::one_line(words, shown_characters));
  const bool later = passes(code) || outgoing::meaning_of(status) == outgoing::Meaning::later;
  return later ? ronda::retry(wait, said) : ronda::drop(said, remedy(code));
}

}  // namespace

ronda::delivery read_reply(const outgoing::Answer& answer, std::int64_t now_s) {
  if (answer.status == 0) return outgoing::outcome_of(answer, now_s);
  const auto body = outgoing::parse_json_object(answer.body);
  if (const auto code = body ? error_code(*body) : std::nullopt)
    return failure(answer.status, *code, *body, outgoing::wait_of(answer, now_s));
  if (outgoing::meaning_of(answer.status) != outgoing::Meaning::taken) return outgoing::outcome_of(answer, now_s);
  const auto state = body ? body->text("status") : std::string_view();
  if (state == "failed" || state == "undelivered" || state == "canceled") return ronda::drop("the gateway says that it is ", state);
  if (body && !body->text("sid").empty()) {
    const auto sid = outgoing::one_line(body->text("sid"), shown_characters);
    if (state == "delivered") return ronda::delivered("delivered as ", sid);
    return ronda::delivered("accepted as ", sid, state.empty() ? "" : ": ", outgoing::one_line(state, shown_characters));
  }
  return ronda::drop("HTTP ", answer.status,
                     ", but not the gateway's word that it took the message: ", outgoing::one_line(answer.body, shown_characters),
                     "; is api_base right?");
}

}  // namespace sms
