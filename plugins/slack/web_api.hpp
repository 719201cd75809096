// SPDX-License-Identifier: Apache-2.0
// What an answer of Slack means: the web API says with status 200 what went wrong, an incoming webhook says "ok". Pure.
#pragma once

#include <ronda/result.hpp>

#include <string>
#include <string_view>

namespace slack {

struct Reply {
  ronda::delivery outcome;
  std::string error;    ///< Slack's word for what went wrong, else empty
  std::string ts;       ///< which message of the channel it became
  std::string channel;  ///< the channel's id
};

/// Of the web API, for the body of an answer with status 2xx.
Reply read_reply(std::string_view body);

/// Of an incoming webhook, for the same.
ronda::delivery read_webhook_reply(int status, std::string_view body);

}  // namespace slack
