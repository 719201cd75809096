// SPDX-License-Identifier: Apache-2.0
// The checks that compare with their last run, over resets, crashes and missing extensions.
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

double value_or_none(const report& r, const std::string& name, const ronda::testing::fields& labels = {}) {
  const auto* metric = r.find(name, labels);
  return metric == nullptr ? -1 : metric->value;
}

constexpr const char* first = "first sample taken: there is something to compare with from the next run on";
constexpr const char* began_anew = "the server's statistics began anew since the last run: compared from the next run on";

/// A session shows its counters to others at once only when asked to.
void work(const std::string& text) {
  PostgresSession session(shared_server().dsn("postgres", "shop"));
  session.sql(text);
  session.sql("SELECT pg_stat_force_next_flush()");
}

}  // namespace

TEST_CASE("table_activity counts what happened since its last run", "[postgresql][live]") {
  work("DROP TABLE IF EXISTS busy; CREATE TABLE busy (i int); INSERT INTO busy SELECT generate_series(1, 50)");
  host side;
  configure(side, "postgresql.table_activity", monitor_dsn(shared_server()));
  auto check = make<postgresql::TableActivity>(side);
  REQUIRE(check.run().summary == first);
  work("INSERT INTO busy SELECT generate_series(1, 10)");
  work("UPDATE busy SET i = 0 WHERE i <= 3");
  work("DELETE FROM busy WHERE i = 50");
  side.advance(2h);
  const report done = check.run();
  INFO(done.summary << "\n" << done.detail);
  CHECK(done.is(status::ok));
  CHECK(value_or_none(done, "table_inserted", {{"table", "public.busy"}}) == 10);
  CHECK(value_or_none(done, "table_updated", {{"table", "public.busy"}}) == 6);
  CHECK(value_or_none(done, "table_deleted", {{"table", "public.busy"}}) == 1);
  CHECK(done.summary == "10 rows inserted, 6 updated, 1 deleted in 2h");

  SECTION("a reset of the statistics is no activity") {
    shared_server().sql("SELECT pg_stat_reset()", "shop");
    side.advance(1h);
    CHECK(check.run().summary == began_anew);
    work("INSERT INTO busy VALUES (1)");
    side.advance(1h);
    CHECK(check.run().summary == "1 rows inserted, 0 updated, 0 deleted in 1h");
  }
  SECTION("a crash of the server is no activity") {
    shared_server().stop(SIGQUIT);
    shared_server().start();
    side.advance(1h);
    const report after = check.run();
    CHECK(after.is(status::ok));
    CHECK(value_or_none(after, "inserted") <= 0);
  }
  SECTION("the sample outlives the instance") {
    host other;
    configure(other, "postgresql.table_activity", monitor_dsn(shared_server()));
    for (const auto& [key, text] : side.kept()) other.keep(key, text);
    other.set_wall(side.wall() + 1h);
    auto again = make<postgresql::TableActivity>(other);
    CHECK(again.run().summary == "0 rows inserted, 0 updated, 0 deleted in 1h");
  }
}

TEST_CASE("slow_statements ranks what ran since its last run, without literals", "[postgresql][live]") {
  host side;
  configure(side, "postgresql.slow_statements", monitor_dsn(shared_server()));
  side.set("slow_above", 20ms).set("top", 5);
  work("SELECT pg_sleep(0.2), 'history'");
  auto check = make<postgresql::SlowStatements>(side);
  const report before = check.run();
  REQUIRE(before.summary == first);
  work("SELECT pg_sleep(0.03), 's3cret', i FROM generate_series(1, 2) AS i");
  side.advance(10min);
  const report done = check.run();
  INFO(done.summary << "\n" << done.detail);
  CHECK(done.is(status::ok));
  CHECK(value_or_none(done, "slow") == 1);
  CHECK(value_or_none(done, "slowest_mean") >= 0.06);
  CHECK(value_or_none(done, "slowest_mean") < 0.2);
  CHECK(done.summary.find("1 of ") == 0);
  CHECK(done.summary.find("statements took more than 20ms on average in 10m") != std::string::npos);
  CHECK(done.detail.find("1 calls") != std::string::npos);
  CHECK(done.detail.find("SELECT pg_sleep($1), $2, i FROM generate_series($3, $4) AS i") != std::string::npos);
  CHECK(done.detail.find("s3cret") == std::string::npos);
  CHECK(done.detail.find("$1), $2 [") == std::string::npos);  // last year's statement is not on top
  CHECK(side.broken().empty());

  shared_server().sql("SELECT ext.pg_stat_statements_reset()", "shop");
  side.advance(10min);
  CHECK(check.run().summary == began_anew);
}

TEST_CASE("slow_statements leaves out what this plugin runs itself, and nothing that others mark like it", "[postgresql][live]") {
  Postgres& server = shared_server();
  host side, asking;
  configure(side, "postgresql.slow_statements", monitor_dsn(server));
  side.set("slow_above", 1ms).set("top", 100);
  configure(asking, "postgresql.query", monitor_dsn(server));
  asking.set("sql", "SELECT pg_sleep(0.05)::text AS slept, 1 AS one");
  auto check = make<postgresql::SlowStatements>(side);
  auto query = make<postgresql::Query>(asking);
  check.run();
  for (int run = 0; run < 2; ++run) CHECK(query.run().is(status::ok));
  PostgresSession(monitor_dsn(server)).sql("SELECT pg_sleep(0.06), 'by hand', 1");
  work("SELECT /* ronda */ pg_sleep(0.04), 'of another role'");
  for (int run = 0; run < 2; ++run) {
    side.advance(10min);
    const report done = check.run();
    INFO(done.summary << "\n" << done.detail);
    CHECK(done.detail.find("DECLARE") == std::string::npos);
    CHECK(done.detail.find("FETCH") == std::string::npos);
    CHECK(done.detail.find("pg_stat_statements") == std::string::npos);
    CHECK((done.detail.find("SELECT pg_sleep($1), $2, $3 [") != std::string::npos) == (run == 0));
    CHECK((done.detail.find("/* ronda */ pg_sleep") != std::string::npos) == (run == 0));
    if (run == 0) CHECK(value_or_none(done, "slow") >= 2);
    if (run == 1) CHECK(value_or_none(done, "calls") == 0);
  }
}

TEST_CASE("slow_statements of a role that may not see those of others is unknown, not quiet", "[postgresql][live]") {
  shared_server().sql("GRANT USAGE ON SCHEMA ext TO plain", "shop");
  work("SELECT pg_sleep(0.01), 'of another role'");
  host side;
  configure(side, "postgresql.slow_statements", shared_server().dsn("plain", "shop") + " password=plain-password");
  auto check = make<postgresql::SlowStatements>(side);
  const report done = check.run();
  shared_server().sql("REVOKE USAGE ON SCHEMA ext FROM plain", "shop");
  INFO(done.summary);
  CHECK(done.is(status::unknown));
  CHECK(done.summary.find(" statements of others are hidden from this role (run as a superuser: GRANT pg_monitor TO plain)") !=
        std::string::npos);
}

TEST_CASE("a missing pg_stat_statements is unknown with the remedy", "[postgresql][live]") {
  host side;
  configure(side, "postgresql.slow_statements", monitor_dsn(shared_server(), "postgres"));
  auto check = make<postgresql::SlowStatements>(side);
  const report done = check.run();
  CHECK(done.is(status::unknown));
  CHECK(done.summary.find("the extension pg_stat_statements is not installed in this database: put it into "
                          "shared_preload_libraries, restart the server, then CREATE EXTENSION pg_stat_statements here") !=
        std::string::npos);
}

TEST_CASE("an extension in a schema that the role may not use is unknown with the remedy", "[postgresql][live]") {
  host side;
  configure(side, "postgresql.slow_statements", shared_server().dsn("plain", "shop") + " password=plain-password");
  auto check = make<postgresql::SlowStatements>(side);
  const report done = check.run();
  CHECK(done.is(status::unknown));
  CHECK(done.summary.find("permission denied for schema ext (GRANT USAGE ON SCHEMA ext TO plain, and pg_monitor)") != std::string::npos);
}

TEST_CASE("an older pg_stat_statements on a newer server is read by its own columns", "[postgresql][live]") {
  Postgres& server = shared_server();
  const std::string version = GENERATE("1.6", "1.7", "1.8", "1.9");
  INFO(version);
  server.sql("CREATE DATABASE old");
  server.sql("CREATE EXTENSION pg_stat_statements VERSION '" + version + "'", "old");
  {
    host side;
    configure(side, "postgresql.slow_statements", monitor_dsn(server, "old"));
    auto check = make<postgresql::SlowStatements>(side);
    CHECK(check.run().summary == first);
    server.sql("SELECT pg_sleep(0.11)", "old");
    side.advance(1min);
    CHECK(value_or_none(check.run(), "slow") == 1);
  }
  server.sql("DROP DATABASE old WITH (FORCE)");
}

TEST_CASE("cache_hit judges the blocks of the interval, if there were enough", "[postgresql][live]") {
  work("CREATE TABLE IF NOT EXISTS cached AS SELECT generate_series(1, 1000) AS i");
  host side;
  configure(side, "postgresql.cache_hit", monitor_dsn(shared_server()));
  side.set("min_blocks", 100);
  auto check = make<postgresql::CacheHit>(side);
  REQUIRE(check.run().summary == first);
  side.advance(1min);
  const report idle = check.run();
  CHECK(idle.is(status::ok));
  CHECK(idle.find("hit_ratio") == nullptr);
  CHECK(idle.summary.find("too few to judge (min_blocks = 100)") != std::string::npos);
  PostgresSession reader(shared_server().dsn("postgres", "shop"));
  for (int i = 0; i < 50; ++i) reader.sql("SELECT count(*) FROM cached");
  reader.sql("SELECT pg_stat_force_next_flush()");
  side.advance(1min);
  const report busy = check.run();
  INFO(busy.summary);
  CHECK(busy.is(status::ok));
  CHECK(value_or_none(busy, "hit_ratio") > 0.7);
  CHECK(value_or_none(busy, "hit_ratio") <= 1);
}

TEST_CASE("a low share of cached blocks is graded", "[postgresql][live]") {
  host side;
  configure(side, "postgresql.cache_hit", monitor_dsn(shared_server()));
  side.set("min_blocks", 1).set("warn_below", 1.1).set("crit_below", 1.05);
  auto check = make<postgresql::CacheHit>(side);
  REQUIRE(check.run().summary == first);
  work("CREATE TABLE IF NOT EXISTS graded AS SELECT generate_series(1, 1000) AS i");
  side.advance(1min);
  const report done = check.run();
  CHECK(done.is(status::critical));
  CHECK(done.summary.find(" blocks came from the cache in 1m") != std::string::npos);
}

TEST_CASE("the sums of table_activity come first, and with as many tables as may be listed nothing is dropped", "[postgresql][live]") {
  const auto each = [](const std::string& statement) {
    return "DO $$ BEGIN FOR i IN 1..210 LOOP EXECUTE format('" + statement + "', i); END LOOP; END $$";
  };
  // each with what makes all five of its metrics: changes, dead rows, a vacuum
  work("CREATE SCHEMA many; " + each("CREATE TABLE many.t%s AS SELECT generate_series(1, 1100) AS i"));
  work(each("DELETE FROM many.t%s WHERE i > 0"));
  shared_server().sql("SELECT pg_stat_force_next_flush()", "shop");
  host side;
  configure(side, "postgresql.table_activity", monitor_dsn(shared_server()));
  side.set("top", 199).set("schemas", ronda::testing::node::list{"many"});
  auto check = make<postgresql::TableActivity>(side);
  REQUIRE(check.run().summary == first);
  work(each("INSERT INTO many.t%s VALUES (1)"));
  side.advance(1h);
  const report done = check.run();
  work("DROP SCHEMA many CASCADE");
  INFO(done.summary);
  REQUIRE(done.metrics.size() > 4);
  CHECK(done.metrics[0].name == "inserted");
  CHECK(value_or_none(done, "inserted") == 210);
  CHECK(done.metrics.size() >= 4 + 199 * 3);
  CHECK(done.dropped_metrics == 0);
}
