// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {
namespace {

/// Four columns: schema, index, what it belongs to, bytes.
struct List {
  std::string lines;
  double bytes = 0;
  int count = 0;
};

List list(const Rows& rows, std::string_view what, std::string_view relation) {
  List all;
  all.count = rows.count();
  for (int row = 0; row < rows.count(); ++row) {
    all.bytes += rows.number(row, 3);
    if (row >= 50) continue;
    all.lines += ronda::text(what, ": ", qualified(rows.text(row, 0), rows.text(row, 1)), relation, rows.text(row, 2),
                             ", ", ronda::human_bytes(rows.number(row, 3)), "\n");
  }
  return all;
}

}  // namespace

ronda::result Indexes::measure(Client& client, ronda::call& call) {
  const auto invalid_rows = ask(client, Statement::indexes_invalid);
  if (!invalid_rows) return failed(invalid_rows.failure());
  const auto duplicate_rows = ask(client, Statement::indexes_duplicate);
  if (!duplicate_rows) return failed(duplicate_rows.failure());
  const auto text = text_for(client, Statement::indexes_unused);
  if (!text) return failed(text.failure());
  const auto unused_rows = client.query(substitute(*text, "bytes", std::to_string(unused_bytes_)));
  if (!unused_rows) return failed(unused_rows.failure());

  const List invalid = list(*invalid_rows, "invalid", " on ");
  const List duplicate = list(*duplicate_rows, "duplicate", " is the same as ");
  List unused = list(*unused_rows, "unused", " on ");
  // Statistics that began an hour ago know nothing of the monthly report. -1: they were never reset.
  const double watched = unused.count > 0 ? unused_rows->number(0, 4) : -1;
  const bool too_young = watched >= 0 && watched < unused_for_.count();
  if (too_young) unused = {"unused ones are not judged: the statistics began only " + span_text(watched) + " ago\n", 0, 0};

  call.metric("invalid", invalid.count);
  call.metric("duplicate", duplicate.count);
  call.metric("duplicate_bytes", duplicate.bytes, ronda::bytes);
  call.metric("unused", unused.count);
  call.metric("unused_bytes", unused.bytes, ronda::bytes);
  const std::string summary =
      ronda::text(invalid.count, " invalid, ", duplicate.count, " duplicate (", ronda::human_bytes(duplicate.bytes), "), ",
                  unused.count, " unused indexes (", ronda::human_bytes(unused.bytes), ")");
  // An invalid one is maintained at every write and serves no query; a unique one may not enforce anything.
  const auto status = invalid.count > 0 ? ronda::status::warning : ronda::status::ok;
  return ronda::result{status, summary}.with_detail(invalid.lines + duplicate.lines + unused.lines);
}

}  // namespace postgresql
