// SPDX-License-Identifier: Apache-2.0
// What stands in the store of a whole agent that does not run.
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

#include "catch.hpp"
#include "whole_agent.hpp"

namespace ronda::test {

/// The first column of a query.
inline std::vector<std::string> column(const WholeAgent& agent, const std::string& query) {
  sqlite3* database = nullptr;
  REQUIRE(::sqlite3_open_v2((agent.state_directory() + "/ronda.db").c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  std::vector<std::string> out;
  const auto row = [](void* rows, int, char** values, char**) {
    static_cast<std::vector<std::string>*>(rows)->push_back(values[0] == nullptr ? "" : values[0]);
    return 0;
  };
  char* error = nullptr;
  const int code = ::sqlite3_exec(database, query.c_str(), row, &out, &error);
  INFO((error == nullptr ? "" : error));
  CHECK(code == SQLITE_OK);
  ::sqlite3_free(error);
  ::sqlite3_close(database);
  return out;
}

}  // namespace ronda::test
