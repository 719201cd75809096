// SPDX-License-Identifier: Apache-2.0
// The ladder: how an alert moves between its levels. A state machine: (alert, state, reading, now) gives a new
// state and the changes to tell. Knows no clock, no store, no view: what holds at an instant is read by `observe`
// and handed in. The state is a plain value that survives restart and reload (encode_state).
//
// What counts, and what does not:
//  - The highest level whose condition has held for its `for` wins. A higher one is reached at once, a lower one only
//    when what ends the higher one (`clear`, else that its condition does not hold) has held for keep_firing_for.
//  - Time is counted between two looks and belongs to what the first of them saw. Unknown neither counts nor breaks.
//    Between two looks no more than the patience of the checks counts: what nobody watched did not hold.
//  - "3 of 5" counts results, not looks.
//  - While nothing is known a level stays; it never ends, and none begins (unless `no_data` names one).
//  - Flapping: after a fall, the second rise within quiet_results results is held until there was no change for as many
//    results or quiet_ns. So an episode has at most two rises, however long it lasts. Beside that the weighted share of changes
//    of the last 20 results is kept as Icinga computes it (30 % on, 25 % off); while on, no level is left either.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rule/alert.hpp"
#include "rule/change.hpp"
#include "rule/evaluate.hpp"

namespace ronda::rule {

inline constexpr std::uint32_t quiet_results = 20;
inline constexpr std::int64_t quiet_ns = 6LL * 3600 * 1'000'000'000;
inline constexpr double flapping_on = 0.30, flapping_off = 0.25;

/// What is seen of an alert at one instant.
struct Reading {
  struct Level {
    Finding when;   // of a rung without condition: no
    Finding clear;  // of a rung without its own: unknown, and not looked at
  };
  std::vector<Level> levels;  // as the alert's rungs
  Finding clear;              // of the alert's one `clear`
  std::string blocked_by;     // a check that is critical, the farthest parent; empty: none
  std::int64_t newest_result_ns = 0;
  std::int64_t next_ns = 0;  // when it may read otherwise with no new result; 0: not by time alone
};

struct RungState {
  std::uint64_t mark = 0;        // of the rung that it belongs to
  Truth last = Truth::no;        // what the last look saw of the condition
  Truth last_leave = Truth::no;  // and of what ends the level
  bool active = false;           // its `for` was fulfilled, and what ends it was not yet
  std::int64_t held_ns = 0;      // for how long it has held without a no
  std::int64_t left_ns = 0;      // for how long what ends it has held
  std::int64_t since_ns = 0;     // when it began to hold; 0: it does not
  std::string results;           // "3 of 5": the last results, the newest last: '1' '0' '?'

  bool operator==(const RungState&) const = default;
};

/// The highest condition that a result found to hold, or that nothing was known.
enum class Raw : std::uint8_t { none, p1, p2, p3, p4, unknown };

/// How restless an alert is; counted by results, not by looks.
struct Flapping {
  std::uint32_t changes = 0;       // of the last 20 results, a bit for each that differed from the one before; the newest is bit 0
  std::uint32_t since_change = 0;  // results since the last that did, at most quiet_results
  std::uint32_t since_fall = 0;    // results since the last fall, itself counted; 0: none, or more than quiet_results ago
  std::int64_t changed_ns = 0, fell_ns = 0;
  Raw raw = Raw::none;    // of the last result
  bool on = false;        // by the weighted share
  bool restless = false;  // it rose again soon after a fall: held until it is quiet
  std::uint32_t ok_counts = 0;  // for so many results yet the last that found nothing wrong since the last rise, of quiet_results

  bool holds() const { return on || restless; }
  /// It is held, and was well for a moment since, within the last quiet_results results: not one level and another by turns, nor
  /// something that rose for the second time and stays.
  bool comes_and_goes() const { return holds() && ok_counts > 0; }
  bool operator==(const Flapping&) const = default;
};

struct AlertState {
  config::Level level = config::Level::none;
  std::int64_t level_since_ns = 0;    // when the level was reached; 0: never
  std::int64_t started_ns = 0;        // when the alert fired; 0: it does not
  std::int64_t looked_ns = 0;         // the last look; 0: none yet
  std::int64_t counted_ns = 0;        // the newest result that was counted
  std::int64_t frozen_at_ns = 0;      // baseline() knows only what was before; 0: nothing holds
  std::int64_t unknown_since_ns = 0;  // since when nothing is known although somebody watches; 0: something is
  std::int64_t await_after_ns = 0;    // after being blocked: a result must be newer to count; 0: none
  std::int64_t clear_ns = 0;          // for how long the alert's one `clear` has held
  std::int64_t next_ns = 0;           // when it must be looked at again with no new result; 0: not by time alone
  Truth last_clear = Truth::no;
  bool no_data = false;  // nothing is known, and that was told
  Flapping flapping;
  std::string blocked_by;
  std::string reason;  // of the level, or why nothing is known
  double value = 0;
  std::array<RungState, 4> rungs;  // of p1 to p4

  bool operator==(const AlertState&) const = default;
};

/// Reads all conditions of the alert, and whether it is blocked.
Reading observe(const Alert& alert, const AlertState& state, const Facts& facts, const measure::View& view, std::int64_t now_ns);

/// One condition of an alert with the reason at each of its parts.
struct Explained {
  config::Level level = config::Level::none;  // none: the alert's one `clear`
  bool is_clear = false;
  const Condition* condition = nullptr;  // lives as long as the alert
  Finding finding;
  std::vector<Step> steps;  // the last is the whole
};
/// What `ronda explain` shows: all conditions, the highest level first, also while the alert is blocked.
std::vector<Explained> explain(const Alert& alert, const AlertState& state, const Facts& facts, const measure::View& view,
                               std::int64_t now_ns);

struct Outcome {
  AlertState state;
  std::vector<Change> changes;  // at most two: "unblocked" and what follows from it
};
Outcome advance(const Alert& alert, AlertState state, const Reading& reading, std::int64_t now_ns);

/// The state under a definition that may be new. Kept: the level and since when, what is blocked, the counting of levels
/// whose condition and `for` are the same. Reset: the counting of all others, and flapping where any is new.
AlertState adopt(const Alert& alert, AlertState state);

/// The clock was set forward by so much, to `now_ns`: all that is dated moves with it.
void move(AlertState& state, std::int64_t by_ns, std::int64_t now_ns);

/// Of an alert that left the configuration: what must be told. Nothing where it did not fire.
std::vector<Change> retire(std::string_view alert, const AlertState& state, std::int64_t now_ns);

/// The weighted share of changes, 0 to 1.
double flapping_share(std::uint32_t changes);

/// JSON text of at most most_state bytes.
inline constexpr std::size_t most_state = 16384;
std::string encode_state(const AlertState& state);
/// Refuses what it would not have written: another version, other types, values out of range.
Result<AlertState> decode_state(std::string_view text);

}  // namespace ronda::rule
