// SPDX-License-Identifier: Apache-2.0
// A real PostgreSQL of its own for a test: initdb in a fresh directory, a Unix socket and a loopback port,
// pg_stat_statements preloaded. Runs as nobody when the test is root, and ends with the test whatever happens.
// It never touches another server of this host and signals only the process that it started.
#pragma once

#include <libpq-fe.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace ronda::test {

/// A session of the test's own. Errors are thrown as std::runtime_error with the server's text.
class PostgresSession {
 public:
  explicit PostgresSession(const std::string& dsn);

  /// Runs one or more statements; the first column of the first row of the last result, "" without rows.
  std::string sql(const std::string& text);
  /// Starts a statement and does not wait for it (one that will wait for a lock, or sleep).
  void send(const std::string& text);
  int backend_pid() const { return PQbackendPID(conn_.get()); }
  PGconn* get() const { return conn_.get(); }

 private:
  struct Finish {
    void operator()(PGconn* conn) const { PQfinish(conn); }
  };
  std::unique_ptr<PGconn, Finish> conn_;
};

class Postgres {
 public:
  /// `settings` are further lines of postgresql.conf. The server accepts connections on return.
  /// The superuser `postgres` is trusted on the Unix socket; everybody else needs a password (scram-sha-256).
  explicit Postgres(const std::vector<std::string>& settings = {});
  /// A copy of a running server, made by pg_basebackup, that starts as its standby.
  static std::unique_ptr<Postgres> standby_of(const Postgres& primary, const std::vector<std::string>& settings);
  ~Postgres();
  Postgres(const Postgres&) = delete;
  Postgres& operator=(const Postgres&) = delete;

  /// Where Debian keeps the newest server's programs, e.g. /usr/lib/postgresql/15/bin; empty: not installed.
  static std::string bin_directory();

  /// "host=<socket directory> port=N dbname=D user=U", without a password.
  std::string dsn(const std::string& user = "postgres", const std::string& database = "postgres") const;
  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  const std::string& directory() const { return directory_; }
  std::string data_directory() const { return directory_ + "/data"; }
  std::string log() const;

  /// One statement as the superuser, in a session of its own.
  std::string sql(const std::string& text, const std::string& database = "postgres") const;

  void start();
  /// SIGQUIT is `-m immediate`, SIGINT is `-m fast`. Returns when the process is gone.
  void stop(int signal);

 private:
  struct Unprepared {};
  explicit Postgres(Unprepared);
  void run(const std::vector<std::string>& command) const;
  void configure(const std::vector<std::string>& settings) const;

  std::string directory_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace ronda::test
