// SPDX-License-Identifier: Apache-2.0
#include "redact.hpp"

#include "catch.hpp"
#include "dsn.hpp"
#include "remedy.hpp"

using postgresql::parse_dsn;
using postgresql::redact;

TEST_CASE("a connection string is shown without its passwords", "[postgresql]") {
  const auto [dsn, shown] = GENERATE(table<std::string, std::string>({
      {"postgresql://app:s3cret@db1:5432/shop", "postgresql://app:***@db1:5432/shop"},
      {"postgres://app:s3cret@db1/shop?sslmode=require", "postgres://app:***@db1/shop?sslmode=require"},
      {"postgresql://app@db1/shop", "postgresql://app@db1/shop"},
      {"postgresql://db1/shop?user=app&password=s3cret&sslmode=require",
       "postgresql://db1/shop?user=app&password=***&sslmode=require"},
      {"postgresql://app:s3c@ret@db1/shop", "postgresql://app:***@db1/shop"},
      {"postgresql://app:s3c/ret@db1/shop", "postgresql://app:***@db1/shop"},
      {"host=db1 password=s3cret dbname=shop", "host=db1 password=*** dbname=shop"},
      {"host=db1 password = 's3 cr\\'et' dbname=shop", "host=db1 password=*** dbname=shop"},
      {"password='s3cret without an end", "password=***"},
      {"password=s3cr\\ et sslpassword=other", "password=*** sslpassword=***"},
      {"host=db1 user=app", "host=db1 user=app"},
      {"", ""},
  }));
  CHECK(redact(dsn) == shown);
}

TEST_CASE("a malformed connection string is refused without quoting it", "[postgresql]") {
  const auto [dsn, secret] = GENERATE(table<std::string, std::string>({
      {"host=db1 password=s3cret tail dbname=shop", "tail"},
      {"postgresql://app:s3c@ret@db1/shop", "ret"},
      {"postgresql://app:s3cret%zz@db1/shop", "s3cret"},
      {"postgresql://app:s3cret@db1:port/shop?nonsense=s3cret", "s3cret"},
      {"password='s3cret", "s3cret"},
      {"s3cret", "s3cret"},
  }));
  const auto target = parse_dsn(dsn);
  REQUIRE_FALSE(target);
  INFO(target.failure().text);
  CHECK(target.failure().cause == postgresql::Cause::setup);
  CHECK(target.failure().text.substr(0, 5) == "dsn: ");
  CHECK(target.failure().text.find(secret) == std::string::npos);
}

TEST_CASE("a refused connection string says how to write one", "[postgresql]") {
  CHECK(parse_dsn("postgresql://app:s3c@ret@db1/shop").failure().text ==
        "dsn: more than one '@' before the database name; write postgresql://user@host:5432/database or host=... "
        "dbname=... user=...; in a URI write %40 for @, %3A for :, %2F for / in the password; in keywords quote a "
        "value with spaces");
}

TEST_CASE("where a connection string leads is told without its password", "[postgresql]") {
  const auto [dsn, place, role] = GENERATE(table<std::string, std::string, std::string>({
      {"postgresql://app:s3cret@db1:6432/shop", "db1:6432/shop as app", "app"},
      {"host=/run/pg user=app", "/run/pg:5432/app as app", "app"},
      {"service=shop", "service shop:5432/", ""},
      {"dbname=shop user=app", "local socket:5432/shop as app", "app"},
      {"host=db1,db2 user=app", "db1,db2:5432/app as app", "app"},
  }));
  const auto target = parse_dsn(dsn);
  REQUIRE(target);
  CHECK(target->place == place);
  CHECK(target->role == role);
}

TEST_CASE("strings share sessions only if all of them is the same, the password too", "[postgresql]") {
  const std::string key = parse_dsn("host=db1 user=app password=one")->key;
  CHECK(parse_dsn("password=one user=app host=db1")->key == key);
  CHECK(parse_dsn("host=db1 user=app password=two")->key != key);
  CHECK(parse_dsn("host=db1 user=app password=one dbname=shop")->key != key);
  CHECK(key.find("one") == std::string::npos);
}

TEST_CASE("texts of libpq and the server lose secrets and line ends", "[postgresql]") {
  CHECK(postgresql::scrub("could not translate \"s3cret\"\n\tagain s3cret\n", {"s3cret"}) ==
        "could not translate \"***\"; again ***");
  CHECK(postgresql::scrub("an ordinary word", {"or"}) == "an ordinary word");
  CHECK(postgresql::scrub("invalid \"or\"", {"or"}) == "invalid ***");
  CHECK(postgresql::mask_quoted("missing \"=\" after \"s3\"cret\" in it") == "missing \"...\" in it");
  CHECK(postgresql::mask_quoted("one \" only") == "one \"...\"");
}

TEST_CASE("a statement is shown without its literals", "[postgresql]") {
  const auto [statement, shown] = GENERATE(table<std::string, std::string>({
      {"SELECT * FROM t1 WHERE name = 'O''Brien' AND n > 4.5e3 AND x = $1", "SELECT * FROM t1 WHERE name = ? AND n > ? AND x = $1"},
      {"ALTER ROLE app PASSWORD 's3cret'", "ALTER ROLE app PASSWORD ?"},
      {"ALTER ROLE app PASSWORD 's3cr", "ALTER ROLE app PASSWORD ?"},
      {"SELECT E'a\\'b', 'c'", "SELECT E?, ?"},
      {"DO $body$ s3cret $body$ LANGUAGE x", "DO ? LANGUAGE x"},
      {"DO $$ s3cret", "DO ?"},
      {"SELECT\n  a,\tb2", "SELECT a, b2"},
  }));
  CHECK(postgresql::without_literals(statement, 200) == shown);
  CHECK(postgresql::without_literals(statement, 5).size() <= 5);
}

TEST_CASE("a failure comes with what to do about it", "[postgresql]") {
  using postgresql::Cause;
  const auto [sqlstate, advice] = GENERATE(table<std::string, std::string>({
      {"42501", "run as a superuser: GRANT pg_monitor TO app"},
      {"42703", "this server has no such column: Ronda's SQL is for PostgreSQL 13 to 18, and this one is 12.4"},
      {"53300", "the server has no free connection slot left"},
      {"XX000", ""},
      {"", ""},
  }));
  CHECK(postgresql::remedy({Cause::statement, "text", sqlstate}, "app", 120004) == advice);
}

TEST_CASE("a library that was not loaded at the start needs a restart, other states do not", "[postgresql]") {
  using postgresql::Cause;
  CHECK(postgresql::remedy({Cause::statement, "pg_stat_statements must be loaded via shared_preload_libraries", "55000"}, "app", 150000) ==
        "put pg_stat_statements into shared_preload_libraries and restart the server");
  CHECK(postgresql::remedy({Cause::statement, "recovery is in progress", "55000"}, "app", 150000).empty());
}

TEST_CASE("spans of time are written for people", "[postgresql]") {
  const auto [seconds, text] = GENERATE(table<double, std::string>(
      {{0.25, "250ms"}, {59, "59s"}, {60, "1m"}, {125, "2m 5s"}, {7260, "2h 1m"}, {90000, "1d 1h"}, {172800, "2d"}}));
  CHECK(postgresql::span_text(seconds) == text);
}
