// SPDX-License-Identifier: Apache-2.0
// What a check asks its questions through during one run: takes a kept session or opens one, reconnects once
// when a kept one turns out to be dead, and gives the session back at the end. Statements only read, so asking
// again is safe. Never outlives the run.
#pragma once

#include <functional>

#include "pool.hpp"

namespace postgresql {

class Client {
 public:
  struct Source {
    /// Read anew for each connection: a rotated password is picked up.
    std::function<Answer<Login>()> login;
    std::function<std::chrono::nanoseconds()> now;
  };

  Client(Pool& pool, Source source, const ronda::call& call);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Answer<Rows> query(std::string_view sql);
  Answer<Rows> query_guarded(const std::string& sql, int max_rows);
  /// Opens a session of this run's own, whatever is kept.
  Answer<bool> reconnect();
  /// 0 without a session.
  int server_version() const { return session_ ? session_->server_version() : 0; }
  /// The same, connecting first if nothing was asked yet.
  Answer<int> version();

 private:
  Answer<bool> connect();
  template <class Ask>
  Answer<Rows> ask(Ask&& ask);

  Pool& pool_;
  Source source_;
  Limits limits_;
  std::unique_ptr<Session> session_;
  bool kept_ = false;  // the session was used by an earlier run
};

}  // namespace postgresql
