// SPDX-License-Identifier: Apache-2.0
// A bare durable commit: one row of about what an incident's event takes, as the agent's store keeps such rows.
#pragma once

#include <sqlite3.h>

#include <cstdint>

namespace bench {

class Durable {
 public:
  explicit Durable(const char* path) {
    good_ = ::sqlite3_open(path, &db_) == SQLITE_OK &&
            run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "CREATE TABLE event(incident TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL,"
                " PRIMARY KEY(incident, seq)) WITHOUT ROWID;") &&
            ::sqlite3_prepare_v2(db_, "INSERT INTO event VALUES('INC-20260105-K7Q2M4XD3A', ?1, ?2, printf('%.300c', 'x'))", -1, &insert_,
                                 nullptr) == SQLITE_OK;
  }
  ~Durable() {
    ::sqlite3_finalize(insert_);
    ::sqlite3_close(db_);
  }
  Durable(const Durable&) = delete;
  Durable& operator=(const Durable&) = delete;

  bool good() const { return good_; }
  /// One transaction; true when it is on the disk.
  bool commit(std::int64_t at) {
    ::sqlite3_bind_int64(insert_, 1, ++number_);
    ::sqlite3_bind_int64(insert_, 2, at);
    const bool done = ::sqlite3_step(insert_) == SQLITE_DONE;
    return ::sqlite3_reset(insert_) == SQLITE_OK && done;
  }

 private:
  bool run(const char* sql) { return ::sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  std::int64_t number_ = 0;
  bool good_ = false;
};

}  // namespace bench
