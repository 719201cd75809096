// SPDX-License-Identifier: Apache-2.0
// One connection to one server, by libpq without blocking: every wait is bounded by the run's Limits.
// Read-only, with statement_timeout and lock_timeout below the run's deadline, application_name "ronda".
// Never retries: who owns it decides. Names are looked up aside (route.hpp), for libpq would block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "dsn.hpp"
#include "limits.hpp"
#include "rows.hpp"

struct pg_conn;

namespace postgresql {

constexpr std::size_t max_guarded_bytes = 4 << 20;

class Session {
 public:
  static Answer<std::unique_ptr<Session>> open(const std::string& dsn, const Target& target, const Limits& limits);

  /// One round trip. `sql` is one statement of ours; it is marked as such for slow_statements.
  Answer<Rows> query(std::string_view sql, const Limits& limits);
  /// One round trip. `sql` is one statement of the user's; it cannot change anything, and no more than
  /// `max_rows` rows leave the server. More than `max_guarded_bytes` of them are a failure, and cost the session.
  Answer<Rows> query_guarded(const std::string& sql, int max_rows, const Limits& limits);

  /// False once it broke, or what it was doing is not known to have ended.
  bool usable() const { return usable_; }
  /// 150020 is 15.20
  int server_version() const;
  int backend_pid() const;

 private:
  struct Finish {
    void operator()(pg_conn* conn) const;
  };
  struct Collector;

  Session(pg_conn* conn, std::vector<std::string> secrets) : conn_(conn), secrets_(std::move(secrets)) {}
  Answer<Rows> collect(int syncs, const Limits& limits, std::size_t max_bytes = 0);
  Woken flush(const Limits& limits);
  Woken read(const Limits& limits);
  Failure stop(Woken why);
  bool drain(int timeout_ms);
  Failure lost();
  std::string new_timeout(const Limits& limits);
  void roll_back(const Limits& limits);

  std::unique_ptr<pg_conn, Finish> conn_;
  std::vector<std::string> secrets_;
  int statement_ms_ = 0;  // what the server was told last; 0: not known
  bool usable_ = true;
};

}  // namespace postgresql
