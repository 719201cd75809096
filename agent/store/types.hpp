// SPDX-License-Identifier: Apache-2.0
// What the store keeps, as plain values. Wall time is nanoseconds since 1970-01-01 UTC; 0 means never.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/sample.hpp"

namespace ronda::store {

/// A configured instance: {"check", "api-status"}.
struct InstanceId {
  std::string kind, name;
  auto operator<=>(const InstanceId&) const = default;
};

/// observed: the last state of an instance.
struct InstanceState {
  InstanceId id;
  int status = 3;  // RONDA_STATUS_* or RONDA_TASK_*
  std::string summary, detail;
  std::int64_t since = 0;  // of this status
  std::int64_t last_run = 0, last_ok = 0;
  std::int64_t failures = 0;  // one after the other
};

/// observed: one finished run; the newest `kept_runs` of an instance are kept.
struct Run {
  std::int64_t started = 0, duration = 0;
  int status = 3;
  std::string summary;
};
inline constexpr int kept_runs = 20;
struct Observed {
  InstanceState state;
  Run run;
};

/// How long samples are kept, by level.
struct SampleRetention {
  std::int64_t raw_ns = std::int64_t{48} * hour_ns;
  std::int64_t five_minutes_ns = std::int64_t{30 * 24} * hour_ns;
  std::int64_t hours_ns = std::int64_t{400 * 24} * hour_ns;
};
enum class SampleLevel : std::uint8_t { raw, five_minutes, hours };
/// Of one check what lies in (after, until]: raw points, or roll-ups that begin there and are closed.
struct SampleQuery {
  std::string check;
  std::string metric;  // empty: all of them
  SampleLevel level = SampleLevel::raw;
  std::int64_t after_ns = 0, until_ns = 0;
  std::size_t most_points = 0;  // raw, of all series together: more is an error; 0: as many as there are
};
struct LoadedSeries {
  SeriesKey key;
  std::vector<Point> points;    // raw
  std::vector<Rollup> rollups;  // else; both ascend
};

/// The run of one scheduled instant; at most one for (instance, scheduled).
enum class SlotState : std::uint8_t { started, done, missed, skipped };
struct Slot {
  InstanceId id;
  std::int64_t scheduled = 0;
  SlotState state = SlotState::started;
  std::int64_t changed = 0;
  std::string outcome;
};
enum class Claim : std::uint8_t { claimed, already_done };

/// By which calendar an instance runs, and since when that is known: earlier slots of it were never owed.
struct KnownCalendar {
  InstanceId id;
  std::string text;  // empty: nobody knows
  std::int64_t since = 0;
};

struct MissedRange {
  InstanceId id;
  std::int64_t first = 0, last = 0, count = 0;
  std::string reason;
  std::int64_t recorded = 0;
};

/// Who a kv namespace belongs to.
struct KvSpace {
  InstanceId id;
  std::string plugin;
};
struct KvEntry {
  std::string key, value;
  std::int64_t expires = 0;
};
struct KvContent {
  std::uint32_t state_version = 0;  // of the plugin that wrote last
  std::vector<KvEntry> entries;     // in key order, expired ones left out
};
/// By which version of its plugin a namespace was written last.
struct KvVersion {
  KvSpace space;
  std::uint32_t state_version = 0;
};
struct KvWrite {
  std::string key;
  std::optional<std::string> value;  // nullopt: delete
  std::int64_t expires = 0;
};
inline constexpr std::size_t kv_key_max = 256, kv_value_max = 64 * 1024, kv_space_max = 1024 * 1024;

struct InboxEvent {
  std::int64_t id = 0;  // given by the store; grows
  std::string event;    // "start", "success", "fail", "heartbeat", "log"
  std::int32_t code = 0;
  std::string text;
  std::int64_t wall = 0;
};
/// What became of an event that was handed over.
struct Posted {
  std::int64_t id = 0;
  bool gave_up_one = false;  // the inbox was full: an earlier one is gone, and nobody has read it
};
inline constexpr std::size_t inbox_text_max = 64 * 1024;
inline constexpr std::int64_t inbox_events_max = 1000;  // of one instance

/// Append-only. `id` and `host` are filled in by the store when they are empty.
struct JournalEvent {
  std::string id, host;
  std::int64_t wall = 0;
  std::string kind, subject;
  std::string data = "{}";  // JSON
};
inline constexpr std::size_t journal_data_max = 64 * 1024;

struct Quarantine {
  std::string subject;  // "check/api" or "plugin/http"
  std::string reason;
  std::int64_t since = 0, probe_at = 0;
  std::string fingerprint;  // of file and configuration; another one ends the quarantine
};

/// All that the accepted result of one call owes: applied together or not at all.
struct CallEffects {
  InstanceId id;
  std::string plugin;
  std::uint32_t state_version = 0;
  std::vector<KvWrite> kv;
  std::vector<std::int64_t> inbox_taken;
  std::optional<std::int64_t> slot;  // scheduled instant of the claimed slot that is done now
  std::string slot_outcome;
  std::vector<JournalEvent> events;
};

/// What opening found.
struct OpenReport {
  std::string host;
  std::int64_t generation = 0;
  bool fresh = false;                // a new database
  bool clean_shutdown = false;       // of the agent before
  std::vector<std::string> notices;  // to be shown to people: an older copy, a damaged file set aside
};

enum class HealthState : std::uint8_t { ok, degraded, failed };
/// degraded: owed writes are still accepted. failed: they are refused, and what was refused is not promised.
struct Health {
  HealthState state = HealthState::ok;
  std::string reason;
  std::int64_t since = 0;
  bool ballast = false;
  std::uint64_t dropped_observed = 0;
};

}  // namespace ronda::store
