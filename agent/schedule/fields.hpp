// SPDX-License-Identifier: Apache-2.0
// What a calendar expression says about the reading of a wall clock, as sets of bits, and the search in them.
// Pure arithmetic on readings; knows no zone. Years are 1970 to 2199, as with systemd, so every search ends.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "schedule/zone.hpp"

namespace ronda::schedule {

/// One bit a year from 1970 on.
class YearSet {
 public:
  static constexpr int first = 1970;
  static constexpr int last = 2199;

  void add(int year) { word(year) |= bit(year); }
  bool has(int year) const { return year >= first && year <= last && (words_[index(year)] & bit(year)) != 0; }
  static YearSet all();
  bool operator==(const YearSet&) const = default;

 private:
  static std::size_t index(int year) { return static_cast<std::size_t>(year - first) / 64; }
  static std::uint64_t bit(int year) {
    return std::uint64_t{1} << (static_cast<unsigned>(year - first) % 64);
  }
  std::uint64_t& word(int year) { return words_[index(year)]; }

  std::array<std::uint64_t, 4> words_{};
};

struct Fields {
  std::uint64_t seconds = 1;
  std::uint64_t minutes = 1;
  std::uint32_t hours = 1;
  std::uint32_t days = 0;      // bits 1..31
  std::uint16_t months = 0;    // bits 1..12
  std::uint8_t weekdays = 0;   // bit 0 is Monday
  bool days_from_end = false;  // bit 1 of days is the last day of the month
  bool either_day = false;     // cron with both day fields set: one of them is enough
  bool hour_is_interval = false;
  YearSet years;

  bool operator==(const Fields&) const = default;
};

/// The first matching reading >= from.
std::optional<local_seconds> first_match(const Fields& fields, local_seconds from);
/// The last matching reading <= upto.
std::optional<local_seconds> last_match(const Fields& fields, local_seconds upto);
/// How many match in [from, upto), by arithmetic: the work grows with the months between, not with the
/// matches.
std::uint64_t count_matches(const Fields& fields, local_seconds from, local_seconds upto);

}  // namespace ronda::schedule
