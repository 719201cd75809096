// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {
namespace {

enum Field { deadlocks, pid, user, database, name, waited, blocker, blocker_user, blocker_name, blocker_state, blocker_age };

std::string who(const Rows& rows, int row, Field id, Field role, Field application) {
  std::string text = ronda::text("pid ", rows.text(row, id));
  if (!rows.text(row, role).empty()) text += ronda::text(" ", rows.text(row, role));
  if (!rows.text(row, application).empty()) text += ronda::text(" (", rows.text(row, application), ")");
  return text;
}

/// What the server gives as the blocker where no session is left that holds the lock.
constexpr std::string_view prepared = "0";

/// No statement texts: they hold people's data.
std::string line(const Rows& rows, int row) {
  std::string text = ronda::text(who(rows, row, pid, user, name), " in ", rows.text(row, database), " has waited ",
                                 span_text(rows.number(row, waited)));
  if (rows.is_null(row, blocker)) return text + "\n";
  if (rows.text(row, blocker) == prepared) return ronda::text(text, " for a prepared transaction: see pg_prepared_xacts\n");
  return ronda::text(text, " for ", who(rows, row, blocker, blocker_user, blocker_name), ", ",
                     rows.text(row, blocker_state), ", in a transaction for ",
                     span_text(rows.number(row, blocker_age)), "\n");
}

}  // namespace

ronda::result Locks::measure(Client& client, ronda::call& call) {
  const auto rows = ask(client, Statement::locks);
  if (!rows) return failed(rows.failure());
  std::set<std::string_view> waiting, blocking;
  double longest = 0;
  std::string detail;
  for (int row = 0; row < rows->count() && !rows->is_null(row, pid); ++row) {
    waiting.insert(rows->text(row, pid));
    if (!rows->is_null(row, blocker)) blocking.insert(rows->text(row, blocker));
    longest = std::max(longest, rows->number(row, waited));
    if (row < 20) detail += line(*rows, row);
  }
  call.metric("blocked", waiting.size());
  call.metric("longest_wait", Seconds(longest), warn_.count(), crit_.count());
  call.metric("deadlocks", rows->integer(0, deadlocks), ronda::counter);
  if (waiting.empty()) return ronda::ok("no session waits for a lock");
  // Who blocks and waits itself is in the middle of a chain: the cause is at its end.
  std::string roots;
  for (const std::string_view id : blocking)
    if (waiting.count(id) == 0 && id != prepared) roots += ronda::text(roots.empty() ? "; held by pid " : ", ", id);
  if (blocking.count(prepared) > 0)
    roots += ronda::text(roots.empty() ? "; held" : " and", " by a prepared transaction (see pg_prepared_xacts: COMMIT or ROLLBACK PREPARED ends it)");
  return ronda::grade(longest, warn_.count(), crit_.count(), waiting.size(), " sessions wait for a lock, the longest for ",
                      span_text(longest), roots)
      .with_detail(detail);
}

}  // namespace postgresql
