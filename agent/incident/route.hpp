// SPDX-License-Identifier: Apache-2.0
// From targets to addresses: who hears a message, through which channels. The one place that holds "no typo may
// silence a P1": whom a ladder loses is made up for by its next step, then by [agent] last_resort, then by every
// notifier that can be used. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "incident/escalation.hpp"
#include "incident/people.hpp"

namespace ronda::escalation {

struct Address {
  std::string notifier;
  std::string to;                             // empty: where the notifier itself points to
  std::string shown;                          // the same for people
  std::optional<std::int64_t> held_until_ns;  // quiet hours
  bool repeated = false;                      // a recipient before this one has the same address: one message serves both
  bool operator==(const Address&) const = default;
};

/// One person, each once for one incident and instant.
struct Recipient {
  std::string contact;
  std::string via;  // the target that named him, with the rota: "p1-all", "p1-all, on call by ops", "ops, on call by ops [override]"
  std::vector<Address> addresses;  // all of them
  std::vector<Address> fallback;   // when the others failed for good
  bool business = false;           // only as a notice
};

enum class How : std::uint8_t {
  people,          // as the ladder says
  next_step,       // nobody of its targets could be reached now, those of a later step were taken
  last_resort,     // nobody at all: the notifiers of [agent] last_resort
  every_notifier,  // nor those: all that can be used
  unnamed,         // a P4 that neither a ladder nor last_resort names anybody for: it is in the list of incidents alone
  nowhere,         // there is none: that is itself a P1
};
std::string_view how_name(How how);

struct Reach {
  How how = How::people;
  std::vector<Recipient> recipients;
  std::vector<Address> broadcast;   // last_resort and every_notifier
  std::vector<std::string> missed;  // targets that nobody was reached by, with the reason: "on-call ops: nobody is on call"
};

/// By rota: overrides of the store.
using Overrides = std::map<std::string, std::vector<people::Override>, std::less<>>;

/// Where messages go that are due together (same instant, same incident) at `at_ns`. A step that reaches nobody tells
/// the next one's targets; where nobody at all is reached, the last resort is.
Reach route(const people::People& people, const Policy& policy, Level level, std::span<const Due> due, std::int64_t at_ns,
            const Overrides& overrides = {});

/// Where messages of that level go for which no ladder says anything: notifiers of [agent] last_resort, else all usable
/// ones; of a P4, which has a day, those of last_resort alone. A notifier's addresses are all those that contacts have on it for that
/// level, else all that they have, else the one that it points to itself.
Reach last_resort(const people::People& people, Level level);
/// Those of one notifier, whichever it is.
std::vector<Address> addresses_on(const people::People& people, std::string_view notifier, Level level);

}  // namespace ronda::escalation
