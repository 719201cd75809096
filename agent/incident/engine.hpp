// SPDX-License-Identifier: Apache-2.0
// What happens to incidents: (state, input, now) -> (state', events, effects). Pure: no clock, no I/O, no random source.
// The state changes by its own events and by nothing else (and by the mutes it is told), so a fold over the stored
// events is the state: restore(). The caller commits the events with the outbox rows of the notices in one
// transaction before anything else happens.
//
// Grouping: one live incident for one cause. An alert joins, in this order, the incident that it fires in, the one whose
// root is its check or that waits for its check, the one of its service (without a service: of its check). One that fired
// and is blocked goes on in the incident of the check that it waits for. Soon after the end an incident is reopened
// instead of a new one.
// Calls: whom to call and when is said by escalation from an incident's History, never by a Notice alone. A Notice with
// `page` and without contacts says as what those are called who are due at that instant.
// Flapping: opened once, reopened once, then no more calls until it has been still for `settle`.
// A higher level ends an ack (it was given for less) and is told; a lower one is only noted. Once no alert has been as high as
// the incident for `ease_after`, the agent lowers it to what still fires, never below what a person said; what comes back
// soon after that is lowered again only after `returns_within`, so that what comes and goes calls no oftener than that.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "incident/incident.hpp"
#include "incident/notice.hpp"
#include "incident/silence.hpp"
#include "rule/change.hpp"

namespace ronda::incident {

/// Whom it hurts, said by the agent itself where an objective burns at P1 or P2: for steps with `impact = ["sla"]`.
inline constexpr std::string_view sla_impact = "sla";

/// Times of one level, all durations; 0: not at all.
struct LevelTimes {
  std::int64_t respond_within_ns = 0;
  std::int64_t update_every_ns = 0;  // "next update due"
  std::int64_t ack_remind_ns = 0;
  std::int64_t ack_expires_ns = 0;
  std::int64_t close_after_ns = 0;  // after it was resolved
};

struct Settings {
  /// By config::Level, the first unused. Responses of requirements 3.1.1: 15 min, 1 h, 4 h, 1 d.
  std::array<LevelTimes, 5> levels{{
      {},
      {15 * minute_ns, 30 * minute_ns, 30 * minute_ns, hour_ns, 30 * day_ns},
      {hour_ns, hour_ns, 2 * hour_ns, 4 * hour_ns, 30 * day_ns},
      {4 * hour_ns, 0, 8 * hour_ns, day_ns, 7 * day_ns},
      {day_ns, 0, day_ns, 0, 7 * day_ns},
  }};
  std::string host;
  /// {id} and {random} are replaced; empty: no link.
  std::string war_room = "https://meet.jit.si/ronda-{id}-{random}";
  std::int64_t reopen_within_ns = 30 * minute_ns;         // after it was resolved
  std::int64_t settle_ns = 30 * minute_ns;                // still for so long, and it does not flap any more
  std::int64_t gather_ns = 30 * second_ns;                // alerts that join are told together
  std::int64_t still_firing_ns = hour_ns;                 // resolved by a person against firing alerts: opened again after this
  std::int64_t ease_after_ns = 15 * minute_ns;            // that no alert has been as high as the incident: it is lowered
  std::int64_t returns_within_ns = comes_back_within_ns;  // after that, and it is lowered again only when nothing was as high for so long
  /// Tags by check, for mutes.
  std::map<std::string, std::vector<std::string>, std::less<>> tags;

  const LevelTimes& of(config::Level level) const { return levels[static_cast<std::size_t>(level)]; }
};

enum class Verb : std::uint8_t { open, ack, unack, note, update, raise, lower, mitigate, resolve, close, review, role, ticket, answered };
std::string_view verb_name(Verb verb);

/// What a person asks for, by whichever door.
struct Command {
  Verb verb = Verb::note;
  std::string incident;        // not for open
  std::uint64_t based_on = 0;  // the sequence that the person saw; 0: whichever
  Author author;
  std::string source;                         // the door
  std::string text;                           // open: the title; note, update; a reason
  config::Level level = config::Level::none;  // open, raise, lower
  std::string service;                        // open
  std::string subject;                        // role: the contact; ticket, answered: the vendor; note, update: whom it hurts, a tag
  std::string role;                           // role: "commander", ...
  std::string vendor_level;                   // ticket
  std::int64_t for_ns = 0;                    // ack: for so long; update: the next one within; 0: as the level says; ticket: their promise
  bool force = false;                         // resolve while alerts fire, close without a review: `text` says why
  std::vector<std::pair<std::string, std::string>> fields;  // review, resolve: parts of document.hpp's Review
};

/// What a silence or window mutes from now on.
struct Mute {
  std::string name;           // "silence:S-...", "window:sunday"
  std::vector<Matcher> what;  // covered by any of them
  bool all = false;           // a window without a list: everything
  std::int64_t until_ns = 0;

  bool covers(const Subject& subject) const;
  bool operator==(const Mute&) const = default;
};

struct Tick {};
/// All mutes that are active now; what is not in it has ended (at its `until_ns` if that has passed).
struct MutesNow {
  std::vector<Mute> mutes;
};
/// All alerts that fire and are held there because they come and go. As long as nothing else of an incident is grave or as bad,
/// who was told of it is called no more (it flaps). It is still, as any that flaps, from when they do no more.
struct RestlessNow {
  std::set<std::string, std::less<>> alerts;
  std::int64_t calm_since_ns = 0;  // of those that were and are no more: when one changed last; 0: now
  bool operator==(const RestlessNow&) const = default;
};
/// What became of a message: `sent` with the outbox row, in the same transaction (from then on that contact is one who
/// was told), the rest as it is known. Nothing for incidents that have been dropped.
struct Delivery {
  enum class What : std::uint8_t { sent, delivered, failed };
  std::string incident, contact, channel, message, text;
  What what = What::sent;
};
struct Diagnosis {
  std::string incident, name, output;
};
/// A reload took the alert (with its check) away.
struct Removed {
  std::string alert;
};

/// Events of incidents that nobody here knows, each in its order: a store that came late has them. They are not written again.
/// An alert that fires in several goes on in that in which it changed last, and leaves the others.
struct Recalled {
  std::vector<Event> events;
};

/// The clock that is judged by was set forward by so much, and `now_ns` is what it shows now.
struct ClockSet {
  std::int64_t by_ns = 0;
};

using Input = std::variant<rule::Change, Command, Tick, MutesNow, RestlessNow, Delivery, Diagnosis, Removed, Recalled, ClockSet>;

/// Answer to the person whose Command it was.
struct Reply {
  bool done = false;
  std::string incident;
  std::uint64_t sequence = 0;  // to base the next command on
  Errc code = Errc::invalid;   // why not; exists: not as it is now, or somebody else was first
  std::string text;            // why not, or what it means
};
/// To be looked into by the alert's read-only diagnosis: once, when it is opened at P1 or P2 or raised to that.
struct Diagnose {
  std::string incident, alert;
};
using Effect = std::variant<Notice, Reply, Diagnose>;

struct Outcome {
  std::vector<Event> events;
  std::vector<Effect> effects;
};

/// Ids by a name. A function of the incidents that there are, not of how they came about.
using Index = std::map<std::string, std::set<std::string>, std::less<>>;

struct State {
  std::map<std::string, Incident, std::less<>> incidents;    // by id
  Index by_cause;                                            // cause_of() -> those that are not closed
  std::map<std::string, std::string, std::less<>> by_alert;  // alert -> id in which it fires
  std::set<std::string> by_hand;                             // live ones that a person opened
  Index by_check;                                            // root, or check of a member -> live ones
  std::vector<Mute> mutes;
  RestlessNow restless;                         // as it was told last
  std::map<std::string, std::int64_t> pausing;  // ids of those that flap for it: 0, or since when they do no more
  std::int64_t watched_since_ns = 0;            // the agent, without a break; it is told that as it is told the mutes

  const Incident* find(std::string_view id) const;
  /// The one that stands for a cause: the live one, else the one that was over last; null: none that is not closed.
  const Incident* find_cause(std::string_view cause) const;
  /// All firing alerts, and what people opened and no alert fires in, for silences: what they hide, whether it is ok.
  std::vector<Firing> firing(const Settings& settings) const;
  bool operator==(const State&) const = default;
};

/// Random bits for one step: two words, used only where an incident opens.
struct Entropy {
  std::uint64_t id = 0;
  std::uint64_t room = 0;
};

/// One input. Instants in it are for the record; `now_ns` decides. It must not go back during a life of the agent, or
/// nobody would be called for as long: the wall clock as it was at the start, and not before last_change_ns(), plus the
/// time by CLOCK_BOOTTIME since.
Outcome step(State& state, const Settings& settings, const Input& input, std::int64_t now_ns, const Entropy& entropy);

/// When a Tick is wanted if nothing else happens, by one incident; it changes by its events and by the settings.
std::optional<std::int64_t> next_wake(const State& state, const Incident& incident, const Settings& settings);
/// The same by all of them.
std::optional<std::int64_t> next_wake(const State& state, const Settings& settings);

/// The instant of the last event of all; 0: there is none.
std::int64_t last_change_ns(const State& state);

/// One event into the state. Events of one incident in their order; those of several may be mixed.
void apply(State& state, const Event& event);
/// A fold over stored events: each incident's in their order, the incidents in any.
State restore(std::span<const Event> events, std::vector<Mute> mutes);
/// Makes by_alert anew: of several that an alert fires in it names the one in which it changed last.
void index_alerts(State& state);
/// An alert fires in another live incident than the one that by_alert names.
bool has_doubles(const State& state);
/// Forgets closed incidents that have not changed since.
void drop_closed(State& state, std::int64_t before_ns);

/// "unless somebody else was first" is said by `sequence`: true when an event that `command` conflicts with came after
/// what it was based on, by somebody else.
bool is_conflicting(const Incident& incident, const Command& command);

}  // namespace ronda::incident
