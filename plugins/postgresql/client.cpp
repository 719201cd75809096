// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

namespace postgresql {

Client::Client(Pool& pool, Source source, const ronda::call& call)
    : pool_(pool), source_(std::move(source)), limits_(call) {}

Client::~Client() {
  if (session_ && session_->usable()) pool_.give_back(std::move(session_), source_.now());
}

Answer<bool> Client::connect() {
  if (session_) return true;
  session_ = pool_.take();
  kept_ = session_ != nullptr;
  return kept_ ? Answer<bool>(true) : reconnect();
}

Answer<bool> Client::reconnect() {
  session_.reset();
  kept_ = false;
  const auto login = source_.login();
  if (!login) return login.failure();
  auto opened = Session::open(login->dsn, login->target, limits_);
  if (!opened) return opened.failure();
  session_ = std::move(*opened);
  return true;
}

Answer<int> Client::version() {
  const auto connected = connect();
  if (!connected) return connected.failure();
  return server_version();
}

template <class Ask>
Answer<Rows> Client::ask(Ask&& ask) {
  const auto connected = connect();
  if (!connected) return connected.failure();
  Answer<Rows> answer = ask(*session_);
  const bool died = !answer && answer.failure().cause == Cause::lost;
  if (!died || !kept_) return answer;
  // What ended it (a restart, a fail-over) ended the others too.
  pool_.clear();
  const auto again = reconnect();
  if (!again) return again.failure();
  return ask(*session_);
}

Answer<Rows> Client::query(std::string_view sql) {
  return ask([&](Session& session) { return session.query(sql, limits_); });
}

Answer<Rows> Client::query_guarded(const std::string& sql, int max_rows) {
  return ask([&](Session& session) { return session.query_guarded(sql, max_rows, limits_); });
}

}  // namespace postgresql
