// SPDX-License-Identifier: Apache-2.0
// Ends a statement from outside its session. libpq's own request blocks for as long as the server likes, so
// it is sent only to a server that has just answered another question in time.
#pragma once

struct pg_conn;

namespace postgresql {

/// True if the request was delivered. Takes about as long as the server takes to answer, at most
/// `timeout_ms` when it does not answer at all.
bool cancel_statement(pg_conn* conn, int timeout_ms);

}  // namespace postgresql
