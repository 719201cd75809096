// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "store/tables.hpp"

namespace ronda::store {
namespace {
constexpr std::int64_t most_runs = INT64_MAX / 2;  // what is stored may be damaged
}  // namespace

// Neither an upsert nor RETURNING: with them SQLite works on a table of its own for each row, which costs more than all
// of this (13 to 23 us instead of 61 to 136, 2026-11-24, 2 busy cores, 20 of 200 instances in a transaction).
Status save_observation(Database& db, const Observation& observation) {
  const InstanceState& s = observation.state;
  const auto count = static_cast<std::int64_t>(observation.runs.size());
  std::int64_t id = 0, runs = 0;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT id,runs FROM instance WHERE kind=? AND name=?",
                             [&](const Row& row) {
                               id = row.integer(0);
                               runs = std::clamp(row.integer(1), std::int64_t{0}, most_runs);
                             },
                             s.id.kind, s.id.name));
  runs += count;
  if (id == 0) {
    RONDA_TRY(std::ignore,
              db.run("INSERT INTO instance(kind,name,status,summary,detail,since,last_run,last_ok,failures,runs) "
                     "VALUES(?,?,?,?,?,?,?,?,?,?)",
                     s.id.kind, s.id.name, std::int64_t{s.status}, s.summary, s.detail, s.since, s.last_run, s.last_ok, s.failures, runs));
    RONDA_TRY(id, db.number("SELECT last_insert_rowid()", 0));
  } else {
    RONDA_TRY(std::ignore, db.run("UPDATE instance SET status=?,summary=?,detail=?,since=?,last_run=?,last_ok=?,failures=?,runs=? "
                                  "WHERE id=?",
                                  std::int64_t{s.status}, s.summary, s.detail, s.since, s.last_run, s.last_ok, s.failures, runs, id));
  }
  std::int64_t number = runs - count;
  for (const Run& r : observation.runs) {
    RONDA_TRY(std::ignore, db.run("REPLACE INTO run(instance,position,started,duration,status,summary) VALUES(?,?,?,?,?,?)", id,
                                  ++number % kept_runs, r.started, r.duration, std::int64_t{r.status}, r.summary));
  }
  return done();
}

Result<std::vector<InstanceState>> load_instances(Database& db) {
  std::vector<InstanceState> all;
  RONDA_TRY(std::ignore,
            db.each("SELECT kind,name,status,summary,detail,since,last_run,last_ok,failures FROM instance", [&](const Row& row) {
              all.push_back({{std::string(row.text(0)), std::string(row.text(1))},
                             static_cast<int>(row.integer(2)),
                             std::string(row.text(3)),
                             std::string(row.text(4)),
                             row.integer(5),
                             row.integer(6),
                             row.integer(7),
                             row.integer(8)});
            }));
  return all;
}

Result<std::vector<Run>> load_runs(Database& db, const InstanceId& id) {
  std::vector<Run> all;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT started,duration,run.status,run.summary FROM run JOIN instance ON instance.id=instance "
                             "WHERE kind=? AND name=? ORDER BY (runs-position+?) % ?",
                             [&](const Row& row) {
                               all.push_back({row.integer(0), row.integer(1), static_cast<int>(row.integer(2)), std::string(row.text(3))});
                             },
                             id.kind, id.name, std::int64_t{kept_runs}, std::int64_t{kept_runs}));
  return all;
}

Status drop_instance(Database& db, const InstanceId& id) {
  RONDA_TRY(std::ignore, db.run("DELETE FROM run WHERE instance=(SELECT id FROM instance WHERE kind=? AND name=?)", id.kind, id.name));
  RONDA_TRY(std::ignore, db.run("DELETE FROM instance WHERE kind=? AND name=?", id.kind, id.name));
  RONDA_TRY(std::ignore, db.run("DELETE FROM kv WHERE space IN (SELECT id FROM kv_space WHERE kind=? AND name=?)", id.kind, id.name));
  RONDA_TRY(std::ignore, db.run("DELETE FROM kv_space WHERE kind=? AND name=?", id.kind, id.name));
  RONDA_TRY(std::ignore, db.run("DELETE FROM inbox WHERE kind=? AND name=?", id.kind, id.name));
  return db.run("DELETE FROM quarantine WHERE subject=? || '/' || ?", id.kind, id.name);
}

}  // namespace ronda::store
