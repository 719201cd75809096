// SPDX-License-Identifier: Apache-2.0
// Every statement that the plugin sends, by the version that first takes it. A table: nothing else is
// built at run time than what stands in {braces}. Each column is named with its relation's alias, so
// that a test can prove against the catalogue of every version that it exists there.
#pragma once

#include <string>
#include <string_view>

namespace postgresql {

enum class Statement {
  ping,
  connections,
  statements_extension,
  statements_counters,  // by the version of the extension, as 1.10 -> 110
  statements_texts,     // likewise
  table_sizes,
  table_activity,
  indexes_invalid,
  indexes_duplicate,
  indexes_unused,
  cache_hit,
  locks,
  replication_standbys,
  replication_slots,
  replication_receiver,
  replication_archiver,
  wraparound,
};

struct Row {
  Statement statement;
  int since;  // major version, or the extension's; valid until the next row of the same statement
  std::string_view text;
  std::string_view parts[3];  // what {1}, {2}, {3} in it stand for in these versions
};

struct Catalogue {
  const Row* first;
  const Row* last;
  const Row* begin() const { return first; }
  const Row* end() const { return last; }
};

constexpr int oldest_supported = 13;

/// Stands in every statement of this plugin.
constexpr std::string_view own_mark = "/* ronda */";

Catalogue catalogue();

/// Empty if that version is older than any row.
std::string sql_for(Statement statement, int version);
std::string text_of(const Row& row);

/// `text` with every occurrence of `{name}` replaced.
std::string substitute(std::string_view text, std::string_view name, std::string_view value);

}  // namespace postgresql
