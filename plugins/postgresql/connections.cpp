// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {
namespace {

struct Usage {
  std::int64_t limit = 0;   // slots that an ordinary role can have
  std::int64_t used = 0;
  std::int64_t hidden = 0;  // sessions whose state this role may not see
  double oldest_idle = 0;   // seconds that a transaction has stood open and idle
  std::string states;
};

Usage read(const Rows& rows, ronda::call& call) {
  Usage usage;
  usage.limit = rows.integer(0, 0) - rows.integer(0, 1);
  for (int row = 0; row < rows.count(); ++row) {
    if (rows.is_null(row, 2)) continue;
    const std::string_view state = rows.text(row, 2);
    const std::int64_t sessions = rows.integer(row, 3);
    usage.used += sessions;
    if (state == "hidden") usage.hidden = sessions;
    if (state.substr(0, 19) == "idle in transaction")
      usage.oldest_idle = std::max(usage.oldest_idle, rows.number(row, 4));
    call.metric("by_state", sessions, ronda::none, {}, {}, {{"state", state}});
    usage.states += ronda::text(usage.states.empty() ? ": " : ", ", sessions, " ", state);
  }
  return usage;
}

}  // namespace

ronda::result Connections::failed(const Failure& failure) const {
  ronda::result result = Probe::failed(failure);
  if (failure.sqlstate == "53300") result.status = ronda::status::critical;
  return result;
}

ronda::result Connections::measure(Client& client, ronda::call& call) {
  const auto rows = ask(client, Statement::connections);
  if (!rows) return failed(rows.failure());
  const Usage usage = read(*rows, call);
  if (usage.hidden > 0)
    return failed({Cause::statement,
                   ronda::text("what ", usage.hidden, " sessions are doing is hidden from this role"), "42501"});
  const double share = usage.limit > 0 ? static_cast<double>(usage.used) / static_cast<double>(usage.limit) : 1;
  call.metric("used", share, ronda::ratio, warn_, crit_);
  call.metric("sessions", usage.used);
  call.metric("limit", usage.limit);
  call.metric("oldest_idle_in_transaction", Seconds(usage.oldest_idle), idle_warn_.count());
  std::vector<ronda::result> findings = {ronda::grade(share, warn_, crit_, usage.used, " of ", usage.limit,
                                                      " connections used (", ronda::percent(share), ")",
                                                      usage.states)};
  if (usage.oldest_idle > idle_warn_.count())
    findings.push_back(ronda::warning("a transaction has been idle for ", span_text(usage.oldest_idle)));
  return ronda::worst(findings);
}

}  // namespace postgresql
