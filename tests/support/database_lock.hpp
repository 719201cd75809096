// SPDX-License-Identifier: Apache-2.0
// Somebody else's lock on a database: the agent can neither read nor write it.
#pragma once

#include <sqlite3.h>

#include <string>

#include "catch.hpp"

namespace ronda::test {

class DatabaseLock {
 public:
  explicit DatabaseLock(const std::string& path) {
    REQUIRE(::sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
    REQUIRE(::sqlite3_exec(database_, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  ~DatabaseLock() { ::sqlite3_close(database_); }
  DatabaseLock(const DatabaseLock&) = delete;
  DatabaseLock& operator=(const DatabaseLock&) = delete;

 private:
  sqlite3* database_ = nullptr;
};

}  // namespace ronda::test
