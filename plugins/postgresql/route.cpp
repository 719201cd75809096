// SPDX-License-Identifier: Apache-2.0
#include "route.hpp"

#include <libpq-fe.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace postgresql {
namespace {

using Texts = std::vector<std::string>;

Texts split(std::string_view list) {
  Texts parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    parts.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

struct Host {
  std::string host, address, port;
};

/// As libpq sees them with service file and environment; none where it would complain, or take the usual socket.
std::vector<Host> hosts_of(const std::string& dsn) {
  // Tells what it reads only of a connection, so one is begun that it refuses before it asks for any name. With a password of
  // its own it looks for none.
  const char* keys[] = {"dbname", "password", "gssencmode", nullptr};
  const char* values[] = {dsn.c_str(), "-", "none such", nullptr};
  const std::unique_ptr<PGconn, void (*)(PGconn*)> refused(PQconnectStartParams(keys, values, 1), PQfinish);
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfo(refused.get()), PQconninfoFree);
  std::string host, address, port;
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "host") host = option->val;
    if (keyword == "hostaddr") address = option->val;
    if (keyword == "port") port = option->val;
  }
  if (host.empty()) return {};
  const Texts hosts = split(host), addresses = split(address), ports = split(port);
  if ((!address.empty() && addresses.size() != hosts.size()) || (ports.size() != 1 && ports.size() != hosts.size())) return {};
  std::vector<Host> all;
  for (std::size_t i = 0; i < hosts.size(); ++i)
    all.push_back({hosts[i], address.empty() ? std::string() : addresses[i], ports.size() == 1 ? port : ports[i]});
  return all;
}

bool is_numeric(const std::string& host) {
  addrinfo hint{};
  hint.ai_flags = AI_NUMERICHOST;
  hint.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hint, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

/// Else it is the directory of a socket, an address, or has one beside it.
bool is_name(const Host& host) {
  return host.address.empty() && !host.host.empty() && host.host[0] != '/' && host.host[0] != '@' && !is_numeric(host.host);
}

/// Host by host, in the order in which libpq tries them.
class Writer {
 public:
  void add(const Host& host, const std::string& address) {
    const char* const comma = is_empty() ? "" : ",";
    route_.host += comma + host.host;
    route_.hostaddr += comma + address;
    route_.port += comma + host.port;
    ++count_;
  }
  void leave_out(const std::string& problem) { route_.problems += problem + "; "; }
  bool is_empty() const { return count_ == 0; }
  Route take() { return std::move(route_); }

 private:
  Route route_;
  std::size_t count_ = 0;
};

}  // namespace

Answer<Route> find_route(const std::string& dsn, const Limits& limits) {
  const std::vector<Host> hosts = hosts_of(dsn);
  Texts names;
  bool has_other = false;
  for (const Host& host : hosts) {
    if (!is_name(host))
      has_other = true;
    else if (std::find(names.begin(), names.end(), host.host) == names.end())
      names.push_back(host.host);
  }
  if (names.empty()) return Route{};
  const auto resolved = look_up(names, has_other, limits);
  if (!resolved) return resolved.failure();
  Writer writer;
  for (const Host& host : hosts) {
    const auto is_it = [&host](const Resolved& one) { return one.name == host.host; };
    const auto found = std::find_if(resolved->begin(), resolved->end(), is_it);
    if (!is_name(host))
      writer.add(host, host.address);
    else if (found == resolved->end())
      writer.leave_out("the host name \"" + host.host + "\" was not resolved in time");
    else if (!found->problem.empty())
      writer.leave_out("could not translate host name \"" + host.host + "\" to address: " + found->problem);
    else
      for (const std::string& address : found->addresses) writer.add(host, address);
  }
  Route route = writer.take();
  if (!writer.is_empty()) return route;
  return Failure{Cause::connect, route.problems.substr(0, route.problems.size() - 2), ""};
}

}  // namespace postgresql
