// SPDX-License-Identifier: Apache-2.0
// Any bytes as a calendar file: what is read lies in the time asked for, in order, and within the limits.
#include <cstdint>
#include <cstdlib>

#include "incident/ical.hpp"

using namespace ronda;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static schedule::ZoneDatabase zones;
  static const schedule::ZonePtr zone = *zones.find("Europe/Madrid");
  constexpr std::int64_t from_ns = 1'800'000'000'000'000'000, to_ns = from_ns + 100 * 86'400'000'000'000;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  people::CalendarLimits limits;
  limits.max_shifts = 500;
  const auto file = people::read_icalendar(text, from_ns, to_ns, zones, zone, limits);
  if (!file) return 0;
  if (file->shifts.size() > limits.max_shifts || file->warnings.size() > 100) std::abort();
  std::int64_t before_ns = INT64_MIN;
  for (const people::CalendarShift& one : file->shifts) {
    if (one.begin_ns < before_ns || one.end_ns < one.begin_ns || one.end_ns <= from_ns || one.begin_ns >= to_ns || one.who.empty())
      std::abort();
    before_ns = one.begin_ns;
  }
  return 0;
}
