// SPDX-License-Identifier: Apache-2.0
// How `every` checks are spread over time: each has a phase made from names alone, so that it is the same
// after a restart and differs from host to host. Pure; never random, never the clock.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/units.hpp"

namespace ronda::schedule {

/// 64 bits that depend on every byte; stable over versions and machines (FNV-1a, then the finaliser of
/// MurmurHash3).
std::uint64_t spread_hash(std::string_view host, std::string_view kind, std::string_view name);

/// In [0, interval) and below 2^32 ms, whole milliseconds for intervals of at least 1 s. An instance is due
/// at every instant t of CLOCK_BOOTTIME for which t mod interval == phase: the origin is the host's boot, so
/// a restart of the agent keeps the grid, a suspend does not shift it, and a step of the wall clock does not
/// touch it.
Nanos phase_of(std::uint64_t hash, Nanos interval);

/// The same, on a coarser raster: for what may share the wake-up of its runner (decision 0024). A multiple of 1 s, or
/// of 1 s halved until it is at most a twentieth of the interval, so that rasters of several intervals coincide.
/// Below 40 ms of interval the same as phase_of().
Nanos shared_phase_of(std::uint64_t hash, Nanos interval);

/// The first instant of the grid strictly after.
Nanos grid_after(Nanos after, Nanos interval, Nanos phase);

struct FirstRun {
  std::uint64_t hash = 0;
  Nanos interval{};
};

/// Delays of the runs after start: the first at once, the rest in hashed order within min(interval / 10, 5
/// s).
std::vector<Nanos> first_run_delays(std::span<const FirstRun> runs);

}  // namespace ronda::schedule
