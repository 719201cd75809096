// SPDX-License-Identifier: Apache-2.0
// Who may come in over TCP, and how often: Host and Origin before anything else, then a token, or what carries its own proof
// (a signed link, a signed message). Everybody else is turned away without a word about the agent.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/routes.hpp"
#include "api/tokens.hpp"

namespace ronda::api {

/// So many at once, and as many a second after that. Pure.
class Allowance {
 public:
  Allowance(double burst, double per_second) : left_(burst), burst_(burst), per_second_(per_second) {}
  bool take(std::chrono::nanoseconds now);

 private:
  double left_, burst_, per_second_;
  std::chrono::nanoseconds last_{-1};
};

/// What the door knows of a generation.
struct DoorRules {
  std::vector<std::string> hosts, origins;  // in small letters
  std::vector<Token> tokens;
  std::string public_url;  // without a slash at its end
  std::string twilio_auth_token;
};
DoorRules door_rules(const config::Generation& generation);

/// "ronda.example", with or without a port: an entry without one is good for all of them.
bool is_allowed_host(const DoorRules& rules, std::string_view host);
bool is_allowed_origin(const DoorRules& rules, std::string_view origin);
/// Nothing where the request may go on; else why not: malformed, 421, 403.
std::optional<Response> judge_request(const DoorRules& rules, const Request& request);
/// The word after "Bearer "; empty: there is none, or more than one.
std::string_view bearer_of(const Request& request);

/// In front of `routes`, for a TcpServer. `now` is a clock that does not go back.
Handler make_door(AgentView& agent, Handler routes, std::function<std::chrono::nanoseconds()> now);

}  // namespace ronda::api
