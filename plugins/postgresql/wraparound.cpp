// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "checks.hpp"

namespace postgresql {
namespace {

/// Ids that may be in use at once before the server refuses to write: 2^31 less the reserve that it keeps.
constexpr double usable_ids = 2147483648.0 - 3000000.0;

}  // namespace

ronda::result Wraparound::measure(Client& client, ronda::call& call) {
  const auto rows = ask(client, Statement::wraparound);
  if (!rows) return failed(rows.failure());
  double worst = 0, worst_multi = 0;
  std::string database;
  for (int row = 0; row < rows->count(); ++row) {
    const double ids = rows->number(row, 1) / usable_ids, multi = rows->number(row, 2) / usable_ids;
    call.metric("database_used", std::max(ids, multi), ronda::ratio, {}, {}, {{"database", rows->text(row, 0)}});
    if (row == 0) database = rows->text(row, 0);
    worst = std::max(worst, ids);
    worst_multi = std::max(worst_multi, multi);
  }
  const double used = std::max(worst, worst_multi);
  call.metric("used", used, ronda::ratio, warn_, crit_);
  call.metric("transaction_ids", worst, ronda::ratio);
  call.metric("multixact_ids", worst_multi, ronda::ratio);
  auto result = ronda::grade(used, warn_, crit_, ronda::percent(used), " of the ids before wraparound are in use, most in ",
                             database);
  if (result.status != ronda::status::ok)
    result.detail = "At 100% the server stops taking writes. Look for what holds old transactions back: long or "
                    "prepared transactions, replication slots, a failing autovacuum; then VACUUM (FREEZE) that database.";
  return result;
}

}  // namespace postgresql
