// SPDX-License-Identifier: Apache-2.0
// The SQL of every version against the catalogue of that version; 15 also against the server itself.
#include <set>

#include "catalogue.hpp"
#include "catch.hpp"
#include "server.hpp"
#include "skip.hpp"
#include "sql.hpp"

using namespace ronda::test;
using postgresql::Statement;

namespace {

const std::string folder = RONDA_SOURCE_DIR "/tests/plugins/postgresql/catalogues/";

Relations version_of(int major) {
  return read_catalogue(folder + std::to_string(major) + ".txt");
}

Relations with_extension(int major, const std::string& version) {
  Relations all = version_of(major);
  all.merge(read_catalogue(folder + "pg_stat_statements-" + version + ".txt"));
  return all;
}

std::string filled(std::string sql) {
  const std::pair<const char*, const char*> values[] = {{"schema", "ext"},      {"ids", "1"},      {"all", "true"}, {"limit", "5"},
                                                        {"any_schema", "true"}, {"schemas", "''"}, {"bytes", "1"}};
  for (const auto& [name, value] : values) sql = postgresql::substitute(sql, name, value);
  return sql;
}

bool is_of_extension(Statement statement) {
  return statement == Statement::statements_counters || statement == Statement::statements_texts;
}

std::set<Statement> all_statements() {
  std::set<Statement> all;
  for (const postgresql::Row& row : postgresql::catalogue()) all.insert(row.statement);
  return all;
}

std::vector<std::string> columns_on(const Postgres& server, const std::string& relation) {
  std::istringstream names(server.sql("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '" + relation +
                                          "'::regclass AND attnum > 0 AND NOT attisdropped",
                                      "shop"));
  std::vector<std::string> all;
  for (std::string name; names >> name;) all.push_back(name);
  return all;
}

}  // namespace

TEST_CASE("every statement names only what PostgreSQL 13 to 18 have", "[postgresql]") {
  const int major = GENERATE(13, 14, 15, 16, 17, 18);
  const Relations catalogue = version_of(major);
  for (const Statement statement : all_statements()) {
    if (is_of_extension(statement)) continue;
    const std::string sql = filled(postgresql::sql_for(statement, major));
    INFO("PostgreSQL " << major << ": " << sql);
    CHECK_FALSE(sql.empty());
    CHECK(strangers(sql, catalogue) == std::vector<std::string>{});
  }
}

TEST_CASE("the statements about statements name only what their version of the extension has", "[postgresql]") {
  const auto [major, name, number] = GENERATE(table<int, std::string, int>(
      {{13, "1.7", 107}, {13, "1.8", 108}, {14, "1.9", 109}, {15, "1.10", 110}, {17, "1.11", 111}, {18, "1.12", 112}}));
  const Relations catalogue = with_extension(major, name);
  for (const Statement statement : {Statement::statements_counters, Statement::statements_texts}) {
    const std::string sql = filled(postgresql::sql_for(statement, number));
    INFO("pg_stat_statements " << name << ": " << sql);
    CHECK_FALSE(sql.empty());
    CHECK(strangers(sql, catalogue) == std::vector<std::string>{});
  }
}

TEST_CASE("the test of the SQL finds what a version lacks", "[postgresql]") {
  const auto [major, sql, complaint] = GENERATE(table<int, std::string, std::string>({
      {13, postgresql::sql_for(Statement::locks, 14), "pg_locks has no column waitstart"},
      {16, postgresql::sql_for(Statement::replication_slots, 17), "pg_replication_slots has no column invalidation_reason"},
      {15, "SELECT t.tablename FROM pg_stat_user_tables AS t", "pg_stat_user_tables has no column tablename"},
      {15, "SELECT state FROM pg_stat_activity AS a", "unqualified name: state"},
      {15, "SELECT x.pid FROM pg_stat_activity AS a", "no alias x"},
      {15, "SELECT a.pid FROM pg_stat_processes AS a", "no relation pg_stat_processes"},
      {15, "SELECT pg_start_backup() FROM pg_stat_activity AS a", "no function pg_start_backup"},
      {15, "SELECT 1 FROM pg_stat_activity", "pg_stat_activity has no alias"},
  }));
  CHECK_THAT(strangers(sql, version_of(major)), Catch::VectorContains(complaint));
}

TEST_CASE("the statement of the newest version not above the server's is chosen", "[postgresql]") {
  CHECK(postgresql::sql_for(Statement::locks, 12).empty());
  CHECK(postgresql::sql_for(Statement::locks, 13).find("waitstart") == std::string::npos);
  CHECK(postgresql::sql_for(Statement::locks, 14).find("waitstart") != std::string::npos);
  CHECK(postgresql::sql_for(Statement::locks, 99) == postgresql::sql_for(Statement::locks, 18));
}

TEST_CASE("the catalogue of PostgreSQL 15 is what the running server has", "[postgresql][live]") {
  const Postgres& server = shared_server();
  const std::string version = server.sql("SHOW server_version");
  if (!version.starts_with("15.")) return skipped("other-postgresql", "the installed server is " + version + ", not PostgreSQL 15");
  Relations expected = with_extension(15, "1.10");
  for (const std::string& function : expected["functions"]) {
    if (function == "coalesce" || function == "greatest" || function == "extract") continue;  // of the grammar
    INFO(function);
    CHECK(server.sql("SELECT count(*) > 0 FROM pg_proc WHERE proname = '" + function + "'", "shop") == "t");
  }
  expected.erase("functions");
  for (const auto& [relation, columns] : expected) {
    INFO(relation);
    const bool of_extension = relation.find("pg_stat_statements") == 0;
    CHECK(columns_on(server, of_extension ? "ext." + relation : relation) == columns);
  }
}

TEST_CASE("every statement runs on the installed server", "[postgresql][live]") {
  PostgresSession session(shared_server().dsn("postgres", "shop"));
  const int major = PQserverVersion(session.get()) / 10000;
  const std::string schema = session.sql(
      "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
      "WHERE extname = 'pg_stat_statements'");
  for (const Statement statement : all_statements()) {
    const std::string sql = postgresql::sql_for(statement, is_of_extension(statement) ? 110 : major);
    INFO(sql);
    CHECK_NOTHROW(session.sql(filled(postgresql::substitute(sql, "schema", schema))));
  }
}
