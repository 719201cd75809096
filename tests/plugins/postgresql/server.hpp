// SPDX-License-Identifier: Apache-2.0
// The server that the tests of this folder share: a database "shop" with pg_stat_statements, and the role
// "monitor" that has nothing but pg_monitor. Also the checks with the defaults of the manifest.
#pragma once

#include <ronda/testing.hpp>

#include <functional>
#include <memory>
#include <string>

#include "postgres.hpp"

namespace ronda::test {

inline constexpr const char* monitor_password = "pa'ss w@rd/%41";

/// Started at its first use, ended with the process.
Postgres& shared_server();

/// "host=... user=monitor password=..." over the Unix socket.
std::string monitor_dsn(const Postgres& server, const std::string& database = "shop");

/// A streaming standby of that server, named "second"; replication over the Unix socket.
class Standby {
 public:
  explicit Standby(Postgres& primary);
  Postgres& server() { return *server_; }
  std::string dsn_of_monitor() const { return monitor_dsn(*server_, "postgres"); }

 private:
  std::unique_ptr<Postgres> server_;
};

/// A host with the manifest's defaults for that procedure and this dsn.
void configure(ronda::testing::host& host, std::string_view procedure, const std::string& dsn);

/// Loops on the condition until it holds; false after ten seconds.
bool eventually(const std::function<bool()>& condition);

}  // namespace ronda::test
