// SPDX-License-Identifier: Apache-2.0
// What P1 to P4 mean in this house: [severity.pN], with the defaults of the shop's runbook (3.1.1).
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "config/fields.hpp"
#include "config/generation.hpp"

namespace ronda::people {

using config::Level;

inline constexpr std::array<Level, 4> all_levels = {Level::p1, Level::p2, Level::p3, Level::p4};
/// 0 for P1 ... 3 for P4; Level::none has no index.
constexpr std::size_t level_index(Level level) {
  return static_cast<std::size_t>(level) - 1;
}
/// P1 is more severe than P2.
constexpr bool more_severe(Level a, Level b) {
  return static_cast<int>(a) < static_cast<int>(b);
}

/// Some of the four levels.
class LevelSet {
 public:
  constexpr LevelSet() = default;
  static constexpr LevelSet all() { return LevelSet(0b1111); }
  constexpr void add(Level level) { bits_ = static_cast<std::uint8_t>(bits_ | (1U << level_index(level))); }
  constexpr bool has(Level level) const { return level != Level::none && ((bits_ >> level_index(level)) & 1U) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const LevelSet&) const = default;

 private:
  explicit constexpr LevelSet(std::uint8_t bits) : bits_(bits) {}
  std::uint8_t bits_ = 0;
};

struct Severity {
  Level level = Level::none;
  std::string title;                // "Critical"
  Nanos respond_within{0};          // from detection to an ack by a named person: 15 min, 1 h, 4 h, 1 day
  Nanos ack_expires{0};             // an ack without a sign of life so long ends, and the ladder goes on where it stopped; 0: never
  Nanos update_within{0};           // the next update to those concerned is due so long after the last one; 0: never by itself
  std::vector<std::string> notify;  // told at once, beside every ladder
  config::Place place, notify_place;
};

/// Index by level_index.
using Severities = std::array<Severity, 4>;

/// With the defaults of 3.1.1: respond within 15 min, 1 h, 4 h, 1 day; an ack expires after 1 h, 4 h, 1 day, never;
/// updates every 30 min, 1 h, never, never.
Severities default_severities();

/// Reads [severity.pN] into its place; unknown keys are errors. False: the object is wrong, the default stays.
bool read_severity(config::Scope& scope, const config::RawObject& object, Severities& severities);

}  // namespace ronda::people
