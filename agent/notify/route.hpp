// SPDX-License-Identifier: Apache-2.0
// From "these contacts must hear of this" to one envelope per recipient: which channels fit, in which words, and
// what happens when a route has lost all of its targets. Pure; it queues nothing and sends nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/said.hpp"
#include "config/generation.hpp"
#include "notify/template.hpp"
#include "store/decision.hpp"

namespace ronda::notify {

/// One way to reach a contact.
struct Channel {
  std::string notifier;
  std::string to;               // empty: the notifier has its own
  bool fallback = false;        // only when the others failed for good
  std::int64_t not_before = 0;  // wall ns: the end of quiet hours that the message falls into; 0: at once
};

/// What routing asks of the people side and of the configuration, at one instant.
class People {
 public:
  virtual ~People() = default;
  /// The channels of a contact whose levels fit, fallback ones included, in the order of conf.d; none: not known.
  virtual std::vector<Channel> channels(std::string_view contact, config::Level level) const = 0;
  /// A notifier that is configured, enabled and sound.
  virtual bool is_usable(std::string_view notifier) const = 0;
  virtual Markup markup(std::string_view notifier) const = 0;
  virtual Language language(std::string_view contact) const = 0;
  /// Whether others than the contact read what is sent there.
  virtual bool is_shared(std::string_view /*contact*/, const Channel&) const { return false; }
  /// Values for what this contact reads there alone, or those who read there; they stand in no message to several contacts.
  virtual Fields personal(std::string_view /*contact*/, const Channel&) const { return {}; }
  /// `[agent] last_resort`; where it is empty or unusable, every usable notifier is, but for a P4.
  virtual std::vector<std::string> last_resort() const = 0;
  virtual std::vector<std::string> usable() const = 0;
  /// Where a message of that level goes on one of those: a notifier by itself need not know an address.
  virtual std::vector<Channel> everybody(std::string_view notifier, config::Level level) const = 0;
};

/// Something that contacts are to hear.
struct Message {
  std::string key;       // unique for what is told: "<incident>/<seq of its event>"; ids of envelopes come from it
  std::string incident;  // empty: none
  std::string group;     // storm rule; of one incident always the same. Empty: the incident
  Topic topic = Topic::open;
  config::Level level = config::Level::none;
  std::vector<std::string> contacts;
  std::vector<std::string> notifiers;  // besides: what was told as the last resort hears the rest too
  Fields fields;
  std::vector<std::pair<std::string, Said>> said;  // more of them, in the language of who reads it
  bool drill = false;
  std::vector<std::string> avoid;  // notifiers that this is about: they are used only where nothing else is left
};

/// Why a message could not go as configured; for a P2, or with nobody left a P1, about the agent itself.
struct RouteTrouble {
  /// unnamed: a P4 that conf.d names nobody for.
  enum class What : std::uint8_t { no_channel, last_resort, nobody, unnamed } what = What::no_channel;
  std::string contact;  // empty with `nobody`
};

struct Routed {
  std::vector<store::OutboxRow> rows;  // queued; one per notifier and address; without order and times
  std::vector<RouteTrouble> troubles;
};

Routed route(const Message& message, const People& people, const Templates& templates);

/// All envelopes of one message have ids that begin so, those that took the place of others too: each sink has one of them.
std::string_view message_of(std::string_view id);

/// The envelopes in place of one that failed for good; `others`: those of the same message, as far as they are known, with what
/// became of them. A contact that none of them reached, or still may reach, is told by its fallback channels. Where nothing is left
/// that could reach anybody, the last resort is told, by no notifier that the message has been dropped by before.
Routed route_fallback(const store::OutboxRow& failed, const std::vector<store::OutboxRow>& others, const People& people,
                      const Templates& templates);

}  // namespace ronda::notify
