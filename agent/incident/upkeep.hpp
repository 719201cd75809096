// SPDX-License-Identifier: Apache-2.0
// What windows owe to people beside being silent: that one comes, that it has begun, that it ends soon, that it hides a
// P1, that it is over. Each is said once, over restarts too. Pure: the book is a value, time is a parameter; who stores it
// stores what a change returns before anything is sent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "incident/maintenance.hpp"

namespace ronda::incident {

/// What was told of the opening of a `[window.N]` that began at `begin_ns`.
struct WindowMark {
  std::int64_t begin_ns = 0;
  bool end_told = false;
  std::set<std::string> p1_told;
  bool operator==(const WindowMark&) const = default;
};

/// Somebody else is on call for a while, because a person said so.
struct OnCallOverride {
  std::string id;  // "O-K7Q2M4XD"
  std::string rota, contact;
  Author author;
  std::string reason;
  std::int64_t made_ns = 0;
  std::int64_t from_ns = 0, until_ns = 0;
  std::int64_t ended_ns = 0;  // 0: not before its end
  Author ended_by;
  bool is_over(std::int64_t now_ns) const { return ended_ns != 0 || until_ns <= now_ns; }
  bool operator==(const OnCallOverride&) const = default;
};
inline constexpr std::int64_t longest_override_ns = 90 * day_ns;

/// Refuses one without reason or with no end, or an end before its begin: each with what to write instead. Whether rota and
/// contact exist is asked elsewhere.
Result<OnCallOverride> make_override(OnCallOverride wanted, std::int64_t now_ns, std::uint64_t random);
Result<OnCallOverride> end_override(OnCallOverride one, const Author& author, std::int64_t now_ns);

struct UpkeepBook {
  std::vector<OneOff> one_offs;                          // by id; ended ones until they are dropped
  std::vector<OnCallOverride> overrides;                 // in the order in which they were made
  std::map<std::string, WindowMark, std::less<>> marks;  // by window
  std::int64_t announced_ns = 0;                         // what was to be announced until then was; 0: nothing yet
  std::vector<std::string> announced;                    // keys of the last notices that were; after a clock that was set back
  const OneOff* find(std::string_view id) const;
  bool operator==(const UpkeepBook&) const = default;
};
void add(UpkeepBook& book, OneOff one_off);
void add(UpkeepBook& book, OnCallOverride one);

struct WindowNotice {
  enum class What : std::uint8_t { comes, begins, ends_soon, hides_p1, over } what = What::comes;
  std::string key;     // names it once over a restart
  std::string window;  // its name, or id
  std::string title;   // of a `[window.N]`; the reason of the other
  Occurrence when;
  Coverage coverage;
  std::vector<std::string> targets;  // empty: those who are called first for what it covers
  std::optional<Author> owner;       // of a one-off
  std::vector<Firing> firing;        // what it hides, or hid
  std::string keeper, reason;        // of a `[window.N]`: its owner, a target, and why it is there
};

struct UpkeepChange {
  std::vector<OneOff> changed;      // to be stored
  std::vector<std::string> marked;  // windows whose mark is to be stored
  bool cursor_moved = false;        // announced_ns and announced are to be stored
  std::vector<WindowNotice> notices;
};
/// What time brings. Called at each wake, when a one-off was made or ended, and when what fires changes.
UpkeepChange tick(UpkeepBook& book, std::span<const Window> windows, std::span<const Firing> firing, std::int64_t now_ns);
/// That a one-off is over, which a person ended; its own end is told by tick.
WindowNotice over_notice(const OneOff& one, std::span<const Firing> firing);
/// When tick is wanted again if nothing else happens.
std::optional<std::int64_t> next_wake(const UpkeepBook& book, std::span<const Window> windows, std::int64_t now_ns);
/// Ids of the rows of what ended before: one-offs, overrides, and marks of windows that are not configured any more. All of it
/// is forgotten.
std::vector<std::string> drop_ended(UpkeepBook& book, std::span<const Window> windows, std::int64_t before_ns);

/// Rows as they are stored beside silences: "M-..." one-offs, "O-..." overrides, "W-NAME" marks, "A" the cursor.
struct UpkeepRow {
  std::string id;
  std::int64_t until_ns = 0;
  std::string data;
};
bool is_upkeep_row(std::string_view id);
std::string mark_row_id(std::string_view window);
UpkeepRow row_of(const OneOff& one_off);
UpkeepRow row_of(const OnCallOverride& one);
UpkeepRow row_of(const UpkeepBook& book, const std::string& marked_window);
UpkeepRow cursor_row(const UpkeepBook& book);
/// A row back into the book; refused when it is none.
Status restore_row(UpkeepBook& book, std::string_view id, std::string_view data);

}  // namespace ronda::incident
