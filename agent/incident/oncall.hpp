// SPDX-License-Identifier: Apache-2.0
// Who is on call: a rota of members that take turns, or a calendar file that somebody else keeps, with
// overrides over both. Pure: the instant is a parameter; files and the store are read by others.
//
// A shift begins where the wall clock of the rota's zone reads the handover time, so a day's shift is 23 or 25
// hours long when the clock changes: a handover that the clock skips happens at the first instant after the
// gap, one that it repeats at its first pass.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/siphash.hpp"
#include "base/units.hpp"
#include "incident/ical.hpp"
#include "incident/stretch.hpp"
#include "schedule/zone.hpp"

namespace ronda::people {

/// Somebody else is on call for a while; from conf.d or from the store.
struct Override {
  Stretch when;
  std::string contact;
  std::string reason;  // empty where nobody gave one
};

/// One member's turn.
struct Shift {
  enum class Source : std::uint8_t { rota, calendar, override_ };
  Stretch when;
  std::string contact;
  Source source = Source::rota;
};

/// `[oncall.NAME]`. Either `members` take turns or `calendar` says whose turn it is.
struct Rota {
  std::string name;
  std::string title;
  std::vector<std::string> members;    // contacts in the order of their turns
  schedule::seconds shift{7 * 86400};  // by the wall clock; at least an hour, a divisor or a multiple of a day
  schedule::local_seconds start;       // when the first member's first turn begins: date and handover time
  schedule::ZonePtr zone;
  std::vector<CalendarShift> calendar;  // resolved to contacts; ascending by begin
  bool from_calendar = false;
  std::string calendar_path;  // and what stood in it
  Hash128 calendar_hash;
  std::vector<Override> overrides;  // of conf.d; of those that overlap the last one holds

  /// Everybody who may ever be on call by this rota, each once.
  std::vector<std::string> everybody() const;
};

/// Who is on call at that instant; empty: nobody. A calendar may have several at once. `more` are overrides of
/// the store: they win over those of conf.d, of both the last one holds.
std::vector<Shift> on_call(const Rota& rota, std::int64_t at_ns, std::span<const Override> more = {});

/// All shifts that touch [from, to), as they really are with overrides: cut where another begins, joined
/// where one person follows himself in the same source. At most `most`.
std::vector<Shift> shifts(const Rota& rota, std::int64_t from_ns, std::int64_t to_ns, std::span<const Override> more = {},
                          std::size_t most = 1000);

/// Where nobody is on call within [from, to).
std::vector<Stretch> gaps(const Rota& rota, std::int64_t from_ns, std::int64_t to_ns, std::span<const Override> more = {});

}  // namespace ronda::people
