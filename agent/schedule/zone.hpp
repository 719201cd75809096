// SPDX-License-Identifier: Apache-2.0
// IANA time zones: what a wall clock reading means in UTC, and back. A Zone is immutable and pure; only
// ZoneDatabase reads files, beneath its directory and nowhere else. It never looks at TZ, never guesses UTC.
//
// The TZif files of tzdata are read here and not through Howard Hinnant's date/tz: Debian 12's 3.0.1 ignores
// the rule at a file's end (it has no summer time after 2037) and cannot be told to read tzdata again. The
// tests use that library and glibc as witnesses.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ronda::schedule {

using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

/// From `at` on the offset is `offset` (local = UTC + offset).
struct Transition {
  sys_seconds at;
  seconds offset;
};

/// What a reading of the wall clock means.
struct Meaning {
  enum class Kind : std::uint8_t { unique, ambiguous, gap };
  Kind kind = Kind::unique;
  sys_seconds first;   // the instant; of two the earlier; in a gap the first instant after it
  sys_seconds second;  // ambiguous: in the second pass; else the same as first
  local_seconds edge;  // ambiguous: the reading at which the first pass ends; gap: the one at which it ends
};

/// The time between two changes of a zone's offset: [begin, end).
struct Span {
  sys_seconds begin;
  sys_seconds end;
  seconds offset;
};

class Zone {
 public:
  /// Instants outside 1900..2200 have the offset of the nearest known one.
  static constexpr sys_seconds begin_of_time{seconds{-2'208'988'800}};
  static constexpr sys_seconds end_of_time{seconds{7'258'118'400}};
  /// No offset is larger, so that no two readings of one instant differ by more than twice this.
  static constexpr seconds max_offset{26 * 3600};

  /// Transitions in order of time; `before` is the offset before the first.
  Zone(std::string name, seconds before, std::vector<Transition> transitions);

  const std::string& name() const { return name_; }
  Span span_at(sys_seconds instant) const;
  local_seconds to_local(sys_seconds instant) const;
  Meaning to_utc(local_seconds reading) const;
  /// The spans that begin in (after, upto].
  std::vector<Span> spans_between(sys_seconds after, sys_seconds upto) const;
  bool same_rules(const Zone& other) const;

 private:
  std::size_t index_at(sys_seconds instant) const;

  std::string name_;
  std::vector<Span> spans_;
};

using ZonePtr = std::shared_ptr<const Zone>;

/// The zones of one tzdata directory; each file is read once and shared by all who ask for it.
class ZoneDatabase {
 public:
  explicit ZoneDatabase(std::string directory = "/usr/share/zoneinfo") : directory_(std::move(directory)) {}

  /// "UTC" always works. An unknown name is not_found with the nearest one; "../x" and "/x" are invalid.
  Result<ZonePtr> find(std::string_view name);
  /// The zone of this host: where `link` (/etc/localtime) points to. An error when it does not say.
  Result<ZonePtr> find_local(const std::string& link = "/etc/localtime");

  struct Refresh {
    std::vector<std::string> changed;   // find() gives the new rules; a Calendar must be parsed again
    std::vector<std::string> kept_old;  // vanished or damaged: the old rules stay
  };
  /// Reads every zone in use again, after tzdata was replaced.
  Refresh refresh();

 private:
  std::string directory_;
  std::map<std::string, ZonePtr, std::less<>> zones_;
};

/// Letters, digits, + - _ and single slashes, the first an upper-case letter: "America/Port-au-Prince".
bool is_zone_name(std::string_view name);

}  // namespace ronda::schedule
