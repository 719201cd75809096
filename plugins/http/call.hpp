// SPDX-License-Identifier: Apache-2.0
// What both procedures do in a call: the time a request may take and the metrics every answer gives.
#pragma once

#include <ronda/plugin.hpp>

#include <algorithm>

#include "client.hpp"

namespace http {

/// Ends a little before the call does, so that what timed out, and where, can still be told.
inline Limits limits_of(const ronda::call& call) {
  const auto left = call.remaining();
  const auto margin = std::min<std::chrono::nanoseconds>(left / 20, std::chrono::milliseconds(100));
  return {std::chrono::duration_cast<std::chrono::milliseconds>(left - margin), call.cancel_fd()};
}

/// Only of an answer: how long a failure took would spoil every average of answers.
inline void emit_answer(ronda::call& call, const Exchange& exchange, std::int64_t now_s) {
  if (exchange.end != Exchange::End::answered) return;
  call.metric("total", exchange.timings.total, ronda::seconds);
  call.metric("dns", exchange.timings.dns, ronda::seconds);
  call.metric("connect", exchange.timings.connect, ronda::seconds);
  if (exchange.https) call.metric("tls", exchange.timings.tls, ronda::seconds);
  call.metric("first_byte", exchange.timings.first_byte, ronda::seconds);
  call.metric("size", exchange.size, ronda::bytes);
  if (exchange.certificate_end) call.metric("certificate_left", *exchange.certificate_end - now_s, ronda::seconds);
}

inline std::int64_t unix_seconds(ronda::wall_time now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace http
