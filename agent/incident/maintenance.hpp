// SPDX-License-Identifier: Apache-2.0
// Maintenance windows: when nobody is told of what it covers, announced before it begins, by a calendar (`[window.N]`) or
// once by a person. A window suppresses notification, not measurement; at its end what is still broken is told
// (engine.hpp). Pure: time is a parameter; calendars are schedule's.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/generation.hpp"
#include "incident/engine.hpp"
#include "schedule/calendar.hpp"

namespace ronda::incident {

/// What it covers: what stands in any of the lists; all empty: everything.
struct Coverage {
  std::vector<std::string> services, checks, tags;
  bool all() const { return services.empty() && checks.empty() && tags.empty(); }
  bool covers(const Subject& subject) const;
  bool operator==(const Coverage&) const = default;
};

/// One time that a window is or will be open: [begin, end).
struct Occurrence {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  bool operator==(const Occurrence&) const = default;
};

/// `[window.N]`: opens at each instant of its calendar.
struct Window {
  std::string name;
  std::string title;
  schedule::Calendar calendar;
  std::int64_t lasts_ns = 0;
  Coverage what;
  std::vector<std::int64_t> announce_ns;  // so long before it begins; longest first
  bool until_ok = false;                  // stays open after `lasts` while something that it covers fires
  std::int64_t at_most_ns = 0;            // until_ok: but never longer than this
  std::vector<std::string> notify;        // contacts, groups, on-calls; empty: whoever is called first for what it covers
  config::Place notify_place;
  config::Place place;
  std::string owner;  // contact, group or on-call who answers for it
  config::Place owner_place;
  std::string reason;
};

/// `maintenance start 2h --reason`: by a person, once.
struct OneOff {
  std::string id;  // "M-K7Q2M4XD"
  Coverage what;
  Author owner;
  std::string reason;
  std::int64_t from_ns = 0;
  std::int64_t lasts_ns = 0;
  bool until_ok = false;
  std::int64_t at_most_ns = 0;
  std::int64_t ended_ns = 0;              // 0: not yet, or nobody has looked
  Author ended_by;                        // the agent: by itself
  std::vector<std::int64_t> announce_ns;  // so long before it begins; longest first
  std::vector<std::string> notify;        // as of Window
  bool begin_told = false;                // that it has begun
  bool end_told = false;                  // that it ends soon
  std::set<std::string> p1_told;          // incidents at P1 that it hid, of which was told
  bool operator==(const OneOff&) const = default;
};

inline constexpr std::int64_t longest_window_ns = 7 * day_ns;

/// `[window.N]` into windows; what is wrong is reported and left out.
std::vector<Window> compile_windows(std::span<const config::RawObject> objects, const KnownNames& known, schedule::ZoneDatabase& zones,
                                    const schedule::ZonePtr& zone, config::Diagnostics& diagnostics);

struct OneOffRequest {
  Coverage what;
  Author owner;
  std::string reason;
  std::int64_t from_ns = 0;  // 0: now
  std::int64_t lasts_ns = 0;
  bool until_ok = false;
  std::int64_t at_most_ns = 0;  // with until_ok; 0: twice `lasts`
  std::vector<std::int64_t> announce_ns;
  std::vector<std::string> notify;
};
Result<OneOff> make_one_off(OneOffRequest request, std::int64_t now_ns, std::uint64_t random);
/// Names in it that there are none of, with what may be meant.
Status check_names(const Coverage& what, const KnownNames& known);
/// Refused when it is over, saying by whom.
Result<OneOff> end_one_off(OneOff one_off, const Author& author, std::int64_t now_ns);

/// Whether it is open at `at_ns`, by the calendar alone or, with `firing`, as until_ok says.
std::optional<Occurrence> active_at(const Window& window, std::int64_t at_ns, std::span<const Firing> firing = {});
std::optional<Occurrence> active_at(const OneOff& one_off, std::int64_t at_ns, std::span<const Firing> firing = {});

/// The first instant after `after_ns` at which it opens or ends, or may end.
std::optional<std::int64_t> next_boundary(const Window& window, std::int64_t after_ns);
std::optional<std::int64_t> next_boundary(const OneOff& one_off, std::int64_t after_ns);

/// All mutes at `now_ns`, in the order of their names.
std::vector<Mute> mutes_at(std::span<const Window> windows, std::span<const OneOff> one_offs, const SilenceBook& silences,
                           std::span<const Firing> firing, std::int64_t now_ns);

struct Announcement {
  std::string window;
  std::string title;
  std::int64_t before_ns = 0;  // so long before it begins
  Occurrence when;
  Coverage what;
  /// Names it once over a restart: window, begin and offset.
  std::string key() const;
};
/// Announcements that became due in (after, upto]; not those of windows that have begun by then.
std::vector<Announcement> announcements(std::span<const Window> windows, std::int64_t after_ns, std::int64_t upto_ns);
std::optional<std::int64_t> next_announcement(std::span<const Window> windows, std::int64_t after_ns);

/// One line; parse_one_off refuses what is none. For the row that it is stored as.
std::string to_json(const OneOff& one_off);
Result<OneOff> parse_one_off(std::string_view json);

}  // namespace ronda::incident
