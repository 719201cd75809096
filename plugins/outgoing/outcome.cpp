// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outcome.hpp"

#include "outgoing/retry_after.hpp"
#include "outgoing/text.hpp"

namespace outgoing {
namespace {

constexpr std::size_t shown_characters = 200;  // of a body

/// What a person should look at, for the statuses that say that the channel itself is wrong.
std::string_view remedy(int status) {
  switch (status) {
    case 401:
    case 403:
      return "; are the credentials right, and may they do this?";
    case 404:
    case 410:
      return "; is the URL right, and is what it leads to still there?";
    case 407:
      return "; the proxy wants a user and a password";
    case 413:
      return "; the message is too large for it";
    default:
      return status >= 300 && status < 400 ? "; redirects are not followed: give the URL that it leads to" : "";
  }
}

}  // namespace

Meaning meaning_of(int status) {
  if (status >= 200 && status < 300) return Meaning::taken;
  const bool later = status == 0 || status == 408 || status == 425 || status == 429 || (status >= 500 && status < 600);
  return later ? Meaning::later : Meaning::refused;
}

std::chrono::nanoseconds wait_of(const Answer& answer, std::int64_t now_s) {
  return parse_retry_after(answer.retry_after, now_s).value_or(std::chrono::seconds(0));
}

ronda::delivery outcome_of(const Answer& answer, std::int64_t now_s) {
  if (answer.status == 0) return ronda::retry({}, answer.failure);
  switch (meaning_of(answer.status)) {
    case Meaning::taken:
      return ronda::delivered("HTTP ", answer.status);
    case Meaning::later:
      return ronda::retry(wait_of(answer, now_s), "HTTP ", answer.status);
    default:
      break;
  }
  const auto said = one_line(answer.body, shown_characters);
  return ronda::drop("HTTP ", answer.status, said.empty() ? "" : ": ", said, remedy(answer.status));
}

}  // namespace outgoing
