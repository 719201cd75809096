// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <optional>

#include "cancel.hpp"
#include "redact.hpp"
#include "route.hpp"
#include "sql.hpp"

namespace postgresql {
namespace {

constexpr int cancel_ms = 400;  // each of: ask whether the server lives, wait for the statement's end

/// Every code has a digit, or "FATAL" would be one.
bool is_sqlstate(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 5 && std::any_of(text.begin(), text.end(), is_digit) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

/// The verbose form of a server's message is "FATAL:  28P01: text\nLOCATION:  ..." whatever its language. Takes
/// the code and the location out of the text again; the first code is returned.
std::string take_sqlstate(std::string& text) {
  std::string found;
  for (std::size_t at = text.find(": "); at != std::string::npos; at = text.find(": ", at + 1)) {
    const std::size_t code = text.find_first_not_of(' ', at + 1);
    if (code == std::string::npos || code + 7 > text.size() || text.compare(code + 5, 2, ": ") != 0) continue;
    const std::string state = text.substr(code, 5);
    if (!is_sqlstate(state)) continue;
    if (found.empty()) found = state;
    text.erase(code, 7);
  }
  for (std::size_t at = 0; (at = text.find("\nLOCATION: ")) != std::string::npos;) text.erase(at, text.find('\n', at + 1) - at);
  return found;
}

/// A statement of ours as pg_stat_statements shows it: the mark stands behind the first word, where every version keeps it.
std::string marked(std::string_view sql) {
  const auto word = std::min(sql.find(' '), sql.size());
  return std::string(sql.substr(0, word)) + " " + std::string(own_mark) + std::string(sql.substr(word));
}

/// Our settings come last: they hold whatever the connection string says.
std::string server_options(const Target& target, int statement_ms) {
  const std::string ms = std::to_string(statement_ms);
  return target.options + " -c default_transaction_read_only=on -c statement_timeout=" + ms +
         " -c lock_timeout=" + std::to_string(statement_ms / 2 + 1) + " -c jit=off";
}

/// A connection that could not begin: libpq names the server in front of what a server, the system or the resolver
/// refused; all else is about the connection string, and quotes it.
bool is_about_server(std::string_view text) {
  return text.find("connection to server ") != text.npos || text.find("could not translate host name ") != text.npos;
}

PGconn* start_connection(const std::string& dsn, const Route& route, const std::string& options) {
  // A later key overrides an earlier one, unless it is empty; `dbname` is expanded in place. GSS blocks: it must be asked for.
  const char* keys[] = {"gssencmode", "dbname", "host", "hostaddr", "port", "options", "client_encoding", "fallback_application_name",
                        nullptr};
  const char* values[] = {"disable", dsn.c_str(), route.host.c_str(), route.hostaddr.c_str(), route.port.c_str(), options.c_str(), "UTF8",
                          "ronda",   nullptr};
  return PQconnectStartParams(keys, values, 1);
}

}  // namespace

void Session::Finish::operator()(pg_conn* conn) const {
  PQfinish(conn);
}

int Session::server_version() const {
  return PQserverVersion(conn_.get());
}
int Session::backend_pid() const {
  return PQbackendPID(conn_.get());
}

Answer<std::unique_ptr<Session>> Session::open(const std::string& dsn, const Target& target, const Limits& limits) {
  const auto route = find_route(dsn, limits);
  if (!route) return Failure{route.failure().cause, scrub(route.failure().text, target.secrets), ""};
  const int statement_ms = limits.statement_ms();
  std::unique_ptr<Session> session(new Session(start_connection(dsn, *route, server_options(target, statement_ms)), target.secrets));
  PGconn* conn = session->conn_.get();
  const auto refused = [&] {
    std::string text = PQerrorMessage(conn);
    std::string sqlstate = take_sqlstate(text);
    std::string why = scrub(text.empty() ? text : route->problems + text, target.secrets);
    return Failure{Cause::connect, why.empty() ? "no connection to " + target.place : why, std::move(sqlstate)};
  };
  if (conn == nullptr) return Failure{Cause::setup, "out of memory", ""};
  if (PQstatus(conn) == CONNECTION_BAD) {
    if (is_about_server(PQerrorMessage(conn))) return refused();
    return Failure{Cause::setup, "dsn: " + scrub(mask_quoted(PQerrorMessage(conn)), target.secrets), ""};
  }
  PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      conn, [](void*, const char*) {}, nullptr);
  for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK; state = PQconnectPoll(conn)) {
    if (state == PGRES_POLLING_FAILED) return refused();
    const Woken woken = limits.wait(PQsocket(conn), state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    if (woken == Woken::cancelled) return Failure{Cause::cancelled, "cancelled while connecting", ""};
    if (woken == Woken::timeout)
      return Failure{Cause::timeout, "no connection to " + target.place + " in time: the host does not answer", ""};
  }
  PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
  PQsetnonblocking(conn, 1);
  session->statement_ms_ = statement_ms;
  return session;
}

/// The server's limit is kept as long as it ends a statement before this run ends and leaves it half the time; else
/// the statement that sets another.
std::string Session::new_timeout(const Limits& limits) {
  const int allowed = limits.left_ms() / 100 * 95 + 1;
  if (statement_ms_ > 0 && statement_ms_ <= allowed && statement_ms_ >= allowed / 2) return {};
  statement_ms_ = limits.statement_ms();
  return marked("SET statement_timeout = ") + std::to_string(statement_ms_);
}

Answer<Rows> Session::query(std::string_view sql, const Limits& limits) {
  std::string prefix = new_timeout(limits);
  if (!prefix.empty()) prefix += "; ";
  if (PQsendQuery(conn_.get(), (prefix + marked(sql)).c_str()) != 1) return lost();
  Answer<Rows> answer = collect(0, limits);
  // The SET went with the statement: an error took it back.
  if (!answer && !prefix.empty()) statement_ms_ = 0;
  return answer;
}

Answer<Rows> Session::query_guarded(const std::string& sql, int max_rows, const Limits& limits) {
  PGconn* conn = conn_.get();
  const std::string timeout = new_timeout(limits);
  const std::string declare = marked("DECLARE ronda NO SCROLL CURSOR FOR ") + sql;
  const std::string fetch = marked("FETCH FORWARD ") + std::to_string(max_rows) + " FROM ronda";
  const auto send = [conn](const std::string& text) {
    return PQsendQueryParams(conn, text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
  };
  // Each is a message of its own, so `sql` cannot smuggle in a second statement, and what it sets goes with the
  // transaction. All leave in one write; a new limit stands apart, or it would go with the transaction, too.
  bool sent = PQenterPipelineMode(conn) == 1;
  if (!timeout.empty()) sent = sent && send(timeout) && PQpipelineSync(conn) == 1;
  sent = sent && send(marked("BEGIN READ ONLY")) && send(declare) && send(fetch) && send(marked("ROLLBACK")) && PQpipelineSync(conn) == 1;
  if (!sent) return lost();
  Answer<Rows> answer = collect(timeout.empty() ? 1 : 2, limits, max_guarded_bytes);
  if (!answer && !timeout.empty()) statement_ms_ = 0;
  if (usable_ && PQexitPipelineMode(conn) != 1) usable_ = false;
  // An error skips what stands behind it, the ROLLBACK too.
  if (usable_ && PQtransactionStatus(conn) != PQTRANS_IDLE) roll_back(limits);
  return answer;
}

/// The session is of use again only outside of the transaction.
void Session::roll_back(const Limits& limits) {
  if (PQsendQuery(conn_.get(), marked("ROLLBACK").c_str()) != 1) return void(usable_ = false);
  static_cast<void>(collect(0, limits));
  if (PQtransactionStatus(conn_.get()) != PQTRANS_IDLE) usable_ = false;
}

/// What the answers to one message, or to a pipeline, amount to: the first error, else the last rows.
struct Session::Collector {
  const std::vector<std::string>& secrets;
  std::optional<Rows> rows;
  std::optional<Failure> failure;
  int syncs = 0;
  bool by_row = false;

  void take(PGresult* result) {
    Rows owned(result);
    switch (PQresultStatus(result)) {
      case PGRES_TUPLES_OK:
        if (!by_row) rows = std::move(owned);  // else it ends what came by row
        by_row = false;
        break;
      case PGRES_SINGLE_TUPLE:
        if (by_row) {
          rows->append(result);
        } else {
          rows = std::move(owned);  // still there, and tells the columns
          rows->append(result);
        }
        by_row = true;
        break;
      case PGRES_PIPELINE_SYNC:
        ++syncs;
        break;
      case PGRES_FATAL_ERROR:
        if (!failure) failure = refused(result);
        break;
      default:
        break;
    }
  }

  Failure refused(PGresult* result) const {
    const auto field = [&](int code) {
      const char* text = PQresultErrorField(result, code);
      return std::string(text == nullptr ? "" : text);
    };
    std::string why = field(PG_DIAG_MESSAGE_PRIMARY);
    if (why.empty()) why = PQresultErrorMessage(result);
    return {Cause::statement, scrub(why, secrets), field(PG_DIAG_SQLSTATE)};
  }
};

Answer<Rows> Session::collect(int syncs, const Limits& limits, std::size_t max_bytes) {
  Collector collector{secrets_, {}, {}, 0, false};
  const Woken flushed = flush(limits);
  if (flushed != Woken::ready) return stop(flushed);
  for (int ends = 0; ends < 2;) {
    // Asked anew for each statement of a pipeline, before anything of it is read: rows are counted as they come.
    if (max_bytes > 0) PQsetSingleRowMode(conn_.get());
    const Woken woken = read(limits);
    if (woken != Woken::ready) return stop(woken);
    PGresult* result = PQgetResult(conn_.get());
    // A pipeline has one end after each statement; two in a row, and there is nothing more to come.
    ends = result == nullptr ? ends + 1 : 0;
    if (result == nullptr && syncs == 0) break;
    if (result != nullptr) collector.take(result);
    if (max_bytes > 0 && collector.rows && collector.rows->bytes() > max_bytes) {
      stop(Woken::cancelled);
      return Failure{Cause::statement,
                     "the statement returns more than " + std::to_string(max_bytes >> 20) +
                         " MiB: narrow its columns, or lower max_rows and aggregate",
                     ""};
    }
    if (syncs > 0 && collector.syncs == syncs) break;
  }
  if (PQstatus(conn_.get()) == CONNECTION_BAD) {
    usable_ = false;
    const std::string why = collector.failure ? collector.failure->text : scrub(PQerrorMessage(conn_.get()), secrets_);
    return Failure{Cause::lost, why, collector.failure ? collector.failure->sqlstate : ""};
  }
  if (collector.failure) return *std::move(collector.failure);
  if (!collector.rows) return Failure{Cause::statement, "the statement returns no rows", ""};
  return *std::move(collector.rows);
}

Woken Session::flush(const Limits& limits) {
  int state = 0;
  while ((state = PQflush(conn_.get())) == 1) {
    const Woken woken = limits.wait(PQsocket(conn_.get()), POLLIN | POLLOUT);
    if (woken != Woken::ready) return woken;
    if (PQconsumeInput(conn_.get()) != 1) break;
  }
  return Woken::ready;  // a broken connection shows in what is read
}

Woken Session::read(const Limits& limits) {
  while (PQisBusy(conn_.get()) != 0) {
    const Woken woken = limits.wait(PQsocket(conn_.get()), POLLIN);
    if (woken != Woken::ready) return woken;
    if (PQconsumeInput(conn_.get()) != 1) break;
  }
  return Woken::ready;
}

/// The run is over and the statement is not: end it, and keep the session only if it ended.
Failure Session::stop(Woken why) {
  const bool in_pipeline = PQpipelineStatus(conn_.get()) != PQ_PIPELINE_OFF;
  usable_ = cancel_statement(conn_.get(), cancel_ms) && !in_pipeline && drain(cancel_ms);
  if (why == Woken::cancelled) return {Cause::cancelled, "cancelled while the server was working", ""};
  return {Cause::timeout, "no answer from the server in time", ""};
}

bool Session::drain(int timeout_ms) {
  while (true) {
    while (PQisBusy(conn_.get()) != 0)
      if (!wait_for(PQsocket(conn_.get()), POLLIN, timeout_ms) || PQconsumeInput(conn_.get()) != 1) return false;
    PGresult* result = PQgetResult(conn_.get());
    if (result == nullptr) return PQstatus(conn_.get()) == CONNECTION_OK;
    PQclear(result);
  }
}

Failure Session::lost() {
  usable_ = false;
  return {Cause::lost, scrub(PQerrorMessage(conn_.get()), secrets_), ""};
}

}  // namespace postgresql
