// SPDX-License-Identifier: Apache-2.0
#include "schedule/spread.hpp"

#include <algorithm>

namespace ronda::schedule {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t fnv_prime = 0x100000001b3;

std::uint64_t add_text(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * fnv_prime;
  return (hash ^ 0xFF) * fnv_prime;  // 0xFF is in no UTF-8 text: "a" "bc" and "ab" "c" differ
}

std::uint64_t mix(std::uint64_t h) {
  h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
  h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
  return h ^ h >> 33;
}

/// hash / 2^64 of `range`.
Nanos share(std::uint64_t hash, Nanos range) {
  __extension__ using Wide = unsigned __int128;
  return Nanos(static_cast<std::int64_t>((static_cast<Wide>(hash) * static_cast<std::uint64_t>(range.count())) >> 64));
}

}  // namespace

std::uint64_t spread_hash(std::string_view host, std::string_view kind, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::string_view part : {host, kind, name}) hash = add_text(hash, part);
  return mix(hash);
}

Nanos phase_of(std::uint64_t hash, Nanos interval) {
  constexpr Nanos limit = std::chrono::milliseconds(std::int64_t{1} << 32);  // 49 days: a timetable keeps 32 bits
  const Nanos phase = share(hash, std::clamp(interval, Nanos(0), limit));
  return interval >= 1s ? phase - phase % 1ms : phase;
}

Nanos shared_phase_of(std::uint64_t hash, Nanos interval) {
  const Nanos phase = phase_of(hash, interval);
  Nanos raster = 1s;
  while (raster > interval / 20) raster /= 2;
  return raster >= 1ms ? phase - phase % raster : phase;
}

Nanos grid_after(Nanos after, Nanos interval, Nanos phase) {
  if (interval <= 0ns) return after;
  // after may be before the phase, and % of a negative number is negative
  Nanos since = (after - phase) % interval;
  if (since < 0ns) since += interval;
  return after + (interval - since);
}

std::vector<Nanos> first_run_delays(std::span<const FirstRun> runs) {
  std::vector<Nanos> out;
  out.reserve(runs.size());
  // other bits than those of the phase: else the first runs would repeat the order of the grid
  for (const FirstRun& run : runs) out.push_back(share(mix(run.hash + 1), std::min<Nanos>(run.interval / 10, 5s)));
  if (const auto first = std::ranges::min_element(out); first != out.end()) *first = 0ns;
  return out;
}

}  // namespace ronda::schedule
