// SPDX-License-Identifier: Apache-2.0
// What a connection string says, by libpq's own parser: where it leads, for people, and what in it is secret.
// Never connects; what it names holds no password.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "answer.hpp"

namespace postgresql {

struct Target {
  std::string place;                 // "db1:5432/shop as monitor"
  std::string role;                  // "monitor", for the remedy "GRANT pg_monitor TO monitor"
  std::string options;               // the server options that the user asks for
  std::string key;                   // the same for two strings only if they lead to the same session
  std::vector<std::string> secrets;  // to scrub from texts
};

/// What a new session needs. Short-lived: it holds the password.
struct Login {
  std::string dsn;
  Target target;
};

Answer<Target> parse_dsn(const std::string& dsn);

}  // namespace postgresql
