// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "store/tables.hpp"

namespace ronda::store {
namespace {

constexpr std::int64_t day = 86'400'000'000'000;

struct Rule {
  const char* sql;  // takes the time before which rows go, and the number of rows
  std::int64_t keep;
};
// Journal and missed ranges grow in order of time, so only their oldest rows are looked at.
constexpr std::array<Rule, 5> rules = {{
    {"DELETE FROM journal WHERE wall<?1 AND seq IN (SELECT seq FROM journal ORDER BY seq LIMIT ?2)", 400 * day},
    {"DELETE FROM missed WHERE recorded<?1 AND id IN (SELECT id FROM missed ORDER BY id LIMIT ?2)", 400 * day},
    {"DELETE FROM run WHERE instance IN (SELECT id FROM instance WHERE last_run<?1 LIMIT ?2/20)", 400 * day},
    {"DELETE FROM instance WHERE id IN (SELECT id FROM instance i WHERE last_run<?1 AND NOT EXISTS "
     "(SELECT 1 FROM run WHERE instance=i.id) LIMIT ?2)",
     400 * day},
    // one that holds is written anew at each attempt: this one's instance or plugin is not there any more
    {"DELETE FROM quarantine WHERE probe_at<?1 AND subject IN (SELECT subject FROM quarantine LIMIT ?2)", 30 * day},
}};

Status forget_kv(Database& db, std::int64_t now, std::int64_t rows, std::int64_t* gone) {
  std::map<std::int64_t, std::int64_t> freed;  // bytes by space
  RONDA_TRY(std::ignore,
            db.each("DELETE FROM kv WHERE (space,key) IN (SELECT space,key FROM kv WHERE expires>0 AND expires<=? "
                    "LIMIT ?) RETURNING space, length(key)+length(value)",
                    [&](const Row& row) {
                      freed[row.integer(0)] += row.integer(1);
                      ++*gone;
                    },
                    now, rows));
  for (const auto& [space, bytes] : freed) {
    RONDA_TRY(std::ignore, db.run("UPDATE kv_space SET used=used-? WHERE id=?", bytes, space));
  }
  return done();
}

}  // namespace

Result<Meta> load_meta(Database& db) {
  Meta meta;
  RONDA_TRY(std::ignore, db.each("SELECT name,value FROM meta", [&](const Row& row) {
              if (row.text(0) == "host") meta.host = row.text(1);
              if (row.text(0) == "store") meta.store = row.text(1);
              if (row.text(0) == "generation") meta.generation = row.integer(1);
              if (row.text(0) == "clean") meta.clean = row.integer(1) != 0;
            }));
  return meta;
}

Status save_meta(Database& db, const Meta& meta) {
  const char* sql = "REPLACE INTO meta(name,value) VALUES(?,?)";
  RONDA_TRY(std::ignore, db.run(sql, "host", meta.host));
  RONDA_TRY(std::ignore, db.run(sql, "store", meta.store));
  RONDA_TRY(std::ignore, db.run(sql, "generation", meta.generation));
  return db.run(sql, "clean", std::int64_t{meta.clean});
}

Result<std::int64_t> retention_step(Database& db, std::int64_t now, std::int64_t rows) {
  std::int64_t gone = 0;
  for (const Rule& rule : rules) {
    RONDA_TRY(std::ignore, db.run(rule.sql, now - rule.keep, rows));
    gone += db.changes();
  }
  RONDA_TRY(std::ignore, forget_slots(db, now, rows, &gone));
  RONDA_TRY(std::ignore, forget_kv(db, now, rows, &gone));
  RONDA_TRY(std::ignore, forget_delivered(db, now, rows, &gone));
  RONDA_TRY(std::ignore, drop_left(db, now, std::max<std::int64_t>(rows / 20, 1), &gone));
  return gone;
}

Result<std::int64_t> shed_step(Database& db, std::int64_t rows) {
  RONDA_TRY(std::ignore, db.run("DELETE FROM run WHERE (instance,position) IN "
                                "(SELECT instance,position FROM run LIMIT ?)",
                                rows));
  if (db.changes() > 0) return db.changes();
  // then single points, the oldest first; what they came to stays
  RONDA_TRY(std::ignore, db.run("DELETE FROM raw WHERE (bucket,series) IN (SELECT bucket,series FROM raw LIMIT ?)", rows));
  return db.changes();
}

}  // namespace ronda::store
