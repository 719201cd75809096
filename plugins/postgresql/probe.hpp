// SPDX-License-Identifier: Apache-2.0
// What all checks of PostgreSQL share: the option dsn, the kept session, the SQL of the server's version, and
// the rule that what could not be measured is UNKNOWN, with the remedy, and never CRITICAL.
#pragma once

#include <ronda/plugin.hpp>

#include "client.hpp"
#include "sql.hpp"

namespace postgresql {

class Probe : public ronda::check {
 public:
  ronda::result run(ronda::call& call) final;

 protected:
  virtual ronda::result measure(Client& client, ronda::call& call) = 0;
  /// What it means that the server gave no answer.
  virtual ronda::result failed(const Failure& failure) const;

  /// The statement in the form for this server, with nothing left to fill in.
  Answer<Rows> ask(Client& client, Statement statement);
  /// The statement's text, for what has {braces}.
  Answer<std::string> text_for(Client& client, Statement statement);

  /// "db1:5432/shop as monitor"
  const std::string& place() const { return place_; }
  const std::string& role() const { return role_; }
  /// "no such column: x (GRANT ...)"
  std::string explain(const Failure& failure) const;

 private:
  Answer<Login> login() const;

  std::shared_ptr<Pool> pool_;
  std::string place_;
  std::string role_;
  int version_ = 0;  // of the server that was last spoken to
};

/// For `schema IN (...)`: the list as literals; {any_schema} is whether it is empty.
std::string fill_schemas(std::string_view sql, const std::vector<std::string>& schemas);

}  // namespace postgresql
