// SPDX-License-Identifier: Apache-2.0
// One line of an incident's timeline. Events are only ever appended; an incident is the fold over its own
// (incident.hpp). Every time limit that follows from an event is written into it, so that a fold asks no
// configuration and a reload changes nothing of the past. Instants are nanoseconds since 1970 UTC; 0: none.
//
// Texts come from people and from plugins: they are data, valid UTF-8 and bounded (bound()), and escaped by
// whoever shows them. As JSON an event is one object; what a later version wrote (kinds and members that are
// not known here) is kept as it is and written again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/generation.hpp"

namespace ronda::incident {

/// Who did it: the identity that a door established, never a name that somebody typed.
struct Author {
  enum class Kind : std::uint8_t {
    agent,    // by itself
    contact,  // a person of conf.d
    unix,     // a user of this host who is no contact; uid 0 is one
    token,    // a token that belongs to no contact
    room,     // whoever reads what goes to the address of many that this contact has
  };
  Kind kind = Kind::agent;
  std::string name;  // empty for the agent

  /// A person who can be asked: only such a one's acknowledgement is a response.
  bool is_named() const { return kind == Kind::contact; }
  bool operator==(const Author&) const = default;
};
/// "agent", "contact:cto", "unix:www-data", "token:wallboard", "room:ops-room".
std::string to_text(const Author& author);
Result<Author> parse_author(std::string_view text);

enum class Kind : std::uint8_t {
  other,  // written by a later version: `kind_name` says what; changes nothing here
  opened,
  alert_joined,
  alert_changed,  // its level, or whether it is blocked
  alert_left,
  raised,
  lowered,
  acked,
  ack_reminded,  // the one who has it was asked whether that is still so
  ack_expired,
  unacked,
  note,
  impact,  // whom it hurts: `subject` is the tag
  update,
  update_overdue,
  response_overdue,
  role,
  mitigated,
  resolved,
  reopened,
  flapping,  // it comes and goes: pages stop until it has settled
  settled,
  closed,
  notice_sent,
  notice_delivered,
  notice_failed,
  notice_owed,  // something became due to be told: `subject` is the notice's event
  diagnosis,
  suppressed,    // by a silence or a window: nobody is told, the clocks stand
  unsuppressed,  // from `effective_ns` on
  reviewed,
  ticket,           // help of a vendor was asked for: `subject` is the vendor, `channel` its level, `until_ns` when it owes an answer
  ticket_answered,  // `subject` is the vendor
  ticket_overdue,   // it owes one and has not given it
  refused,          // what a person asked for and lost to somebody else, or may not
  clock_set,        // it was set forward: all instants of before move by `at_ns` - `effective_ns`, so that no duration changes
};
std::string_view kind_name(Kind kind);

struct Event {
  std::string incident;        // its id
  std::uint64_t sequence = 0;  // 1 for `opened`, then without gaps
  std::int64_t at_ns = 0;      // never before that of the event before it
  std::string host;
  Author author;
  std::string source;  // the door or the part: "rule", "cli", "api", "link", "sms", "engine", "outbox"
  Kind kind = Kind::note;
  std::string kind_name;  // for Kind::other only

  config::Level level = config::Level::none;  // of the incident (opened, raised, lowered, reopened), of the alert (alert_*)
  std::string service;                        // opened; alert_*: the alert's own
  std::string root;                           // opened
  std::string alert, check;                   // alert_*
  std::string subject;                        // who or what it is about: a contact, a silence or window, a diagnosis, the event of a notice
  std::string role;                           // role
  std::string channel;                        // notice_*: the notifier; ticket: the level of the vendor
  std::string message;                        // notice_*: id of the message; reopened, resolved: id of another incident
  std::string text;                           // for people
  std::string title;                          // alert_*: what people call it, where that is more than its name and `text`
  std::string war_room;                       // opened
  bool forced = false;                        // against a rule that may be overridden, `text` says why
  bool blocked = false;                       // alert_*: it waits for the check `subject`
  bool muted = false;                         // alert_*: a silence or a window covers it
  bool page = false;                          // notice_owed
  std::int64_t effective_ns = 0;  // suppressed, unsuppressed: when it became so, if not at_ns; clock_set: at_ns by the clock before
  std::int64_t within_ns = 0;     // opened, raised, lowered, reopened: a duration, the time to respond
  std::int64_t due_ns = 0;        // opened, reopened, update, ...: the next update
  std::int64_t remind_ns = 0;     // acked, what renews it, and ack_reminded: ask whether the ack still holds
  std::int64_t until_ns = 0;      // acked: its end; flapping: earliest end; ticket: 0 where no time is promised
  /// Named texts: the parts of a review; of alert_* said_field. At most 32.
  std::vector<std::pair<std::string, std::string>> fields;
  std::string extra;  // members that this version does not know, a JSON object; empty: none

  bool operator==(const Event&) const = default;
};

inline constexpr std::string_view said_field = "said";  // what the check says of it itself

/// One of `fields`; empty: it has none of that name.
std::string_view named_text(const Event& event, std::string_view name);

inline constexpr std::size_t max_name_bytes = 256;          // names, ids, sources
inline constexpr std::size_t max_text_bytes = 4096;         // `text`, each of `fields`
inline constexpr std::size_t max_output_bytes = 64 * 1024;  // `text` of a diagnosis
inline constexpr std::size_t max_event_bytes = 512 * 1024;  // as JSON

/// Makes all texts valid UTF-8 and no longer than allowed; a cut text ends with "...".
void bound(Event& event);

/// One line, members in a fixed order, absent where empty.
std::string to_json(const Event& event);
/// Refuses what is no event, naming the member: "event: `sequence` must be a whole number from 1". Errc::corrupt.
Result<Event> parse_event(std::string_view json);

/// "INC-20261129-K7Q2M4XD3A": the date is that of `at_ns` in UTC, the rest 50 of the random bits in base 32
/// without I, L, O and U. No part of it tells the host.
std::string make_id(std::int64_t at_ns, std::uint64_t random);
bool is_id(std::string_view text);
/// `characters` characters of base 32, at most 12.
std::string random_word(std::uint64_t random, std::size_t characters);

}  // namespace ronda::incident
