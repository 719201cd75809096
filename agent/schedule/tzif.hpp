// SPDX-License-Identifier: Apache-2.0
// The bytes of a TZif file (RFC 8536) as a list of changes of the offset, up to the year 2200. Pure; every
// length in the bytes is checked; a file with leap seconds is refused.
#pragma once

#include <string>
#include <string_view>

#include "schedule/zone.hpp"

namespace ronda::schedule {

/// `name` is for the Zone and for messages.
Result<Zone> parse_tzif(const std::string& name, std::string_view bytes);

}  // namespace ronda::schedule
