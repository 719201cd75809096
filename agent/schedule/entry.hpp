// SPDX-License-Identifier: Apache-2.0
// A configured check, task or notifier as the scheduler holds it: what is to be run, and how it last went.
// Small on purpose: there may be a hundred thousand.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/packed_text.hpp"
#include "base/siphash.hpp"
#include "base/units.hpp"
#include "config/generation.hpp"
#include "plugin/grade.hpp"
#include "plugin/manifest.hpp"
#include "plugin/supervisor.hpp"
#include "schedule/calendar.hpp"
#include "store/types.hpp"

namespace ronda::schedule {

using config::Kind;
using plugin::CheckStatus;
using plugin::Fate;

/// The plugin behind a procedure, shared by all instances that use it.
struct PluginRef {
  std::string id, version, sha256;
  std::uint32_t state_version = 1;
  std::uint32_t concurrency = 1;
  bool spawns = false;      // holds the grant exec: its calls start processes and are never early
  bool stateful = false;    // holds the grant state
  std::string grants = {};  // all of them by name: other grants are another runner
  bool connects = false;    // holds the grant net
};

struct ProcedureRef {
  std::string name;
  Kind kind = Kind::check;
  std::shared_ptr<const PluginRef> plugin;
  std::vector<std::string> locks;      // of every run of it
  plugin::MessageWants messages = {};  // of a notifier
};

/// When it runs by itself; neither: only by hand, or when an event asks for it.
struct When {
  Nanos every{0};                            // zero: not periodic
  std::shared_ptr<const Calendar> calendar;  // of at or cron
};

/// One instance of a generation, checked and ready to run.
struct Prepared {
  Kind kind = Kind::check;
  std::string name;
  std::shared_ptr<const ProcedureRef> procedure;
  PackedText options;  // encoded for the runner
  Nanos timeout{0};
  When when;
  Hash128 hash;  // of configuration and plugin: another one means replace
  PackedText user;
  std::unique_ptr<const std::vector<std::string>> after;  // checks; null: none
  std::unique_ptr<config::Judgement> limits;              // null: none
  std::unique_ptr<config::Rare> rare;                     // null: defaults
};

/// A run that stopping gives its time: half done it would leave something behind.
inline bool may_change(const Prepared& spec) {
  return spec.kind == Kind::task && (spec.rare == nullptr || spec.rare->changes.value_or(true));
}

/// How a runner is started, besides its plugin: instances that agree in it share one.
struct RunAs {
  std::string user;       // empty: the default
  bool detached = false;  // what programs leave alive stays
  bool operator==(const RunAs&) const = default;
};
inline RunAs run_as(const Prepared& spec) {
  return {spec.user.str(), spec.rare != nullptr && spec.rare->detached};
}
inline std::string key_of(const RunAs& as) {
  return as.user + (as.detached ? "/detached" : "");
}  // no name of a user holds a slash

/// How the last run came about and ended; the material of `explain`. Wall clock, ns; 0: not yet.
struct Trip {
  std::int64_t due_wall = 0, started_wall = 0;
  std::int64_t ended_wall = 0;  // while a run is under way: of the one before it
  std::int64_t late_ns = 0;
  std::int64_t duration_ns = 0;
  std::uint32_t reason = 0;  // RONDA_REASON_*
  Fate fate = Fate::finished;
  bool begun = true;  // false: no code of the run was reached, as its instance could not be made
  bool told = false;  // the plugin gave a result; one that was cut off at its deadline may have
};

enum class Skip : std::uint8_t {
  none,
  still_running,
  blocked,
  slot_done,
  slot_refused,
  safe_mode,
  disabled,
  waits_for_lock,
  left,
  stopping
};

struct Entry {
  Prepared spec;
  std::uint32_t id = 0;            // of this configuration of it; another one after it was replaced
  std::uint32_t id_in_flight = 0;  // of the configuration that a run still goes on with; 0: the present one
  plugin::Supervisor* runner = nullptr;

  std::uint64_t call = 0;      // in flight; 0: none
  std::int64_t slot_wall = 0;  // of that call
  float average_ms = -1;       // of durations; negative: not known
  bool removed = false;

  bool has_result = false;
  CheckStatus status = CheckStatus::unknown;
  std::uint32_t failures = 0;  // one after the other
  std::int64_t since_wall = 0, last_ok_wall = 0;
  std::string summary;
  PackedText detail, grade_reason;
  PackedText metrics;  // encoded
  Trip trip;
  Skip skip = Skip::none;  // of the last time it was due and did not run
  std::int64_t skip_wall = 0;
  PackedText blocked_by;  // empty: not blocked
  std::uint64_t runs = 0, skips = 0;
  bool dirty = false;  // changed since it was last written to the store
};

/// How the store names an instance.
inline store::InstanceId id_of(Kind kind, std::string_view name) {
  return {std::string(config::kind_name(kind)), std::string(name)};
}
inline store::InstanceId id_of(const Prepared& spec) {
  return id_of(spec.kind, spec.name);
}
/// "task/nightly": a key and a subject.
inline std::string key_of(Kind kind, std::string_view name) {
  return std::string(config::kind_name(kind)) + "/" + std::string(name);
}
/// "task nightly": for people.
inline std::string label_of(Kind kind, std::string_view name) {
  return std::string(config::kind_name(kind)) + " " + std::string(name);
}

std::string_view text_of(Skip skip);
std::string_view text_of_reason(std::uint32_t reason);

}  // namespace ronda::schedule
