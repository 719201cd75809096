// SPDX-License-Identifier: Apache-2.0
// A counter that is read once a second from an hour on: sample N is N, so that what is missing or there twice shows.
#pragma once

#include "agent/store/support.hpp"

namespace ronda::store::test {

inline constexpr std::int64_t second = 1'000'000'000;
inline constexpr std::int64_t samples_begin = std::int64_t{1'790'002'800} * second;  // 2026-09-21 15:00:00 UTC
constexpr std::int64_t at_number(std::int64_t number) {
  return samples_begin + number * second;
}
inline SeriesKey counted_series() {
  return {"api", "requests", {{"path", "/"}}, "", Shape::counter};
}

inline std::vector<LoadedSeries> samples(Store& store, SampleLevel level, std::int64_t after, std::int64_t until) {
  return must<std::vector<LoadedSeries>>(store, &Store::load_samples, SampleQuery{"api", "", level, after, until});
}
/// -1 when there is none. The first days may be gone: older than what is kept.
inline std::int64_t last_number(Store& store) {
  constexpr std::int64_t most_days = 60;
  std::int64_t last = -1;
  for (std::int64_t from = samples_begin - 1; from < samples_begin + most_days * day; from += day) {
    const auto all = samples(store, SampleLevel::raw, from, from + day);
    const bool is_empty = all.empty() || all[0].points.empty();
    if (is_empty && last >= 0) break;
    if (!is_empty) last = static_cast<std::int64_t>(all[0].points.back().value);
  }
  return last;
}

}  // namespace ronda::store::test
