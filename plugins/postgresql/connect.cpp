// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"
#include "remedy.hpp"

namespace postgresql {

/// For this check no answer is the finding itself, except where nothing was asked of the server.
ronda::result Connect::failed(const Failure& failure) const {
  ronda::result result = Probe::failed(failure);
  const bool asked = failure.cause != Cause::setup && failure.cause != Cause::cancelled;
  const bool no_answer = failure.cause != Cause::statement || failure.sqlstate == "57014";
  if (asked && no_answer) result.status = ronda::status::critical;
  return result;
}

ronda::result Connect::measure(Client& client, ronda::call& call) {
  if (new_session_) {
    const auto connected = client.reconnect();
    if (!connected) return failed(connected.failure());
  }
  const auto begun = clock().mono();
  const auto rows = ask(client, Statement::ping);
  if (!rows) return failed(rows.failure());
  const auto took = clock().mono() - begun;
  call.metric("response", took);
  return ronda::ok("PostgreSQL ", version_text(client.server_version()), " at ", place(), " answered in ", took);
}

}  // namespace postgresql
