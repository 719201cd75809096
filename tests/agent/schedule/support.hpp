// SPDX-License-Identifier: Apache-2.0
// Small builders for the tests of agent/schedule: instants from text, zones by name, a seeded generator.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "schedule/zone.hpp"

namespace ronda::schedule {

/// "2027-03-28 02:00:00" as if it were UTC.
inline sys_seconds utc(const std::string& text) {
  int y = 0;
  unsigned mo = 0, d = 0, h = 0, mi = 0, s = 0;
  REQUIRE(std::sscanf(text.c_str(), "%d-%u-%u %u:%u:%u", &y, &mo, &d, &h, &mi, &s) >= 5);
  using namespace std::chrono;
  return sys_days(year(y) / month(mo) / day(d)) + hours(h) + minutes(mi) + seconds(s);
}

inline local_seconds reading(const std::string& text) {
  return local_seconds(utc(text).time_since_epoch());
}

inline std::string show_utc(sys_seconds instant) {
  using namespace std::chrono;
  const year_month_day day(floor<days>(instant));
  const hh_mm_ss time(instant - floor<days>(instant));
  char out[64];
  std::snprintf(out, sizeof out, "%04d-%02u-%02u %02d:%02d:%02d", int(day.year()), unsigned(day.month()),
                unsigned(day.day()), int(time.hours().count()), int(time.minutes().count()),
                int(time.seconds().count()));
  return out;
}

inline ZonePtr zone(const std::string& name) {
  static ZoneDatabase database;
  auto found = database.find(name);
  INFO(name);
  REQUIRE(found);
  return *found;
}

inline std::vector<std::string> all_zone_names() {
  const std::string root = "/usr/share/zoneinfo";
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).string();
    if (is_zone_name(name) && entry.is_regular_file()) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The seed of this run: RONDA_TEST_SEED, else the given one. It is printed when the test fails.
inline std::uint64_t test_seed(std::uint64_t otherwise) {
  const char* given = std::getenv("RONDA_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

using Random = std::mt19937_64;
/// From `low` to `high`, both included; they are less than 2^63 - 1 apart.
inline std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

}  // namespace ronda::schedule
