// SPDX-License-Identifier: Apache-2.0
// What an answer of Twilio's API means: it may refuse with any status, also with one that says yes. Pure.
#pragma once

#include <ronda/result.hpp>

#include <cstdint>

#include "outgoing/post.hpp"

namespace sms {

/// `now_s`: seconds since 1970.
ronda::delivery read_reply(const outgoing::Answer& answer, std::int64_t now_s);

}  // namespace sms
