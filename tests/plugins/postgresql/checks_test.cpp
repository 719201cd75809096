// SPDX-License-Identifier: Apache-2.0
// Each check against situations that are really there, as a role with nothing but pg_monitor.
#include <csignal>

#include "catch.hpp"
#include "checks.hpp"
#include "server.hpp"

using namespace ronda::test;
using namespace std::chrono_literals;
using ronda::status;
using ronda::testing::host;
using ronda::testing::make;
using ronda::testing::report;

namespace {

template <class Check>
struct Bench {
  host side;
  ronda::testing::subject check;
  explicit Bench(const std::string& dsn, const std::vector<std::pair<std::string, ronda::testing::node>>& options = {})
      : check(make_check(side, dsn, options)) {}
  report run() {
    report done = check.run();
    CHECK(side.broken().empty());
    return done;
  }

 private:
  static ronda::testing::subject make_check(host& side, const std::string& dsn,
                                            const std::vector<std::pair<std::string, ronda::testing::node>>& options) {
    configure(side, Check::procedure, dsn);
    for (const auto& [key, value] : options) side.set(key, value);
    return make<Check>(side);
  }
};

double value(const report& r, const std::string& name, const ronda::testing::fields& labels = {}) {
  const auto* metric = r.find(name, labels);
  INFO(name);
  REQUIRE(metric != nullptr);
  return metric->value;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("connections counts clients by state against the slots left to them, without itself", "[postgresql][live]") {
  Postgres& server = shared_server();
  Bench<postgresql::Connections> connections(monitor_dsn(server));
  const report before = connections.run();
  INFO(before.summary);
  REQUIRE(before.is(status::ok));
  CHECK(value(before, "limit") == 27);  // 30 less 3 for superusers
  CHECK(value(before, "sessions") == 0);
  PostgresSession idle(server.dsn()), open(server.dsn("postgres", "shop"));
  idle.sql("SELECT 1");
  open.sql("BEGIN; SELECT 1");
  const report after = connections.run();
  CHECK(value(after, "sessions") == 2);
  CHECK(value(after, "used") == Approx(2.0 / 27));
  CHECK(value(after, "by_state", {{"state", "idle"}}) == 1);
  CHECK(value(after, "by_state", {{"state", "idle in transaction"}}) == 1);
  CHECK(contains(after.summary, "2 of 27 connections used (7.4%): 1 idle"));
}

TEST_CASE("connections warns of a transaction that stands open and idle", "[postgresql][live]") {
  Postgres& server = shared_server();
  Bench<postgresql::Connections> connections(monitor_dsn(server), {{"max_idle_in_transaction", 1ms}});
  REQUIRE(connections.run().is(status::ok));
  PostgresSession open(server.dsn("postgres", "shop"));
  open.sql("BEGIN; SELECT 1");
  report done;
  CHECK(eventually([&] { return (done = connections.run()).is(status::warning); }));
  CHECK(contains(done.summary, "a transaction has been idle for "));
  CHECK(value(done, "oldest_idle_in_transaction") > 0);
}

TEST_CASE("connections is graded by the share of slots", "[postgresql][live]") {
  Postgres& server = shared_server();
  PostgresSession one(server.dsn());
  CHECK(Bench<postgresql::Connections>(monitor_dsn(server), {{"warn_at", 0.01}}).run().is(status::warning));
  CHECK(Bench<postgresql::Connections>(monitor_dsn(server), {{"warn_at", 0.01}, {"crit_at", 0.02}}).run().is(status::critical));
}

TEST_CASE("a role without pg_monitor is told so, not shown an idle server", "[postgresql][live]") {
  Postgres& server = shared_server();
  PostgresSession other(server.dsn());
  const std::string plain = server.dsn("plain", "shop") + " password=plain-password";
  const report done = Bench<postgresql::Connections>(plain).run();
  INFO(done.summary);
  CHECK(done.is(status::unknown));
  CHECK(contains(done.summary, " sessions are doing is hidden from this role (run as a superuser: GRANT pg_monitor TO plain)"));
  const report replication = Bench<postgresql::Replication>(plain).run();
  CHECK(replication.is(status::unknown));
  CHECK(contains(replication.summary, "GRANT pg_monitor TO plain"));
}

TEST_CASE("locks names who waits, for how long, and who holds what they wait for", "[postgresql][live]") {
  Postgres& server = shared_server();
  server.sql("CREATE TABLE IF NOT EXISTS locked (id int)", "shop");
  Bench<postgresql::Locks> locks(monitor_dsn(server), {{"warn_at", 1ms}, {"crit_at", 1h}});
  const report quiet = locks.run();
  CHECK(quiet.is(status::ok));
  CHECK(quiet.summary == "no session waits for a lock");
  CHECK(value(quiet, "blocked") == 0);

  PostgresSession holder(server.dsn("postgres", "shop") + " application_name=holder"), waiter(server.dsn("postgres", "shop")),
      third(server.dsn("postgres", "shop"));
  holder.sql("BEGIN; LOCK TABLE locked");
  waiter.send("BEGIN; LOCK TABLE locked");
  report done;
  CHECK(eventually([&] { return value(done = locks.run(), "blocked") == 1; }));
  third.send("SELECT 's3cret' FROM locked");
  CHECK(eventually([&] { return value(done = locks.run(), "blocked") == 2; }));
  CHECK(eventually([&] { return (done = locks.run()).is(status::warning); }));
  const std::string pid = std::to_string(holder.backend_pid());
  CHECK(contains(done.summary, "2 sessions wait for a lock, the longest for "));
  CHECK(contains(done.summary, "; held by pid " + pid));
  CHECK(contains(done.detail, "for pid " + pid + " postgres (holder), idle in transaction, in a transaction for "));
  CHECK_FALSE(contains(done.detail, "s3cret"));
  CHECK(value(done, "longest_wait") > 0);
  CHECK(done.find("deadlocks")->counter);
}

TEST_CASE("locks names a prepared transaction as the holder", "[postgresql][live]") {
  Postgres& server = shared_server();
  server.sql("CREATE TABLE IF NOT EXISTS locked_for_two (id int)", "shop");
  server.sql("BEGIN; LOCK TABLE locked_for_two; PREPARE TRANSACTION 'two'", "shop");
  Bench<postgresql::Locks> locks(monitor_dsn(server), {{"warn_at", 1ms}, {"crit_at", 1h}});
  PostgresSession waiter(server.dsn("postgres", "shop"));
  waiter.send("SELECT * FROM locked_for_two");
  report done;
  CHECK(eventually([&] { return (done = locks.run()).is(status::warning); }));
  server.sql("ROLLBACK PREPARED 'two'", "shop");
  INFO(done.summary << "\n" << done.detail);
  CHECK(contains(done.summary, "; held by a prepared transaction (see pg_prepared_xacts"));
  CHECK(contains(done.detail, " for a prepared transaction: see pg_prepared_xacts"));
  CHECK_FALSE(contains(done.summary, "pid 0"));
}

TEST_CASE("indexes finds what is invalid, duplicate and unused, and nothing that enforces", "[postgresql][live]") {
  Postgres& server = shared_server();
  PostgresSession shop(server.dsn("postgres", "shop"));
  shop.sql("CREATE TABLE indexed (id int PRIMARY KEY, a int, b text, UNIQUE (b));"
           "INSERT INTO indexed SELECT i, i % 7, i::text FROM generate_series(1, 2000) i;"
           "CREATE INDEX twin_one ON indexed (a); CREATE INDEX twin_two ON indexed (a);"
           "CREATE INDEX part ON indexed (a) WHERE a > 3; CREATE INDEX again ON indexed (b);"
           "CREATE INDEX low_one ON indexed (lower(b)); CREATE INDEX low_two ON indexed (lower(b))");
  CHECK_THROWS(shop.sql("CREATE UNIQUE INDEX CONCURRENTLY broken ON indexed (a)"));
  Bench<postgresql::Indexes> indexes(monitor_dsn(server), {{"unused_larger_than", 1}, {"unused_for", 0s}});
  const report done = indexes.run();
  INFO(done.summary << "\n" << done.detail);
  CHECK(done.is(status::warning));
  CHECK(value(done, "invalid") == 1);
  CHECK(contains(done.detail, "invalid: public.broken on indexed"));
  CHECK(value(done, "duplicate") == 3);
  CHECK(contains(done.detail, "duplicate: public.twin_two is the same as twin_one"));
  CHECK(contains(done.detail, "duplicate: public.again is the same as indexed_b_key"));
  CHECK(contains(done.detail, "duplicate: public.low_two is the same as low_one"));
  CHECK(contains(done.detail, "unused: public.part on indexed"));
  CHECK_FALSE(contains(done.detail, "unused: public.indexed_pkey"));
  CHECK_FALSE(contains(done.detail, "unused: public.indexed_b_key"));
  CHECK(value(done, "unused_bytes") > 0);
  shop.sql("DROP INDEX broken");
  CHECK(indexes.run().is(status::ok));
}

TEST_CASE("unused indexes are not judged by young statistics", "[postgresql][live]") {
  Postgres& server = shared_server();
  PostgresSession shop(server.dsn("postgres", "shop"));
  shop.sql("CREATE TABLE young (a int); CREATE INDEX young_a ON young (a)");
  shop.sql("SELECT pg_stat_reset()");
  const report done = Bench<postgresql::Indexes>(monitor_dsn(server), {{"unused_larger_than", 0}}).run();
  CHECK(value(done, "unused") == 0);
  CHECK(contains(done.detail, "unused ones are not judged: the statistics began only "));
}

TEST_CASE("table_sizes measures tables with their partitions and passes over locked ones", "[postgresql][live]") {
  Postgres& server = shared_server();
  PostgresSession shop(server.dsn("postgres", "shop"));
  shop.sql("CREATE SCHEMA sizes; CREATE TABLE sizes.\"Odd name\" (t text); INSERT INTO sizes.\"Odd name\" VALUES ('x');"
           "CREATE TABLE sizes.parted (i int) PARTITION BY RANGE (i);"
           "CREATE TABLE sizes.parted_1 PARTITION OF sizes.parted FOR VALUES FROM (0) TO (10);"
           "CREATE TABLE sizes.parted_2 PARTITION OF sizes.parted FOR VALUES FROM (10) TO (20);"
           "INSERT INTO sizes.parted SELECT generate_series(0, 19)");
  Bench<postgresql::TableSizes> sizes(monitor_dsn(server), {{"schemas", ronda::testing::node::list{"sizes", "it's"}}});
  const report done = sizes.run();
  INFO(done.summary << "\n" << done.detail);
  REQUIRE(done.is(status::ok));
  CHECK(value(done, "table", {{"table", "sizes.Odd name"}}) == 16384);
  CHECK(value(done, "table", {{"table", "sizes.parted"}}) == 16384);
  CHECK(done.metrics.size() == 6);
  CHECK(value(done, "database") > 1e6);
  shop.sql("BEGIN; LOCK TABLE sizes.\"Odd name\"");
  const report locked = sizes.run();
  CHECK(locked.is(status::ok));
  CHECK(locked.find("table", {{"table", "sizes.Odd name"}}) == nullptr);
  CHECK(value(locked, "locked_tables") == 1);
  CHECK(contains(locked.summary, "; 1 tables are locked by others and not measured"));
}

TEST_CASE("an empty database has a size and no tables", "[postgresql][live]") {
  Postgres& server = shared_server();
  const report done = Bench<postgresql::TableSizes>(monitor_dsn(server, "postgres")).run();
  CHECK(done.is(status::ok));
  CHECK(done.detail.empty());
  CHECK(value(done, "database") > 1e6);
}

TEST_CASE("wraparound measures every database", "[postgresql][live]") {
  Postgres& server = shared_server();
  const report done = Bench<postgresql::Wraparound>(monitor_dsn(server)).run();
  INFO(done.summary);
  CHECK(done.is(status::ok));
  CHECK(value(done, "used") < 0.01);
  CHECK(done.find("database_used", {{"database", "shop"}}) != nullptr);
  CHECK(done.find("database_used", {{"database", "template0"}}) != nullptr);
  const report tight = Bench<postgresql::Wraparound>(monitor_dsn(server), {{"warn_at", 0.0}, {"crit_at", 0.0}}).run();
  CHECK(tight.is(status::critical));
  CHECK(contains(tight.detail, "VACUUM (FREEZE)"));
}

TEST_CASE("replication judges the WAL that slots keep", "[postgresql][live]") {
  Postgres& server = shared_server();
  Bench<postgresql::Replication> lenient(monitor_dsn(server)),
      strict(monitor_dsn(server), {{"slot_warn_bytes", 1}, {"slot_crit_bytes", 1 << 30}});
  CHECK(lenient.run().summary == "no standbys, no replication slots");
  server.sql("SELECT pg_create_physical_replication_slot('forgotten', true)");
  server.sql("CREATE TABLE wal AS SELECT generate_series(1, 1000)", "shop");
  const report done = strict.run();
  INFO(done.summary);
  CHECK(done.is(status::warning));
  CHECK(contains(done.summary, "slot forgotten (not in use, WAL reserved) retains "));
  CHECK(value(done, "slot_retained", {{"slot", "forgotten"}, {"active", "false"}}) > 1000);
  CHECK(value(done, "is_standby") == 0);
  CHECK(lenient.run().is(status::ok));
  server.sql("SELECT pg_drop_replication_slot('forgotten')");
  const report missing = Bench<postgresql::Replication>(monitor_dsn(server), {{"expect_standbys", 1}}).run();
  CHECK(missing.is(status::critical));
  CHECK(missing.summary == "0 of 1 expected standbys are streaming");
}

TEST_CASE("replication warns while archiving fails", "[postgresql][live]") {
  Postgres server({"archive_mode = on", "archive_command = '/bin/false'"});
  server.sql("CREATE ROLE monitor LOGIN PASSWORD 'pa''ss w@rd/%41'; GRANT pg_monitor TO monitor");
  Bench<postgresql::Replication> replication(monitor_dsn(server, "postgres"));
  server.sql("SELECT pg_switch_wal() FROM pg_create_restore_point('x')");
  report done;
  CHECK(eventually([&] { return (done = replication.run()).is(status::warning); }));
  CHECK(contains(done.summary, "archiving fails: the last try of 0000000"));
  CHECK(value(done, "archive_failures") >= 1);
}

TEST_CASE("replication sees a standby from both ends", "[postgresql][live]") {
  Postgres& primary = shared_server();
  Standby standby(primary);
  Bench<postgresql::Replication> at_primary(monitor_dsn(primary), {{"expect_standbys", 1}}), at_standby(standby.dsn_of_monitor());
  report done;
  CHECK(eventually([&] { return (done = at_primary.run()).is(status::ok); }));
  INFO(done.summary);
  CHECK(value(done, "standbys") == 1);
  CHECK(contains(done.summary, "standby second (streaming, async) is "));
  CHECK(value(done, "lag_bytes", {{"standby", "second"}, {"address", "local"}}) >= 0);

  CHECK(eventually([&] { return (done = at_standby.run()).is(status::ok); }));
  CHECK(value(done, "is_standby") == 1);
  CHECK(contains(done.summary, "this standby of "));

  // Replay is held while the primary goes on: the delay shows in bytes, and is graded.
  standby.server().sql("SELECT pg_wal_replay_pause()");
  primary.sql("CREATE TABLE ahead AS SELECT generate_series(1, 100) AS i", "shop");
  Bench<postgresql::Replication> strict(standby.dsn_of_monitor(), {{"warn_bytes", 1}, {"crit_bytes", 1 << 30}});
  CHECK(eventually([&] { return (done = strict.run()).is(status::warning); }));
  CHECK(value(done, "replay_lag_bytes") > 0);
  standby.server().sql("SELECT pg_wal_replay_resume()");

  // The checks that write nothing work on a standby too.
  CHECK(Bench<postgresql::Connections>(standby.dsn_of_monitor()).run().is(status::ok));
  CHECK(Bench<postgresql::Locks>(standby.dsn_of_monitor()).run().is(status::ok));
}
