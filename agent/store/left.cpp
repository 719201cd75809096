// SPDX-License-Identifier: Apache-2.0
// Instances that are in the store and not in the configuration any more: kept for a while, so that a name that was
// mistyped or a file that was moved costs nothing, and then dropped with all that is theirs.
#include <algorithm>
#include <tuple>

#include "store/tables.hpp"

namespace ronda::store {
namespace {

constexpr std::int64_t left_kept = std::int64_t{30} * 86'400'000'000'000;

Result<std::vector<InstanceId>> ids(Database& db, const char* sql) {
  std::vector<InstanceId> all;
  RONDA_TRY(std::ignore, db.each(sql, [&](const Row& row) { all.push_back({std::string(row.text(0)), std::string(row.text(1))}); }));
  return all;
}

}  // namespace

Status mark_configured(Database& db, std::span<const InstanceId> configured, std::int64_t now) {
  std::vector<InstanceId> sorted(configured.begin(), configured.end());
  std::ranges::sort(sorted);
  RONDA_TRY(const auto known,
            ids(db, "SELECT kind,name FROM instance UNION SELECT kind,name FROM kv_space UNION SELECT kind,name FROM inbox"));
  for (const InstanceId& id : known) {
    if (std::ranges::binary_search(sorted, id)) continue;
    RONDA_TRY(std::ignore,
              db.run("INSERT INTO left_instance(kind,name,since) VALUES(?,?,?) ON CONFLICT DO NOTHING", id.kind, id.name, now));
  }
  RONDA_TRY(const auto left, ids(db, "SELECT kind,name FROM left_instance"));
  for (const InstanceId& id : left) {
    if (!std::ranges::binary_search(sorted, id)) continue;
    RONDA_TRY(std::ignore, db.run("DELETE FROM left_instance WHERE kind=? AND name=?", id.kind, id.name));
  }
  // a name that comes back has no slots that it missed meanwhile
  RONDA_TRY(const auto calendars, ids(db, "SELECT kind,name FROM calendar"));
  for (const InstanceId& id : calendars) {
    if (std::ranges::binary_search(sorted, id)) continue;
    RONDA_TRY(std::ignore, db.run("DELETE FROM calendar WHERE kind=? AND name=?", id.kind, id.name));
  }
  return done();
}

Status drop_left(Database& db, std::int64_t now, std::int64_t instances, std::int64_t* gone) {
  std::vector<InstanceId> due;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT kind,name FROM left_instance WHERE since<? LIMIT ?",
                             [&](const Row& row) {
                               due.push_back({std::string(row.text(0)), std::string(row.text(1))});
                             },
                             now - left_kept, instances));
  for (const InstanceId& id : due) {
    RONDA_TRY(std::ignore, drop_instance(db, id));
    RONDA_TRY(std::ignore, db.run("DELETE FROM left_instance WHERE kind=? AND name=?", id.kind, id.name));
    *gone += db.changes();  // none of a name that is a blob: it must not seem to be progress
  }
  return done();
}

}  // namespace ronda::store
