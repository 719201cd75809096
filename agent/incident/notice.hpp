// SPDX-License-Identifier: Apache-2.0
// What must be told, before anybody knows in which words: incident says that and why, escalation says to
// whom, notify by which channel. A Notice is a plain value; the event that it came with is committed with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/generation.hpp"
#include "incident/event.hpp"

namespace ronda::incident {

namespace notice {
inline constexpr std::string_view open = "open";              // also when it came back
inline constexpr std::string_view escalation = "escalation";  // a higher level, or a step of the ladder
inline constexpr std::string_view update = "update";          // taken, joined, mitigated, a person's update
inline constexpr std::string_view resolve = "resolve";        // recovered, resolved, closed
inline constexpr std::string_view reminder =
    "reminder";  // to the one who has it; without contacts: to those whom the escalation has reached
}  // namespace notice

/// What a notice about a silence says of it.
struct SilenceNews {
  enum class What : std::uint8_t { ends_soon, hides_p1, ended } what = What::ends_soon;
  std::string id;
  std::string covers;                 // "service=api"
  std::vector<std::string> services;  // that it names
  std::string owner;
  std::string reason;  // why it was made
  std::int64_t until_ns = 0;
  std::vector<std::string> hides;  // "P1 api-down (INC-...)"; hides_p1: that one alone
};

struct Notice {
  std::string incident;  // its id; empty: about a silence or a window alone
  std::string event;     // one of those above
  config::Level level = config::Level::none;
  /// Whom to tell. Empty with `page`: those whom the escalation names at `at_ns`. Empty without: no contact has heard of it.
  std::vector<std::string> contacts;
  std::vector<std::string> notifiers;  // besides: those that heard of it as the last resort
  std::int64_t at_ns = 0;
  std::string reason;     // for people: step of the ladder, "acknowledged by cto", "still broken after window sunday"
  std::string reason_es;  // the same in Spanish; a person's words are the same in both
  Author author;          // whose command it follows from; the agent: nobody's

  /// Calls a person: may ring at night. False: goes along quietly (updates, resolves, reminders by mail).
  bool page = false;
  /// It is less than it was: who was called for more hears that by what he was called by.
  bool lowers = false;
  /// Of the event that says so in the timeline. (incident, sequence, contact, channel) names one message in all its
  /// attempts and over a restart. 0 when `incident` is empty.
  std::uint64_t sequence = 0;
  /// For the storm rule: notices of one group may go to a sink as one. The service, else "".
  std::string group;
  std::optional<SilenceNews> silence;  // with it the notice is about that one, and of no incident
  /// How many things this stands for: alerts that joined.
  std::uint32_t count = 1;
  /// What has the same key and is not sent yet may be left out in favour of this one: "INC-...:update". Empty: never.
  std::string supersedes;
};

}  // namespace ronda::incident
