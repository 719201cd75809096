// SPDX-License-Identifier: Apache-2.0
// The pages behind a link: plain HTML without script, style or image. Pure; every value is escaped here.
#pragma once

#include <string>
#include <string_view>

#include "api/http.hpp"
#include "incident/incident.hpp"
#include "notify/template.hpp"

namespace ronda::api {

inline constexpr std::size_t longest_typed_name = 80;

/// What is shown of an incident, and a button that takes it. The form is sent to where it came from. `room`: many have the link, and
/// who presses is asked for a name.
Response ack_form_page(const incident::Incident& incident, std::string_view person, std::string_view since, notify::Language language,
                       bool room = false);

/// One sentence of this agent's, as it is, or with `again` a way back to the form.
enum class AckWord : std::uint8_t { taken, bad_link, too_late, used, over, not_stored, not_done, no_name, taken_by_room };
Response ack_word_page(int status, AckWord word, std::string_view detail, notify::Language language, bool again = false);

/// The answer to an inbound SMS; an empty text sends none.
Response sms_reply(std::string_view text);

}  // namespace ronda::api
