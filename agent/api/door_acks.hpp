// SPDX-License-Identifier: Apache-2.0
// Taking an incident from afar: a signed link that shows a form, and a code that is sent back by SMS. Both act as the
// contact to whom they were sent, and as nobody else; a link that went where many read acts as that room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/form.hpp"
#include "api/routes.hpp"

namespace ronda::api {

inline constexpr std::string_view ack_path = "/ack/";
inline constexpr std::string_view twilio_path = "/v1/twilio";

/// Whose link it is: the contact's name, "" where its time is over; none: it was not made here.
std::optional<std::string> owner_of_link(AgentView& agent, const Request& request);
/// GET changes nothing, for programs that look at mail follow its links; POST takes the incident.
void answer_ack(AgentView& agent, const Request& request, const Respond& respond);

struct TwilioRules {
  std::string public_url, auth_token;
};
/// As Twilio signs: the URL, then each field's name and value in the order of the names; HMAC-SHA1, Base64.
std::string twilio_signature(std::string_view auth_token, std::string_view url, const Form& form);
/// Whether the gateway has signed it.
bool is_signed_sms(const TwilioRules& rules, const Request& request);
void answer_twilio(AgentView& agent, const TwilioRules& rules, const Request& request, const Respond& respond);

/// The words of a message that could be a code: small letters and misread ones mended, at most eight.
std::vector<std::string> codes_in(std::string_view body);

}  // namespace ronda::api
