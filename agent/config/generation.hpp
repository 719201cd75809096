// SPDX-License-Identifier: Apache-2.0
// One whole configuration: what conf.d says after references, defaults and checks, as typed values. Built by
// build_generation, immutable from then on; knows no clock, no plugin and no file. Objects that were wrong
// are not in it but listed in `disabled`: whether that is acceptable is for the caller to say (start: yes,
// reload: no).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/siphash.hpp"
#include "base/units.hpp"
#include "config/diagnostic.hpp"
#include "config/references.hpp"
#include "config/value.hpp"

namespace ronda::config {

enum class Kind : std::uint8_t { check, task, notifier };
inline constexpr std::array<Kind, 3> all_kinds = {Kind::check, Kind::task, Kind::notifier};
std::string_view kind_name(Kind kind);

/// The level of an alert; `none` where none is said.
enum class Level : std::uint8_t { none, p1, p2, p3, p4 };
std::string_view level_name(Level level);

/// `warn` or `crit` of one metric. The text is kept: whether a bare number will do is known with the metric's
/// unit.
struct Limit {
  std::string metric;
  std::string text;
  Range range;
  Place place;
};

/// One entry of `for`: a time, or `need` of the last `of` results.
struct Hold {
  Level level = Level::none;  // none: every level
  Nanos time{0};
  std::uint16_t need = 0;
  std::uint16_t of = 0;
};

/// What the core judges by itself about a check.
struct Judgement {
  std::vector<Limit> warn;
  std::vector<Limit> crit;
  std::vector<Hold> hold;
  Level severity = Level::none;
};

struct Retry {
  std::uint32_t times = 0;
  Nanos wait{0};
};

enum class Overlap : std::uint8_t { skip, queue, kill };

/// Core keys that few instances have.
struct Rare {
  std::string at, cron;  // at most one; their grammar is judged by schedule
  std::string tz;        // zone of `at` and `cron`; empty: [agent] tz
  Place when_place, tz_place;
  bool usual_tz = false;  // of [defaults.KIND]: it stands back where `at` names a zone
  std::string title, user, service, runbook;
  std::vector<std::string> locks, reporters, windows;
  Value params;  // a table, or nothing
  Retry retry;
  Overlap overlap = Overlap::skip;
  bool fleet = false;  // scope = "fleet"
  bool detached = false;
  Place detached_place;
  std::optional<bool> changes, idempotent;
};

/// A check, task or notifier. Small on purpose: there may be a hundred thousand.
struct Instance {
  Kind kind = Kind::check;
  bool enabled = true;
  std::string name;
  std::string use;
  std::optional<Nanos> every;    // a check has every, at or cron; a task may have none: only by hand
  std::optional<Nanos> timeout;  // none: what the plugin or the core says
  std::vector<std::string> after;
  std::vector<std::string> tags;
  Table options;                     // the plugin's keys, not judged here
  std::vector<std::string> secrets;  // what its file and cred references stand for, also inside longer texts
  Place place;                       // of the name in its header
  Place use_place;
  Hash128 hash;  // of all that it says, with defaults and resolved references

  const Judgement& judgement() const { return judgement_ ? *judgement_ : no_judgement(); }
  const Rare& rare() const { return rare_ ? *rare_ : no_rare(); }
  bool has_rare() const { return rare_ != nullptr; }
  Judgement& make_judgement();
  Rare& make_rare();

 private:
  static const Judgement& no_judgement();
  static const Rare& no_rare();

  std::unique_ptr<Judgement> judgement_;
  std::unique_ptr<Rare> rare_;
};

struct Service {
  std::string name;
  std::string title;
  std::vector<std::string> escalations;  // side by side for one incident; empty: the one named "default"
  std::vector<std::string> checks;
  Place place;
};

/// An object whose meaning belongs to another part: alert, contact, runbook, ...
struct RawObject {
  std::string kind;
  std::string name;  // of an escalation "NAME.pN"
  Value value;
  Place place;
};

struct AgentSettings {
  std::string tz;  // empty: the host's
  std::string language = "en";
  std::vector<std::string> last_resort;  // notifiers
  Nanos stop_timeout = std::chrono::seconds(90);
  bool strict = false;
  bool root_approves = false;
  std::string host;  // empty: the host's own name
  std::string env_file;
  std::optional<std::string> war_room;  // with {id} and {random}; "": none; nothing: the usual one
  Value drill;                          // a table, judged by response; or nothing
  std::string heartbeat;                // the notifier that its own sign of life leaves by; empty: none
  Nanos heartbeat_every = std::chrono::minutes(1);
  Place tz_place;
};

struct ApiSettings {
  bool others_may_view = true;  // others = "viewer"; false: "refuse"
  std::string listen;           // TCP "address:port" of loopback; empty: off
  std::string public_url;
  std::vector<std::string> hosts, origins;  // allow-lists of the TCP door
  std::string twilio_auth_token;            // by which inbound SMS are known; empty: none come in
};

/// What was wrong and therefore does not run. kind "file": a whole file, name is its path.
struct Disabled {
  std::string kind;
  std::string name;
  Place place;
  std::string reason;
};

struct Generation {
  std::uint64_t number = 0;  // given by the agent
  AgentSettings agent;
  ApiSettings api;
  Value store;                      // the table [store], judged by the store
  std::vector<Instance> instances;  // by kind, then name
  std::vector<Service> services;    // by name
  std::vector<RawObject> objects;   // by kind, then name
  std::vector<Disabled> disabled;
  std::vector<Instance> unsound;  // disabled for a key of the core; kept until their other keys are judged, in the same pass
  Sources files;                  // paths only, for places
  std::vector<Written> written;
  std::vector<std::string> secrets;
  Hash128 settings_hash;
  Hash128 objects_hash;  // of services and objects
  Hash128 fingerprint;   // of the whole set

  const Instance* find(Kind kind, std::string_view name) const;
  std::span<const Instance> all(Kind kind) const;
  const Service* find_service(std::string_view name) const;
  std::span<const RawObject> raw(std::string_view kind) const;
  const RawObject* find_raw(std::string_view kind, std::string_view name) const;
  /// What stood in the file where a reference was resolved, or empty.
  std::string_view written_at(Place place) const;
  /// Nothing to check, do or tell.
  bool empty() const { return instances.empty(); }
};

}  // namespace ronda::config
