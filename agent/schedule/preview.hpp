// SPDX-License-Identifier: Apache-2.0
// What will run when over the next days, and what gets in each other's way: the answer of `ronda calendar`.
// Pure; knows instances only as names, calendars and what they share. Never says how likely a conflict is:
// durations are what the caller believes (p95, or the length of a window).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "schedule/calendar.hpp"

namespace ronda::schedule {

struct PreviewItem {
  std::string name;                  // "task dump-minimarket", "window sunday"
  std::optional<Calendar> calendar;  // none: every `interval`
  Nanos interval{};
  std::optional<Nanos> lasts;       // unknown: a moment
  std::vector<std::string> shares;  // locks and services: two that have one in common must not overlap
};

struct Occurrence {
  sys_seconds at;
  std::uint32_t item = 0;  // index into the items
};

/// Comes too often to be listed: `every`, and calendars with more than 24 instants a day.
struct Frequent {
  std::uint32_t item = 0;
  std::uint64_t count = 0;
};

struct Conflict {
  std::uint32_t first = 0;  // starts first, at `at`
  std::uint32_t second = 0;
  sys_seconds at;           // the first time, when the second starts
  std::uint64_t count = 0;  // in the whole span
  std::string shared;
};

struct Preview {
  sys_seconds from;
  sys_seconds upto;
  std::vector<Occurrence> occurrences;  // by instant, then as the items stand
  std::vector<Frequent> frequent;
  std::vector<Conflict> conflicts;  // by first time
  bool is_cut = false;              // more than max_occurrences
};

constexpr std::size_t max_occurrences = 100'000;

/// Instants in (from, from + days]; days from 1 to 366.
Preview make_preview(std::span<const PreviewItem> items, sys_seconds from, unsigned days);

/// One line each, with the readings of `zone`.
std::string print(const Preview& preview, std::span<const PreviewItem> items, const Zone& zone);
/// "Sun 2027-03-28 03:00:00 +0200"
std::string print_instant(sys_seconds instant, const Zone& zone);
/// Of a calendar whose dates have all passed by `now`, for who wrote it; empty: something is still due, or never was.
std::string why_over(const Calendar& calendar, sys_seconds now);

}  // namespace ronda::schedule
