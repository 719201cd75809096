// SPDX-License-Identifier: Apache-2.0
// postgresql.query: metrics from the user's own statement, and what such a statement cannot do.
#include <algorithm>
#include <set>
#include <utility>

#include "catch.hpp"
#include "checks.hpp"
#include "server.hpp"

using namespace ronda::test;
using namespace std::chrono_literals;
using ronda::status;
using ronda::testing::host;
using ronda::testing::make;
using ronda::testing::node;
using ronda::testing::report;

namespace {

node column(const std::string& unit, const std::string& kind = "gauge", bool label = false) {
  return node::table{{"unit", unit}, {"kind", kind}, {"label", label}};
}

report run_query(const std::string& sql, node::table metrics = {}, int max_rows = 100) {
  host side;
  configure(side, "postgresql.query", monitor_dsn(shared_server()));
  side.set("sql", sql).set("metrics", std::move(metrics)).set("max_rows", max_rows);
  auto check = make<postgresql::Query>(side);
  const report first = check.run();
  // Whatever it did, the session is as good as before.
  const report second = check.run();
  CHECK(second.summary == first.summary);
  CHECK(side.broken().empty());
  return first;
}

constexpr const char* orders = "SELECT * FROM (VALUES ('new', 3, 1.5), ('paid', 5, null)) AS v(state, orders, age)";

}  // namespace

TEST_CASE("each row yields a value for each column, told apart by its labels", "[postgresql][live]") {
  const report done = run_query(orders, {{"orders", column("", "counter")}, {"age", column("s")}, {"state", column("", "gauge", true)}});
  INFO(done.summary);
  REQUIRE(done.is(status::ok));
  CHECK(done.summary == "2 rows, 3 values");
  const auto* paid = done.find("orders", {{"state", "paid"}});
  REQUIRE(paid != nullptr);
  CHECK(paid->value == 5);
  CHECK(paid->counter);
  CHECK(done.find("age", {{"state", "new"}})->unit == "s");
  CHECK(done.find("age", {{"state", "paid"}}) == nullptr);  // null is no value
}

TEST_CASE("without metrics numbers are gauges and the rest are labels", "[postgresql][live]") {
  const report done = run_query(orders);
  CHECK(done.find("orders", {{"state", "new"}})->value == 3);
  CHECK(done.find("age", {{"state", "new"}})->value == 1.5);
  const report one = run_query("SELECT 7::bigint AS answer, 2.5e3::float8 AS big");
  CHECK(one.summary == "answer = 7, big = 2500");
  CHECK(one.find("big")->value == 2500);
}

TEST_CASE("no rows is an answer", "[postgresql][live]") {
  const report done = run_query("SELECT 1 AS one WHERE false");
  CHECK(done.is(status::ok));
  CHECK(done.summary == "no rows");
  CHECK(done.find("rows")->value == 0);
}

TEST_CASE("a statement that is wrong is unknown and says what to mend", "[postgresql][live]") {
  const auto [sql, reason] = GENERATE(table<std::string, std::string>({
      {"SELECT nonsense FROM pg_class", "column \"nonsense\" does not exist (check the option sql"},
      {"SELECT 1 FROM nowhere", "relation \"nowhere\" does not exist (check the option sql"},
      {"SELEC 1", "syntax error at or near \"SELEC\" (check the option sql"},
      {"SHOW work_mem", "(check the option sql: one SELECT, VALUES, TABLE or WITH)"},
      {"SELECT 1; DROP TABLE victim", "cannot insert multiple commands into a prepared statement"},
      {"SELECT 1/0 AS x", "division by zero (check the option sql"},
      {"SELECT rolpassword FROM pg_authid", "permission denied for table pg_authid (GRANT SELECT on what sql reads to monitor)"},
      {"SELECT 1 AS a UNION ALL SELECT 2", "two rows have the same labels: add a column that tells them apart, or aggregate"},
  }));
  const report done = run_query(sql);
  INFO(done.summary);
  CHECK(done.is(status::unknown));
  CHECK(done.summary.find(reason) != std::string::npos);
}

TEST_CASE("a statement of the user's cannot write, whatever it tries", "[postgresql][live]") {
  Postgres& server = shared_server();
  server.sql("CREATE TABLE IF NOT EXISTS victim (i int)", "shop");
  server.sql("CREATE OR REPLACE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'INSERT INTO victim VALUES (1) RETURNING i'", "shop");
  const std::string before = server.sql("SELECT count(*) FROM victim", "shop");
  host side;
  configure(side, "postgresql.query", server.dsn("postgres", "shop"));  // even as a superuser
  const std::string sql = GENERATE("DELETE FROM victim RETURNING i", "SELECT sneak()", "DROP TABLE victim",
                                   "WITH x AS (INSERT INTO victim VALUES (1) RETURNING i) SELECT i FROM x",
                                   "SELECT set_config('transaction_read_only', 'off', false), sneak()",
                                   "SELECT 1) ; COMMIT; DROP TABLE victim; --");
  side.set("sql", sql);
  auto check = make<postgresql::Query>(side);
  const report done = check.run();
  INFO(sql << ": " << done.summary);
  CHECK(done.is(status::unknown));
  CHECK(server.sql("SELECT count(*) FROM victim", "shop") == before);
}

TEST_CASE("what a statement sets ends with it", "[postgresql][live]") {
  run_query("SELECT set_config('default_transaction_read_only', 'off', false) AS x");
  CHECK(run_query("SELECT current_setting('default_transaction_read_only') AS ro").summary == "ro = on");
}

TEST_CASE("more rows than max_rows are refused, without fetching them all", "[postgresql][live]") {
  const report done = run_query("SELECT generate_series(1, 100000000) AS i", {}, 5);
  CHECK(done.is(status::unknown));
  CHECK(done.summary.find("the statement returns more than max_rows = 5 rows: aggregate, or add a LIMIT") != std::string::npos);
}

TEST_CASE("metrics must name columns that are there and hold numbers", "[postgresql][live]") {
  CHECK(run_query(orders, {{"order", column("")}}).summary.find("metrics names the column 'order', the statement returns: state, orders, age") !=
        std::string::npos);
  CHECK(run_query(orders, {{"state", column("")}})
            .summary.find("the column 'state' is no number: cast it in sql, or give it label = true in metrics") != std::string::npos);
}

TEST_CASE("a value beyond a double is left out and told, not made zero", "[postgresql][live]") {
  const auto [sql, count] = GENERATE(table<std::string, int>({
      {"SELECT 1e308::numeric * 10 AS c, 7 AS d", 1},
      {"SELECT -1e308::numeric * 10 AS c, 7 AS d", 1},
      {"SELECT 'NaN'::numeric AS c, 7 AS d", 1},
      {"SELECT '-Infinity'::float8 AS c, 7 AS d", 1},
      {"SELECT 1e-400::numeric AS c, 7 AS d", 0},
      {"SELECT -1e-400::numeric AS c, 7 AS d", 0},
  }));
  const report done = run_query(sql);
  INFO(sql << ": " << done.summary);
  CHECK(done.is(status::ok));
  CHECK((done.find("c") == nullptr) == (count == 1));
  REQUIRE(done.find("d") != nullptr);
  CHECK(done.find("d")->value == 7);
  CHECK((done.summary.find("; 1 values are not finite and left out") != std::string::npos) == (count == 1));
}

TEST_CASE("rows without columns are counted too", "[postgresql][live]") {
  CHECK(run_query("SELECT FROM generate_series(1, 1)").find("rows")->value == 1);
  const report several = run_query("SELECT FROM generate_series(1, 3)");
  CHECK(several.is(status::unknown));  // as several rows that nothing tells apart
  CHECK(several.find("rows")->value == 3);
  const report many = run_query("SELECT FROM generate_series(1, 30)", {}, 10);
  CHECK(many.summary.find("returns more than max_rows = 10") != std::string::npos);
}

TEST_CASE("a wide result is cut to what is told", "[postgresql][live]") {
  std::string columns;
  for (int i = 1; i <= 120; ++i) columns += (i == 1 ? "" : ", ") + std::to_string(i) + " AS c" + std::to_string(i);
  const report done = run_query("SELECT " + columns);
  INFO(done.summary);
  CHECK(done.is(status::ok));
  CHECK(done.find("c50") != nullptr);
  CHECK(done.find("c51") == nullptr);
  CHECK(done.summary.find("; of 120 columns only the first 50 are taken: name those you want in metrics") != std::string::npos);
  CHECK(run_query("SELECT " + columns, {{"c120", column("")}}).find("c120")->value == 120);
}

TEST_CASE("of more values than a run can report the extremes of each column are kept, and the rest is told", "[postgresql][live]") {
  const report done = run_query("SELECT i::text AS name, CASE i WHEN 1400 THEN 9000 WHEN 1450 THEN -5 ELSE 7 END AS age, i AS n "
                                "FROM generate_series(1, 1500) AS i", {}, 2000);
  INFO(done.summary);
  CHECK(done.is(status::ok));
  CHECK(done.summary == "1500 rows, 999 values; 2001 more are left out, none of them less or greater than what is kept of its column");
  CHECK(done.dropped_metrics == 0);
  CHECK(done.metrics.size() == 1000);
  CHECK(done.find("rows")->value == 1500);
  REQUIRE(done.find("age", {{"name", "1400"}}) != nullptr);
  CHECK(done.find("age", {{"name", "1400"}})->value == 9000);
  REQUIRE(done.find("age", {{"name", "1450"}}) != nullptr);
  CHECK(done.find("n", {{"name", "1500"}}) != nullptr);
  CHECK(done.find("n", {{"name", "1499"}}) == nullptr);
  std::set<std::pair<std::string, ronda::testing::fields>> each;
  for (const auto& metric : done.metrics) each.emplace(metric.name, metric.labels);
  CHECK(each.size() == done.metrics.size());
}

TEST_CASE("as many values as a run can report are all kept", "[postgresql][live]") {
  const report done = run_query("SELECT i::text AS name, i FROM generate_series(1, 999) AS i", {}, 2000);
  CHECK(done.summary == "999 rows, 999 values");
  CHECK(done.dropped_metrics == 0);
  CHECK(done.metrics.size() == 1000);
}

TEST_CASE("long labels count for what a run can report", "[postgresql][live]") {
  const std::string labels = "repeat('x', 250) || i AS a, repeat('y', 400) AS b, repeat('z', 400) AS c";
  const report done = run_query("SELECT " + labels + ", i FROM generate_series(1, 900) AS i", {}, 2000);
  INFO(done.summary);
  CHECK(done.summary.find(" more are left out, none of them less or greater") != std::string::npos);
  CHECK(done.dropped_metrics == 0);
  CHECK(done.metrics.back().value < 900);
  CHECK(std::count_if(done.metrics.begin(), done.metrics.end(), [](const auto& m) { return m.name == "i" && m.value == 900; }) == 1);
}

TEST_CASE("where not even the extremes can be reported the answer is refused", "[postgresql][live]") {
  std::string columns;
  ronda::testing::node::table wanted;
  for (int i = 0; i < 600; ++i) {
    const std::string name = "c" + std::to_string(i);
    columns += ", i + " + std::to_string(i) + " AS " + name;
    wanted.emplace_back(name, column(""));
  }
  wanted.emplace_back("name", column("", "gauge", true));
  const report done = run_query("SELECT i::text AS name" + columns + " FROM generate_series(1, 2) AS i", std::move(wanted));
  CHECK(done.is(status::unknown));
  CHECK(done.summary.find("more columns, or longer labels, than one run can report: take fewer of them") != std::string::npos);
  CHECK(done.dropped_metrics == 0);
}

TEST_CASE("a result of more bytes than are taken is refused before all of it is here", "[postgresql][live]") {
  const report done = run_query("SELECT repeat('x', 100000) || i AS text, i FROM generate_series(1, 5000) AS i", {}, 10000);
  INFO(done.summary);
  CHECK(done.is(status::unknown));
  CHECK(done.summary.find("the statement returns more than 4 MiB: narrow its columns, or lower max_rows and aggregate") != std::string::npos);
  CHECK(run_query("SELECT repeat('x', 3000000) AS text, 1 AS one").find("one")->value == 1);
}
