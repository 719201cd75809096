// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {

ronda::result TableSizes::measure(Client& client, ronda::call& call) {
  const auto text = text_for(client, Statement::table_sizes);
  if (!text) return failed(text.failure());
  const auto rows = client.query(substitute(fill_schemas(*text, schemas_), "limit", std::to_string(top_)));
  if (!rows) return failed(rows.failure());
  const std::int64_t database = rows->integer(0, 0), locked = rows->integer(0, 1);
  call.metric("database", database, ronda::bytes);
  call.metric("locked_tables", locked);
  std::string detail;
  for (int row = 0; row < rows->count() && !rows->is_null(row, 3); ++row) {
    const std::string table = qualified(rows->text(row, 2), rows->text(row, 3));
    const std::int64_t total = rows->integer(row, 4), indexes = rows->integer(row, 5);
    call.metric("table", total, ronda::bytes, {}, {}, {{"table", table}});
    call.metric("table_indexes", indexes, ronda::bytes, {}, {}, {{"table", table}});
    detail += ronda::text(table, ": ", ronda::human_bytes(static_cast<double>(total)), ", of that indexes ",
                          ronda::human_bytes(static_cast<double>(indexes)), "\n");
  }
  std::string summary = ronda::text("the database has ", ronda::human_bytes(static_cast<double>(database)));
  if (!detail.empty()) summary += ronda::text("; largest: ", detail.substr(0, detail.find(',')));
  if (locked > 0) summary += ronda::text("; ", locked, " tables are locked by others and not measured");
  return ronda::ok(summary).with_detail(detail);
}

}  // namespace postgresql
