// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {
namespace {

enum Field { relid, schema, table, inserted, updated, deleted, live, dead, vacuumed, epoch };
constexpr std::int64_t most_tables = 2000;
constexpr double worth_vacuuming = 1000;  // dead rows; below that their share says nothing

Sample sample_of(const Rows& rows, std::int64_t wall_ns) {
  Sample now{wall_ns, rows.count() > 0 ? std::string(rows.text(0, epoch)) : "", rows.count() < most_tables, {}};
  for (int row = 0; row < rows.count(); ++row)
    now.rows.emplace(rows.text(row, relid), Counters{rows.integer(row, inserted), rows.integer(row, updated),
                                                     rows.integer(row, deleted)});
  return now;
}

void emit_dead(const Rows& rows, int row, const std::string& name, ronda::call& call) {
  const double dead_rows = rows.number(row, dead), all = dead_rows + rows.number(row, live);
  if (dead_rows >= worth_vacuuming)
    call.metric("table_dead", dead_rows / all, ronda::ratio, {}, {}, {{"table", name}});
  if (rows.number(row, vacuumed) >= 0)
    call.metric("table_vacuumed", Seconds(rows.number(row, vacuumed)), {}, {}, {{"table", name}});
}

struct Change {
  std::string table;
  const Counters* counters;
  std::int64_t total() const { return (*counters)[0] + (*counters)[1] + (*counters)[2]; }
};

}  // namespace

ronda::result TableActivity::report(ronda::call& call, const Rows& rows, const Difference& diff) const {
  std::vector<Change> changes;
  Counters sum(3);
  for (int row = 0; row < rows.count(); ++row) {
    const auto found = diff.rows.find(rows.text(row, relid));
    if (found == diff.rows.end()) continue;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += found->second[i];
    changes.push_back({qualified(rows.text(row, schema), rows.text(row, table)), &found->second});
  }
  call.metric("inserted", sum[0]);
  call.metric("updated", sum[1]);
  call.metric("deleted", sum[2]);
  call.metric("interval", Seconds(diff.seconds));
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.total() > b.total(); });
  std::string detail;
  std::int64_t shown = 0;
  for (const Change& change : changes) {
    if (change.total() == 0 || ++shown > top_) break;
    const ronda::label name("table", change.table);
    call.metric("table_inserted", (*change.counters)[0], ronda::none, {}, {}, {name});
    call.metric("table_updated", (*change.counters)[1], ronda::none, {}, {}, {name});
    call.metric("table_deleted", (*change.counters)[2], ronda::none, {}, {}, {name});
    detail += ronda::text(change.table, ": ", (*change.counters)[0], " inserted, ", (*change.counters)[1], " updated, ",
                          (*change.counters)[2], " deleted\n");
  }
  return ronda::ok(sum[0], " rows inserted, ", sum[1], " updated, ", sum[2], " deleted in ", span_text(diff.seconds))
      .with_detail(detail);
}

ronda::result TableActivity::measure(Client& client, ronda::call& call) {
  const auto text = text_for(client, Statement::table_activity);
  if (!text) return failed(text.failure());
  const auto rows = client.query(substitute(fill_schemas(*text, schemas_), "limit", std::to_string(most_tables)));
  if (!rows) return failed(rows.failure());
  const Sample now = sample_of(*rows, clock().wall().time_since_epoch().count());
  const Difference diff = difference(load_sample(kv()), now);
  if (auto refused = save_sample(kv(), now)) return *std::move(refused);
  const auto nothing = no_difference(diff);
  ronda::result done = nothing ? ronda::ok(*nothing) : report(call, *rows, diff);
  // behind the sums and what happened: of `top` tables all of it together is less than a run may report
  for (int row = 0; row < rows->count() && row < top_; ++row)
    emit_dead(*rows, row, qualified(rows->text(row, schema), rows->text(row, table)), call);
  return done;
}

}  // namespace postgresql
