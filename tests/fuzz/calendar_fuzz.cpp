// SPDX-License-Identifier: Apache-2.0
// Any text as a calendar or cron expression: what is read prints as something that is read as the same, and its
// instants go forward.
#include <cstdint>
#include <cstdlib>

#include "schedule/calendar.hpp"

using namespace ronda::schedule;

namespace {

void look_at(const Calendar& calendar) {
  static_cast<void>(calendar.warnings());
  const sys_seconds now{std::chrono::seconds(1'800'000'000)};
  const auto next = calendar.next(now);
  if (next && *next <= now) std::abort();
  if (const auto previous = calendar.previous(now); previous && *previous > now) std::abort();
  if (next && calendar.count(now, *next) != 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ZoneDatabase zones;
  static const ZonePtr utc = *zones.find("UTC");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto calendar = parse_calendar(text, zones, utc)) {
    const auto again = parse_calendar(calendar->print(), zones, utc);
    if (!again || !(*again == *calendar)) std::abort();
    look_at(*calendar);
  }
  if (const auto cron = parse_cron(text, utc)) look_at(*cron);
  return 0;
}
