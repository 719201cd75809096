// SPDX-License-Identifier: Apache-2.0
// Escalation: whom to tell after how long, as data, and what is due of it. Pure: history and instant are parameters, the
// answer names targets; who they are and how they are reached is route.hpp's.
//
// The rules:
//  - The clock is unsuppressed time since detection (incident_clock.hpp). A step starts when it reads `from`, repeats
//    after each gap of `repeat` (the last gap for ever) and is over at `to`.
//  - An ack stops the steps that page. When it ends, the step that was reached is due again at once and the ladder goes
//    on from there: time under an ack does not count for these steps. Notices (`until_ack = false` or `business = true`)
//    are due whether anybody has acknowledged or not.
//  - While nothing of the incident is as high as it is itself the ladder of its level stands, notices too; when something is again, it
//    goes on where it was. The ladder of the lower level does not stand for that.
//  - At the end of a window or silence the paging step that was reached is due once more; the steps whose time came
//    while the clock stood do not exist: the clock stood.
//  - A raise: the higher ladder goes on at the step for the time that has passed. Steps before it are not replayed: the
//    reached step tells all its targets, and of the earlier ones only targets that were not told at that level yet are
//    told, in the same instant, each once.
//  - A lowering: the lower ladder goes on at the step for the time that has passed; of the steps up to it only targets
//    that were not told at all yet are told.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/generation.hpp"
#include "incident/incident_clock.hpp"

namespace ronda::escalation {

struct Step {
  Nanos from{0};
  std::optional<Nanos> to;             // exclusive; none: until the ladder ends
  std::vector<std::string> targets;    // contacts, groups, on-calls
  std::vector<Nanos> repeat;           // gaps; the last one repeats; empty: once
  bool until_ack = true;               // false: an ack does not stop it
  bool business = false;               // a notice to those who decide, not a page
  std::vector<std::string> impact;     // only once the incident has one of these tags; empty: always
  std::vector<std::string> overrides;  // escalations, or "severity", whose word on these targets does not hold
  config::Place place;
};

/// `[escalation.NAME.pN]`
struct Ladder {
  Level level = Level::none;
  std::vector<Step> steps;             // by `from`
  std::optional<Nanos> end;            // when the rows are through; none: they never are
  std::optional<std::size_t> loop_to;  // index of the step with which it begins anew at `end`
  std::vector<std::string> owner;      // or whose it is from `end` on
  std::vector<Nanos> owner_repeat;
  config::Place place;
};

/// The one target of a ladder that nobody wrote: where a level has none, or none of its targets is left.
inline constexpr std::string_view last_resort_target = "*";

/// `[escalation.NAME.*]`
struct Escalation {
  std::string name;
  std::array<std::optional<Ladder>, 4> ladders;  // by people::level_index
  const Ladder* at(Level level) const {
    return level == Level::none || !ladders[people::level_index(level)] ? nullptr : &*ladders[people::level_index(level)];
  }
};

/// What holds for one service, or for incidents of none: its escalations, side by side, with [severity.*] notify as
/// one more of the name "severity", and without what others override. Each level tells somebody: for one of which
/// no ladder is left there is an escalation "last-resort".
struct Policy {
  std::string service;  // empty: for incidents of no service, and of those that name no escalation
  std::vector<Escalation> escalations;
};

enum class Why : std::uint8_t {
  start,     // its time came
  repeat,    // nobody has taken it
  catch_up,  // the level changed after its time
  resume,    // an ack, a window or a silence ended
  owner,     // the rows are through
};
std::string_view why_name(Why why);

/// Targets to be told now.
struct Due {
  std::int64_t at_ns = 0;  // when it was due; may lie before the asking
  std::string escalation;
  Level level = Level::none;
  std::size_t step = 0;  // index into the ladder's steps; their number for its owner
  bool owner = false;    // it is the owner's from `end` on
  Why why = Why::start;
  std::uint64_t cycle = 0;  // how often the ladder has begun anew
  std::uint64_t round = 0;  // which repeat within it, from 1; 0: none
  Nanos clock{0};           // the step's clock at that time
  bool business = false;
  bool is_paging = true;  // not due while somebody has the incident
  std::vector<std::string> targets;
  bool operator==(const Due&) const = default;
};

struct Answer {
  std::vector<Due> due;                 // by instant, then as the policy stands
  std::optional<std::int64_t> next_ns;  // the next instant at which something is due if nothing happens; none: never
};

/// Nothing has been sent yet.
inline constexpr std::int64_t never_asked = INT64_MIN;

/// All that is due in (asked_ns, now_ns]. The answers to any row of instants are together those of one question.
/// Of a step that repeated very often meanwhile only the latest 1000 are kept.
Answer due(const Policy& policy, const IncidentClock& clock, std::int64_t asked_ns, std::int64_t now_ns);

/// After a time without an agent: of each step only the last that was due, earlier ones are said by it.
std::vector<Due> without_stale(std::vector<Due> due);

}  // namespace ronda::escalation
