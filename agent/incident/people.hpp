// SPDX-License-Identifier: Apache-2.0
// Whom there is to tell: contacts with their channels, groups, on-call rotas, vendors. Compiled from a
// generation, immutable from then on. Never delivers anything and knows no incident.
//
// Contacts, groups and on-calls share one namespace: each is a target. A wrong object is left out and told; what
// mentions it stays, and loses that one target.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/generation.hpp"
#include "incident/oncall.hpp"
#include "incident/severity.hpp"
#include "incident/vendor.hpp"
#include "schedule/zone.hpp"

namespace ronda::people {

/// `quiet = "22:00-07:00"`: messages of these levels (of P3 and P4 only) wait until the end. By the wall clock of the
/// zone; an end at or before the begin is the next day's; "24:00" is midnight.
struct Quiet {
  std::chrono::minutes from{0}, to{0};
  schedule::ZonePtr zone;
  LevelSet levels;
};

/// When a message of this level may go out that is ready at `at_ns`: the end of the quiet hours it falls into, or none.
std::optional<std::int64_t> held_until(const Quiet& quiet, Level level, std::int64_t at_ns);

struct Channel {
  std::string notifier;
  std::string to;     // empty: where the notifier itself points to
  std::string shown;  // `to` for people: what came from a reference stands as it was written
  LevelSet levels = LevelSet::all();
  bool fallback = false;       // only when the others failed for good
  bool shared = false;         // many read there: what comes from it is no word of this contact
  std::optional<Quiet> quiet;  // of its own; else its contact's
};

struct Contact {
  std::string name;      // of the object
  std::string title;     // key `name`: as people say it
  std::string language;  // "en", "es"; empty: the agent's
  std::vector<std::string> unix_users;
  std::vector<Channel> channels;
  std::optional<Quiet> quiet;
  config::Place place;

  /// A channel for messages of that level on a notifier that can be used.
  bool reachable(Level level, std::span<const std::string> usable_notifiers) const;
};

struct Group {
  std::string name;
  std::string title;
  std::vector<std::string> members;  // as written, without those that do not exist
  config::Place place;
};

/// What a notifier's plugin says of the messages that it wants.
struct Wants {
  std::string markup = {};      // "mrkdwn"; empty: plain
  bool each = false;            // a machine reads them: never several as one
  bool number = false;          // a channel's `to` is a telephone number, and is there
  std::int64_t spacing_ns = 0;  // least time between two attempts
};

/// What is known of a notifier of the configuration.
struct Notifier {
  std::string name;
  bool usable = false;  // enabled, its plugin loads, its options are right
  bool wrong = false;   // it is not, and that was told
  Wants wants = {};
  bool leaves_host = false;  // its plugin may open a connection or start a program
  bool is_example = false;   // its options hold a name that is reserved for examples
  config::Place place = {};  // of one that is an example
};

/// What a target stands for: contacts by themselves or by groups, and rotas, each once, in order of mention.
struct Members {
  std::vector<std::string> contacts;
  std::vector<std::string> oncalls;
  bool empty() const { return contacts.empty() && oncalls.empty(); }
};

struct People {
  std::vector<Contact> contacts;  // by name
  std::vector<Group> groups;      // by name
  std::vector<Rota> oncalls;      // by name
  std::vector<Vendor> vendors;    // by name
  Severities severities;
  std::vector<std::string> notifiers;      // usable ones, by name
  std::vector<std::string> last_resort;    // notifiers of [agent] last_resort that are usable
  bool no_notifier = false;                // none is configured at all, not even a wrong one
  std::vector<config::Disabled> disabled;  // what was left out, with the reason

  const Contact* find_contact(std::string_view name) const;
  const Group* find_group(std::string_view name) const;
  const Rota* find_oncall(std::string_view name) const;
  const Vendor* find_vendor(std::string_view name) const;
  const Severity& severity(Level level) const { return severities[level_index(level)]; }
  /// Whose name on this host this is; null: nobody's.
  const Contact* contact_of_unix(std::string_view user) const;
  /// A target's people; empty for a name that is none.
  Members members_of(std::string_view target) const;
  /// Whether somebody of the target can hear a message of that level by one of these notifiers (of a rota: any
  /// member of it).
  bool reachable(std::string_view target, Level level, std::span<const std::string> by) const;
};

struct Input {
  const config::Generation* generation = nullptr;
  std::span<const Notifier> notifiers;
  std::span<const std::string> checks;  // names, for vendors' status checks
  schedule::ZoneDatabase* zones = nullptr;
  schedule::ZonePtr zone;   // [agent] tz, or this host's
  std::int64_t now_ns = 0;  // gaps of rotas are looked for in the 14 days from here
  /// A calendar file's bytes; empty function: calendar files are not read, their rotas have nobody.
  std::function<Result<std::string>(const std::string& path)> read_file;
};

/// Everything wrong is reported in one pass.
People compile(const Input& input, config::Diagnostics& diagnostics);
/// One rota again, as it stands in the same generation, of which these are the people; for a calendar file that has changed.
/// None: it is wrong, which was told.
std::optional<Rota> compile_again(const Input& input, const People& people, std::string_view rota, config::Diagnostics& diagnostics);

/// "+5491155550000": a plus sign, then 8 to 15 digits, the first not 0 (ITU-T E.164).
bool is_e164(std::string_view number);

}  // namespace ronda::people
