// SPDX-License-Identifier: Apache-2.0
// Points by short words, and a seeded generator that says its seed when a test fails.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

#include "catch.hpp"
#include "measure/view.hpp"

namespace ronda::measure::test {

inline constexpr std::int64_t second = 1'000'000'000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
inline constexpr std::int64_t noon = 1'790'000'400'000'000'000;  // 2026-09-21 14:20:00 UTC, a Monday

/// Values one `step` apart, the last at noon.
inline std::vector<Point> series(std::initializer_list<double> values, std::int64_t step = 10 * second) {
  std::vector<Point> out;
  std::int64_t at = noon - step * (static_cast<std::int64_t>(values.size()) - 1);
  for (const double value : values) {
    out.push_back({at, value});
    at += step;
  }
  return out;
}

struct Seeded {
  explicit Seeded(std::uint64_t seed) : random(seed) {}
  std::int64_t below(std::int64_t bound) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound)); }
  double between(double low, double high) { return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53; }
  std::mt19937_64 random;
};

}  // namespace ronda::measure::test
