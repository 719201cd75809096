// SPDX-License-Identifier: Apache-2.0
// Who would hear what, when, through which channel, if nobody acknowledged: the answer of `ronda escalation simulate`.
// The same functions as in production, with a clock that is a number.
#pragma once

#include <string>
#include <vector>

#include "incident/policies.hpp"
#include "incident/route.hpp"
#include "schedule/zone.hpp"

namespace ronda::escalation {

struct Scenario {
  std::string service;  // empty: none
  Level level = Level::p1;
  std::int64_t detected_ns = 0;
  Nanos lasts{0};                  // until it is resolved
  std::optional<Nanos> ack_after;  // somebody takes it then; none: nobody does
};

struct Told {
  std::int64_t at_ns = 0;
  std::vector<Due> due;  // what was due at that instant
  Reach reach;
};

struct Simulation {
  std::vector<Told> told;
  bool is_cut = false;  // more than max_told
};

constexpr std::size_t max_told = 10'000;

Simulation simulate(const people::People& people, const Policies& policies, const Scenario& scenario, const Overrides& overrides = {});

/// A table for people: one line per person and channel.
std::string print(const Simulation& simulation, const people::People& people, const Scenario& scenario, const schedule::Zone& zone);

}  // namespace ronda::escalation
