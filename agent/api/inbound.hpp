// SPDX-License-Identifier: Apache-2.0
// What others post about alerts, read into alerts of the agent. Pure. Every text in it is data: bounded, made valid, and
// never a name of conf.d, but for the service, which must be one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "response/inbound.hpp"

namespace ronda::api {

struct InboundContext {
  std::string_view sender;                // a token's name, or "unix:alice"
  std::span<const std::string> services;  // of conf.d, sorted
  std::int64_t now_ns = 0;
};

inline constexpr std::size_t most_posted = 200;  // alerts of one request
inline constexpr std::int64_t repeated_within_ns = std::int64_t{5} * 24 * 3600 * 1'000'000'000;

/// The webhook of Alertmanager, version 4. An alert is known again by its fingerprint.
Result<response::InboundBatch> parse_alertmanager(const std::string& body, const InboundContext& context);
/// One event: {"alert": "nas", "status": "firing", "level": "p2", "text": "...", "service": "shop", "for": "1h"}.
Result<response::InboundBatch> parse_event(const std::string& body, const InboundContext& context);

}  // namespace ronda::api
