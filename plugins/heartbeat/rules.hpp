// SPDX-License-Identifier: Apache-2.0
// What is expected of a job. All spans and instants are nanoseconds; an instant counts from 1970 UTC.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace heartbeat {

using Nanos = std::int64_t;

constexpr Nanos second = 1'000'000'000;
constexpr Nanos minute = 60 * second;

struct Rules {
  Nanos every = 0;  // a run at least this often, from one to the next; 0: by the calendar below
  std::function<std::optional<Nanos>(Nanos)> previous;  // the last slot <= at
  std::function<std::optional<Nanos>(Nanos)> next;      // the first slot > at
  Nanos start_within = 0;                               // after its slot
  Nanos max_run = 0;         // from start, or from the last heartbeat, to the end; 0: no limit
  Nanos max_silence = 0;     // between heartbeats of a run that sends them; 0: no limit
  Nanos not_more_often = 0;  // between two runs; 0: no limit
  Nanos grace = 0;           // added to each of these limits, for clocks and delivery
};

/// "90s", "1h30m", "6h", "1d", "1w" as conf.d writes durations; nothing when it is none.
std::optional<Nanos> parse_duration(std::string_view text);

/// "3d4h", "5m10s", "0s".
std::string span_text(Nanos span);
/// "2026-11-24T02:00:00Z"
std::string instant_text(Nanos at);

}  // namespace heartbeat
