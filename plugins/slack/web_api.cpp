// SPDX-License-Identifier: Apache-2.0
#include "web_api.hpp"

#include <algorithm>

#include "outgoing/json.hpp"
#include "outgoing/text.hpp"

namespace slack {
namespace {

constexpr std::size_t shown_characters = 200, longest_word = 64;

/// What passes by itself; every other error of Slack's stays until somebody does something.
bool passes(std::string_view error) {
  for (const std::string_view word :
       {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
    if (error == word) return true;
  return false;
}

std::string_view remedy(std::string_view error) {
  struct Row {
    std::string_view error, text;
  };
  constexpr Row rows[] = {
      {"invalid_auth", "; is the token right?"},
      {"not_authed", "; is the token right?"},
      {"token_revoked", "; give the app's new token"},
      {"token_expired", "; give the app's new token"},
      {"account_inactive", "; the app or its workspace was switched off"},
      {"missing_scope", "; the app needs the scope chat:write"},
      {"channel_not_found", "; give the channel's id, and add the app to it if it is private"},
      {"not_in_channel", "; add the app to the channel"},
      {"is_archived", "; the channel is archived"},
  };
  const auto* found = std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) { return row.error == error; });
  return found == std::end(rows) ? std::string_view() : found->text;
}

}  // namespace

Reply read_reply(std::string_view body) {
  Reply out;
  const auto object = outgoing::parse_json_object(body);
  const auto* ok = object ? object->find("ok") : nullptr;
  if (ok == nullptr || ok->kind != outgoing::JsonMember::Kind::boolean) {
    out.outcome = ronda::drop("what answers is not Slack's web API: ", outgoing::one_line(body, shown_characters), "; is api_base right?");
    return out;
  }
  if (object->is_true("ok")) {
    out.ts = outgoing::one_line(object->text("ts"), longest_word);
    out.channel = outgoing::one_line(object->text("channel"), longest_word);
    out.outcome = ronda::delivered("posted as ", out.ts);
    return out;
  }
  out.error = outgoing::one_line(object->text("error"), longest_word);
  if (passes(out.error))
    out.outcome = ronda::retry({}, "Slack says ", out.error);
  else
    out.outcome = ronda::drop("Slack says ", out.error.empty() ? "no, without a reason" : out.error, remedy(out.error));
  return out;
}

ronda::delivery read_webhook_reply(int status, std::string_view body) {
  if (status == 200 && body == "ok") return ronda::delivered("posted");
  return ronda::drop("HTTP ", status, ", but not Slack's `ok`: ", outgoing::one_line(body, shown_characters),
                     "; is webhook_url that of an incoming webhook?");
}

}  // namespace slack
