// SPDX-License-Identifier: Apache-2.0
// Where a connection string leads, with the names of hosts looked up aside (lookup.hpp), so that libpq finds an address
// wherever it would ask the resolver, and block. What the string leaves to a service file or to the environment is read by libpq.
#pragma once

#include <string>

#include "lookup.hpp"

namespace postgresql {

/// For the keywords of the same names, as lists of one length: `host` stays, since certificates and password files go by it. All
/// empty: there is no name in it, libpq goes by the string alone.
struct Route {
  std::string host, hostaddr, port;
  std::string problems;  // of the hosts that are left out; each ends with "; "
};

Answer<Route> find_route(const std::string& dsn, const Limits& limits);

}  // namespace postgresql
