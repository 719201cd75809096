// SPDX-License-Identifier: Apache-2.0
#include "sql.hpp"

#include <iterator>

namespace postgresql {
namespace {

using enum Statement;

// Sessions of other roles show neither backend_type nor state to a role without pg_monitor: they are counted
// as hidden, so that the check can say so instead of reporting an idle server.
constexpr std::string_view sessions =
    "SELECT m.max_connections, m.reserved, s.state, s.sessions, s.oldest"
    " FROM (SELECT current_setting('max_connections')::int AS max_connections, {1} AS reserved) AS m"
    " LEFT JOIN (SELECT CASE WHEN a.backend_type IS NULL THEN 'hidden'"
    "                        ELSE coalesce(a.state, 'unknown') END AS state,"
    "                   count(*) AS sessions,"
    "                   coalesce(extract(epoch FROM max(clock_timestamp() - a.state_change)), 0) AS oldest"
    "            FROM pg_stat_activity AS a"
    "            WHERE a.pid <> pg_backend_pid()"
    "              AND (a.backend_type = 'client backend' OR a.backend_type IS NULL)"
    "            GROUP BY 1) AS s ON true";

// The counters come from the function without the texts: those would be read from a file of many megabytes.
// Statements of other roles have no queryid for a role without pg_monitor: they are counted as hidden.
constexpr std::string_view counters =
    "SELECT s.userid, s.dbid, s.queryid, sum(s.calls) AS calls,"
    "       round(sum(s.{1}) * 1000)::bigint AS microseconds, sum(s.rows) AS row_count, {2} AS epoch,"
    "       count(*) OVER () AS entries, sum(sum(CASE WHEN s.queryid IS NULL THEN 1 ELSE 0 END)) OVER () AS hidden"
    " FROM {schema}.pg_stat_statements(false) AS s{3}"
    " WHERE ({all} OR s.dbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))"
    " GROUP BY s.userid, s.dbid, s.queryid"
    " ORDER BY 5 DESC LIMIT {limit}";

// Before 14 there is no waitstart: the moment the session last changed its state is the closest, and not later.
constexpr std::string_view waits =
    "SELECT d.deadlocks, w.pid, w.usename, w.datname, w.application_name, w.waited,"
    "       u.pid AS blocker, b.usename AS blocker_user, b.application_name AS blocker_name,"
    "       b.state AS blocker_state,"
    "       coalesce(extract(epoch FROM clock_timestamp() - b.xact_start), 0) AS blocker_age"
    " FROM (SELECT sum(s.deadlocks) AS deadlocks FROM pg_stat_database AS s) AS d"
    " LEFT JOIN (SELECT a.pid, a.usename, a.datname, a.application_name,"
    "                   coalesce(extract(epoch FROM clock_timestamp() - min({1})), 0) AS waited"
    "            FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid"
    "            WHERE NOT l.granted"
    "            GROUP BY a.pid, a.usename, a.datname, a.application_name) AS w ON true"
    " LEFT JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS u(pid) ON true"
    " LEFT JOIN pg_stat_activity AS b ON b.pid = u.pid"
    " ORDER BY w.waited DESC NULLS LAST LIMIT 200";

constexpr std::string_view slots =
    "SELECT s.slot_name, s.slot_type, s.active, s.wal_status,"
    "       coalesce(pg_wal_lsn_diff(p.lsn, s.restart_lsn), 0)::bigint AS retained, {1} AS invalidation"
    " FROM pg_replication_slots AS s CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery()"
    "   THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
    "   ELSE pg_current_wal_lsn() END AS lsn) AS p"
    " WHERE NOT s.temporary ORDER BY 5 DESC";

// A table that somebody has locked exclusively is left out, with its indexes: its size would wait for the lock.
// Partitions count for the table that they belong to.
constexpr std::string_view sizes =
    "WITH locked AS (SELECT l.relation AS oid FROM pg_locks AS l"
    "                WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND l.relation IS NOT NULL"
    "                  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())),"
    " tables AS (SELECT coalesce(pg_partition_root(c.oid)::oid, c.oid) AS root,"
    "                   pg_total_relation_size(c.oid) AS total, pg_indexes_size(c.oid) AS indexes"
    "            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    "            WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'"
    "              AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    "              AND ({any_schema} OR n.nspname IN ({schemas}))"
    "              AND NOT EXISTS (SELECT 1 FROM locked AS k WHERE k.oid = c.oid OR k.oid IN"
    "                (SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = c.oid)))"
    " SELECT (SELECT pg_database_size(d.oid) FROM pg_database AS d WHERE d.datname = current_database()) AS database,"
    "        (SELECT count(*) FROM locked AS q JOIN pg_class AS e ON e.oid = q.oid"
    "          WHERE e.relkind IN ('r', 'm')) AS locked_tables,"
    "        g.nspname, o.relname, sum(t.total)::bigint AS total, sum(t.indexes)::bigint AS indexes"
    " FROM (SELECT 1) AS one LEFT JOIN tables AS t ON true"
    " LEFT JOIN pg_class AS o ON o.oid = t.root LEFT JOIN pg_namespace AS g ON g.oid = o.relnamespace"
    " GROUP BY g.nspname, o.relname ORDER BY 5 DESC NULLS LAST LIMIT {limit}";

constexpr std::string_view activity =
    "SELECT t.relid, t.schemaname, t.relname, t.n_tup_ins, t.n_tup_upd, t.n_tup_del, t.n_live_tup, t.n_dead_tup,"
    "       coalesce(extract(epoch FROM clock_timestamp() - greatest(t.last_vacuum, t.last_autovacuum)), -1) AS vacuumed,"
    "       coalesce(d.stats_reset::text, '') AS epoch"
    " FROM pg_stat_user_tables AS t CROSS JOIN pg_stat_database AS d"
    " WHERE d.datname = current_database() AND ({any_schema} OR t.schemaname IN ({schemas}))"
    " ORDER BY t.n_tup_ins + t.n_tup_upd + t.n_tup_del DESC LIMIT {limit}";

// One that is being built right now is not broken.
constexpr std::string_view invalid =
    "SELECT n.nspname, c.relname, t.relname AS table_name, pg_relation_size(c.oid) AS bytes"
    " FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid"
    " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE (NOT i.indisvalid OR NOT i.indisready)"
    "   AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)"
    " ORDER BY 1, 2 LIMIT 200";

// Same table, columns, order, operators, expressions and condition. A unique one is never the superfluous one of
// a pair with one that is not.
constexpr std::string_view duplicate =
    "SELECT n.nspname, c.relname, k.relname AS kept, pg_relation_size(c.oid) AS bytes"
    " FROM pg_index AS i JOIN pg_index AS j ON j.indrelid = i.indrelid AND j.indexrelid <> i.indexrelid"
    "   AND j.indkey::text = i.indkey::text AND j.indclass::text = i.indclass::text AND j.indcollation::text = i.indcollation::text"
    "   AND j.indoption::text = i.indoption::text AND coalesce(pg_get_expr(j.indexprs, j.indrelid), '') = coalesce(pg_get_expr(i.indexprs, i.indrelid), '')"
    "   AND coalesce(pg_get_expr(j.indpred, j.indrelid), '') = coalesce(pg_get_expr(i.indpred, i.indrelid), '') AND j.indnkeyatts = i.indnkeyatts"
    " JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS k ON k.oid = j.indexrelid"
    "   AND k.relam = c.relam JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE i.indisvalid AND j.indisvalid AND n.nspname NOT IN ('pg_catalog', 'pg_toast')"
    "   AND NOT EXISTS (SELECT 1 FROM pg_constraint AS x WHERE x.conindid = i.indexrelid) AND NOT i.indisreplident"
    "   AND (NOT i.indisunique OR j.indisunique)"
    "   AND (j.indisunique <> i.indisunique OR j.indexrelid < i.indexrelid"
    "        OR EXISTS (SELECT 1 FROM pg_constraint AS y WHERE y.conindid = j.indexrelid))"
    " ORDER BY 4 DESC LIMIT 200";

// No scan since the statistics began. What enforces something is not unused, and neither is a partitioned one.
constexpr std::string_view unused =
    "SELECT s.schemaname, s.indexrelname, s.relname, pg_relation_size(s.indexrelid) AS bytes,"
    "       coalesce(extract(epoch FROM clock_timestamp() - d.stats_reset), -1) AS watched"
    " FROM pg_stat_user_indexes AS s JOIN pg_index AS i ON i.indexrelid = s.indexrelid"
    " CROSS JOIN pg_stat_database AS d"
    " WHERE d.datname = current_database() AND s.idx_scan = 0 AND i.indisvalid AND NOT i.indisunique"
    "   AND NOT i.indisprimary AND NOT i.indisexclusion AND NOT i.indisreplident AND NOT i.indisclustered"
    "   AND NOT EXISTS (SELECT 1 FROM pg_constraint AS x WHERE x.conindid = i.indexrelid)"
    "   AND pg_relation_size(s.indexrelid) >= {bytes}"
    " ORDER BY 4 DESC LIMIT 200";

constexpr std::string_view cache =
    "SELECT d.datid, d.blks_hit, d.blks_read, coalesce(d.stats_reset::text, '') AS epoch"
    " FROM pg_stat_database AS d WHERE d.datname = current_database()";

constexpr std::string_view standbys =
    "SELECT coalesce(r.application_name, '') AS name, coalesce(host(r.client_addr), 'local') AS address, r.state,"
    "       r.sync_state, pg_wal_lsn_diff(p.lsn, r.replay_lsn)::bigint AS bytes,"
    "       coalesce(extract(epoch FROM r.replay_lag), 0) AS seconds"
    " FROM pg_stat_replication AS r CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery()"
    "   THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
    "   ELSE pg_current_wal_lsn() END AS lsn) AS p"
    " ORDER BY 1, 2";

// Time since the last replayed commit says nothing on a primary without writes: without a byte to replay the
// delay is none.
constexpr std::string_view receiver =
    "SELECT pg_is_in_recovery() AS standby, coalesce(w.status, '') AS status,"
    "       coalesce(w.sender_host, '') AS sender,"
    "       coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::bigint AS bytes,"
    "       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0"
    "            ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) END AS seconds,"
    "       coalesce(extract(epoch FROM clock_timestamp() - w.last_msg_receipt_time), 0) AS silent,"
    "       current_setting('primary_conninfo') <> '' AS streaming_configured"
    " FROM (SELECT 1) AS one LEFT JOIN pg_stat_wal_receiver AS w ON true";

constexpr std::string_view archiver =
    "SELECT current_setting('archive_mode') AS archive_mode, a.archived_count, a.failed_count,"
    "       coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) AS failing,"
    "       coalesce(a.last_failed_wal, '') AS file,"
    "       coalesce(extract(epoch FROM clock_timestamp() - a.last_archived_time), -1) AS since_archived"
    " FROM pg_stat_archiver AS a";

constexpr std::string_view ages =
    "SELECT d.datname, age(d.datfrozenxid)::bigint AS xid_age, mxid_age(d.datminmxid)::bigint AS mxid_age,"
    "       current_setting('autovacuum_freeze_max_age')::bigint AS freeze_max_age"
    " FROM pg_database AS d ORDER BY greatest(age(d.datfrozenxid), mxid_age(d.datminmxid)) DESC";

constexpr std::string_view extension =
    "SELECT quote_ident(n.nspname) AS schema, e.extversion FROM pg_extension AS e"
    " JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";

constexpr std::string_view statistics_began =
    " CROSS JOIN (SELECT coalesce(min(i.stats_reset)::text, '') AS epoch"
    "             FROM {schema}.pg_stat_statements_info AS i) AS r";

// Also all that are our own, by role and mark: others may write the mark, but not as our role.
constexpr std::string_view texts =
    "SELECT s.userid, s.queryid, max(left(s.query, 2000)) AS query,"
    "       max(CASE WHEN s.userid = a.usesysid AND s.query LIKE '%/* ronda */%' THEN 1 ELSE 0 END) AS own"
    " FROM {schema}.pg_stat_statements AS s CROSS JOIN pg_stat_activity AS a"
    " WHERE a.pid = pg_backend_pid()"
    "   AND (s.queryid IN ({ids}) OR s.userid = a.usesysid AND s.query LIKE '%/* ronda */%')"
    " GROUP BY s.userid, s.queryid";

constexpr Row rows[] = {
    {ping, 13, "SELECT 1", {}},
    {connections, 13, sessions, {"current_setting('superuser_reserved_connections')::int"}},
    {connections, 16, sessions,
     {"current_setting('superuser_reserved_connections')::int + current_setting('reserved_connections')::int"}},
    {statements_extension, 13, extension, {}},
    {statements_counters, 104, counters, {"total_time", "''", ""}},
    {statements_counters, 108, counters, {"total_exec_time", "''", ""}},
    {statements_counters, 109, counters, {"total_exec_time", "min(r.epoch)", statistics_began}},
    {statements_texts, 104, texts, {}},
    {table_sizes, 13, sizes, {}},
    {table_activity, 13, activity, {}},
    {indexes_invalid, 13, invalid, {}},
    {indexes_duplicate, 13, duplicate, {}},
    {indexes_unused, 13, unused, {}},
    {cache_hit, 13, cache, {}},
    {locks, 13, waits, {"a.state_change"}},
    {locks, 14, waits, {"coalesce(l.waitstart, a.state_change)"}},
    {replication_standbys, 13, standbys, {}},
    {replication_slots, 13, slots, {"''"}},
    {replication_slots, 17, slots, {"coalesce(s.invalidation_reason, '')"}},
    {replication_receiver, 13, receiver, {}},
    {replication_archiver, 13, archiver, {}},
    {wraparound, 13, ages, {}},
};

}  // namespace

Catalogue catalogue() { return {std::begin(rows), std::end(rows)}; }

std::string sql_for(Statement statement, int version) {
  const Row* found = nullptr;
  for (const Row& row : rows)
    if (row.statement == statement && row.since <= version) found = &row;
  return found == nullptr ? std::string() : text_of(*found);
}

std::string text_of(const Row& row) {
  std::string text(row.text);
  for (std::size_t i = 0; i < std::size(row.parts); ++i) text = substitute(text, std::to_string(i + 1), row.parts[i]);
  return text;
}

std::string substitute(std::string_view text, std::string_view name, std::string_view value) {
  std::string out(text);
  const std::string mark = '{' + std::string(name) + '}';
  for (std::size_t at = 0; (at = out.find(mark, at)) != std::string::npos; at += value.size())
    out.replace(at, mark.size(), value);
  return out;
}

}  // namespace postgresql
