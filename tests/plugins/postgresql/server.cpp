// SPDX-License-Identifier: Apache-2.0
#include "server.hpp"

#include <poll.h>

#include <chrono>
#include <map>

namespace ronda::test {
namespace {

using namespace std::chrono_literals;
using ronda::testing::node;
using Defaults = std::vector<std::pair<std::string, node>>;

/// As in plugin.toml: the fake host applies no manifest.
const std::map<std::string, Defaults, std::less<>>& defaults() {
  static const std::map<std::string, Defaults, std::less<>> all = {
      {"postgresql.connect", {{"new_session", false}}},
      {"postgresql.connections", {{"warn_at", 0.8}, {"crit_at", 0.9}, {"max_idle_in_transaction", 10min}}},
      {"postgresql.slow_statements",
       {{"slow_above", 100ms}, {"top", 10}, {"all_databases", false}, {"max_statements", 1000}}},
      {"postgresql.table_sizes", {{"schemas", node::list{}}, {"top", 20}}},
      {"postgresql.table_activity", {{"schemas", node::list{}}, {"top", 20}}},
      {"postgresql.indexes", {{"unused_larger_than", 10 << 20}, {"unused_for", 168h}}},
      {"postgresql.cache_hit", {{"warn_below", 0.7}, {"crit_below", 0.5}, {"min_blocks", 10000}}},
      {"postgresql.locks", {{"warn_at", 30s}, {"crit_at", 5min}}},
      {"postgresql.replication",
       {{"expect_standbys", 0}, {"warn_bytes", 256 << 20}, {"crit_bytes", 1 << 30}, {"warn_time", 1min},
        {"crit_time", 10min}, {"slot_warn_bytes", 1 << 30}, {"slot_crit_bytes", std::int64_t{10} << 30}}},
      {"postgresql.wraparound", {{"warn_at", 0.5}, {"crit_at", 0.8}}},
      {"postgresql.query", {{"max_rows", 100}, {"metrics", node::table{}}}},
  };
  return all;
}

}  // namespace

Postgres& shared_server() {
  static Postgres server({"track_io_timing = on", "wal_level = logical", "max_connections = 30", "max_prepared_transactions = 2",
                          "log_min_messages = log"});
  static const bool prepared = [] {
    server.sql("CREATE DATABASE shop");
    server.sql("CREATE SCHEMA ext; CREATE EXTENSION pg_stat_statements SCHEMA ext", "shop");
    server.sql("CREATE ROLE monitor LOGIN PASSWORD 'pa''ss w@rd/%41'; GRANT pg_monitor TO monitor");
    server.sql("GRANT USAGE ON SCHEMA ext TO monitor", "shop");
    server.sql("CREATE ROLE plain LOGIN PASSWORD 'plain-password'");
    return true;
  }();
  (void)prepared;
  return server;
}

std::string monitor_dsn(const Postgres& server, const std::string& database) {
  return server.dsn("monitor", database) + " password='pa\\'ss w@rd/%41'";
}

Standby::Standby(Postgres& primary)
    : server_(Postgres::standby_of(primary, {"primary_conninfo = '" + primary.dsn() + " application_name=second'"})) {}

void configure(ronda::testing::host& host, std::string_view procedure, const std::string& dsn) {
  host.set_secret("dsn", dsn);
  for (const auto& [key, value] : defaults().find(procedure)->second) host.set(key, value);
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

}  // namespace ronda::test
