// SPDX-License-Identifier: Apache-2.0
// What the clock on the wall shows at an instant, by the system's time zones (TZif, RFC 8536). The C library knows one zone
// a process and takes it from the environment; here each notifier may have its own.
#pragma once

#include <ronda/reply.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace logfile {

/// A reading of the clock; month and day from 1, weekday from Sunday = 0.
struct Reading {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, weekday = 4;
  std::chrono::seconds offset{0};  ///< local = UTC + offset
  std::string zone = "UTC";        ///< the abbreviation: "CET"
};

class Zone {
 public:
  /// UTC.
  Zone();
  /// The bytes of a TZif file, each length checked; nothing when they are none.
  static std::optional<Zone> parse(std::string_view bytes);

  Reading at(std::chrono::sys_seconds instant) const;

 private:
  struct Kind {
    std::chrono::seconds offset{0};
    std::string name;
  };
  /// A day of each year and a time on it: "M3.5.0/2", "J60", "59/26".
  struct Moment {
    char form = 'M';  ///< M, J or n
    unsigned month = 1, week = 1, day = 0;
    std::chrono::seconds time{7200};
    std::chrono::local_seconds in(int year) const;
  };
  /// The rule for all that comes after the last change which the file lists.
  struct Rule {
    Kind standard, summer;
    bool has_summer = false;
    Moment begin, end;
  };
  friend class RuleReader;

  const Kind& kind_at(std::chrono::sys_seconds instant) const;

  std::vector<std::int64_t> times_;  // of the changes, ascending
  std::vector<std::uint8_t> to_;     // and what they change to
  std::vector<Kind> kinds_;          // the first holds before all changes
  std::optional<Rule> rule_;
};

/// The zone of that name below /usr/share/zoneinfo, or the host's own (/etc/localtime; UTC where there is none) for an empty one.
ronda::reply<Zone> load_zone(const std::string& name);

}  // namespace logfile
