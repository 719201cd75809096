// SPDX-License-Identifier: Apache-2.0
// An instant as people write it: "2026-12-24 09:00" by a zone's wall clock, "2026-12-24T12:00:00Z" in UTC,
// "2026-12-24T09:00:00-03:00" by an offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "schedule/zone.hpp"

namespace ronda::people {

/// Date, then T or a space, then hours and minutes, seconds and a fraction of them (which does not count) if wanted, Z for
/// UTC or an offset as RFC 3339 has it, "-03:00" or "-0300"; nanoseconds since 1970. A reading that the clock skips is the
/// first instant after the gap, one that comes twice is the first.
Result<std::int64_t> parse_moment(std::string_view text, const schedule::Zone& zone);

/// "2026-12-24": the date alone.
Result<schedule::local_seconds> parse_date(std::string_view text);

/// "09:00", up to "24:00", since midnight.
Result<std::chrono::minutes> parse_time_of_day(std::string_view text);

/// "Sun 2027-03-28 03:00:00 +0200"
std::string moment_text(std::int64_t at_ns, const schedule::Zone& zone);

}  // namespace ronda::people
