// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "store/tables.hpp"

namespace ronda::store {
namespace {

Error over_limit(const KvSpace& space, const std::string& what) {
  return {Errc::range, "state of " + space.id.kind + " '" + space.id.name + "': " + what};
}

Status check_sizes(const KvSpace& space, const KvWrite& write) {
  if (write.key.empty() || write.key.size() > kv_key_max)
    return over_limit(space, "a key has 1 to 256 bytes, this one " + std::to_string(write.key.size()));
  if (write.value && write.value->size() > kv_value_max)
    return over_limit(space, "a value has at most 65536 bytes, this one " + std::to_string(write.value->size()));
  return done();
}

/// The row of the namespace, made if it is new.
Status open_space(Database& db, const KvSpace& space, std::int64_t* id, std::int64_t* used) {
  RONDA_TRY(std::ignore, db.run("INSERT INTO kv_space(kind,name,plugin,state_version,used) VALUES(?,?,?,0,0) "
                                "ON CONFLICT DO NOTHING",
                                space.id.kind, space.id.name, space.plugin));
  return db.each("SELECT id,used FROM kv_space WHERE kind=? AND name=? AND plugin=?",
                 [&](const Row& row) {
                   *id = row.integer(0);
                   *used = std::clamp<std::int64_t>(row.integer(1), 0, kv_space_max);
                 },
                 space.id.kind, space.id.name, space.plugin);
}

Status drop_expired(Database& db, std::int64_t space, std::int64_t now, std::int64_t* used) {
  return db.each("DELETE FROM kv WHERE space=? AND expires>0 AND expires<=? RETURNING length(key)+length(value)",
                 [&](const Row& row) { *used -= row.integer(0); }, space, now);
}

Status write_one(Database& db, std::int64_t space, const KvWrite& write, std::int64_t* used) {
  RONDA_TRY(const auto old, db.number("SELECT length(key)+length(value) FROM kv WHERE space=? AND key=?", 0, space,
                                      Blob{write.key}));
  *used -= old;
  if (!write.value) return db.run("DELETE FROM kv WHERE space=? AND key=?", space, Blob{write.key});
  *used += static_cast<std::int64_t>(write.key.size() + write.value->size());
  return db.run("REPLACE INTO kv(space,key,value,expires) VALUES(?,?,?,?)", space, Blob{write.key},
                Blob{*write.value}, write.expires);
}

}  // namespace

Result<KvContent> load_kv(Database& db, const KvSpace& space, std::int64_t now) {
  KvContent content;
  std::int64_t id = -1;
  RONDA_TRY(std::ignore, db.each("SELECT id,state_version FROM kv_space WHERE kind=? AND name=? AND plugin=?",
                                 [&](const Row& row) {
                                   id = row.integer(0);
                                   content.state_version = static_cast<std::uint32_t>(row.integer(1));
                                 },
                                 space.id.kind, space.id.name, space.plugin));
  RONDA_TRY(std::ignore,
            db.each("SELECT key,value,expires FROM kv WHERE space=? AND (expires=0 OR expires>?) ORDER BY key",
                    [&](const Row& row) {
                      content.entries.push_back(
                          {std::string(row.text(0)), std::string(row.text(1)), row.integer(2)});
                    },
                    id, now));
  return content;
}

Result<std::vector<KvVersion>> load_kv_versions(Database& db) {
  std::vector<KvVersion> all;
  RONDA_TRY(std::ignore, db.each("SELECT kind,name,plugin,state_version FROM kv_space WHERE state_version>0", [&](const Row& row) {
              all.push_back({{{std::string(row.text(0)), std::string(row.text(1))}, std::string(row.text(2))},
                             static_cast<std::uint32_t>(row.integer(3))});
            }));
  return all;
}

Status write_kv(Database& db, const KvSpace& space, std::uint32_t state_version, std::span<const KvWrite> writes,
                std::int64_t now) {
  std::int64_t id = 0, used = 0;
  RONDA_TRY(std::ignore, open_space(db, space, &id, &used));
  RONDA_TRY(std::ignore, drop_expired(db, id, now, &used));
  for (const KvWrite& write : writes) {
    RONDA_TRY(std::ignore, check_sizes(space, write));
    RONDA_TRY(std::ignore, write_one(db, id, write, &used));
  }
  if (used > static_cast<std::int64_t>(kv_space_max))
    return over_limit(space, "at most 1 MiB an instance, this would be " + std::to_string(used) + " bytes");
  return db.run("UPDATE kv_space SET used=?, state_version=? WHERE id=?", used, std::int64_t{state_version}, id);
}

}  // namespace ronda::store
