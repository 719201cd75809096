// SPDX-License-Identifier: Apache-2.0
// What a PostgreSQL version has, and what a statement of the plugin names that it has not. Knows as much SQL as
// the plugin's own statements use: every relation and sub-select has an alias, every column is qualified by one.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ronda::test {

using Relations = std::map<std::string, std::vector<std::string>, std::less<>>;

/// "relation: column column ..." and "functions: name ..." on each line; '#' begins a comment line.
Relations read_catalogue(const std::string& path);

/// One line each: "pg_locks has no column waitstart", "unqualified name: x", ...; empty is right.
std::vector<std::string> strangers(std::string_view sql, const Relations& catalogue);

}  // namespace ronda::test
