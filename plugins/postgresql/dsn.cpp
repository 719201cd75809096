// SPDX-License-Identifier: Apache-2.0
#include "dsn.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <memory>

#include "redact.hpp"

namespace postgresql {
namespace {

constexpr const char* remedy =
    "write postgresql://user@host:5432/database or host=... dbname=... user=...; in a URI write %40 for @, %3A for :, "
    "%2F for / in the password; in keywords quote a value with spaces";

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

bool is_uri(const std::string& dsn) {
  return dsn.rfind("postgresql://", 0) == 0 || dsn.rfind("postgres://", 0) == 0;
}

/// libpq takes the first '@' as the end of the user part, and a '/' before it as the end of the address: a piece of the
/// password would become the host, the port or the database, and appear in every message.
/// Empty when that is not so.
std::string_view password_spills(const std::string& dsn) {
  if (!is_uri(dsn)) return {};
  const std::size_t begin = dsn.find("//") + 2;
  const std::size_t end = dsn.find_first_of("@/", begin);
  if (end == std::string::npos) return {};
  if (dsn.substr(end + 1, dsn.find('?', end) - end - 1).find('@') == std::string::npos) return {};
  return dsn[end] == '@' ? "more than one '@' before the database name" : "a '/' before the '@'";
}

/// One for all hosts or one for each, as libpq reads them; an empty one is the usual port.
bool are_ports(std::string_view list) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    unsigned port = 0;
    const char* last = list.data() + end;
    const auto [stopped, problem] = std::from_chars(list.data() + begin, last, port);
    if (begin != end && (problem != std::errc() || stopped != last || port < 1 || port > 65535)) return false;
    begin = end + 1;
  }
  return true;
}

/// The password as it stands, percent-encoded or not.
void add_raw_password(const std::string& dsn, std::vector<std::string>& secrets) {
  if (!is_uri(dsn)) return;
  const std::size_t begin = dsn.find("//") + 2;
  const std::size_t colon = dsn.find(':', begin);
  const std::size_t at = dsn.find('@', begin);
  if (colon < at && at != std::string::npos) secrets.push_back(dsn.substr(colon + 1, at - colon - 1));
}

Target describe(const std::map<std::string, std::string>& given) {
  const auto get = [&](const char* key, const char* other) {
    const auto found = given.find(key);
    return found == given.end() || found->second.empty() ? std::string(other) : found->second;
  };
  Target target;
  target.role = get("user", "");
  target.options = get("options", "");
  const std::string service = get("service", "");
  target.place = get("host", get("hostaddr", service.empty() ? "local socket" : "").c_str());
  if (!service.empty()) target.place += "service " + service;
  target.place += ":" + get("port", "5432") + "/" + get("dbname", target.role.c_str());
  if (!target.role.empty()) target.place += " as " + target.role;
  return target;
}

}  // namespace

Answer<Target> parse_dsn(const std::string& dsn) {
  if (dsn.find_first_not_of(" \t\r\n") == std::string::npos) return Failure{Cause::setup, std::string("dsn: it is empty; ") + remedy, ""};
  if (const std::string_view why = password_spills(dsn); !why.empty())
    return Failure{Cause::setup, "dsn: " + std::string(why) + "; " + remedy, ""};
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(dsn.c_str(), &complaint));
  if (!parsed) {
    const std::string why = complaint == nullptr ? "out of memory" : scrub(mask_quoted(complaint), {});
    PQfreemem(complaint);
    return Failure{Cause::setup, "dsn: " + why + "; " + remedy, ""};
  }
  std::map<std::string, std::string> given;
  std::vector<std::string> secrets;
  std::string key;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const bool secret = option->dispchar[0] == '*';
    if (secret) secrets.emplace_back(option->val);
    else given.emplace(option->keyword, option->val);
    // Not the password itself: keys live as long as the plugin.
    const std::string value = secret ? std::to_string(std::hash<std::string>()(option->val)) : option->val;
    key += std::string(option->keyword) + '=' + value + '\n';
  }
  // Not quoted: it is what a '/' in the password makes of it.
  if (const auto port = given.find("port"); port != given.end() && !are_ports(port->second))
    return Failure{Cause::setup, std::string("dsn: the port is not a number from 1 to 65535; ") + remedy, ""};
  add_raw_password(dsn, secrets);
  Target target = describe(given);
  target.key = std::move(key);
  target.secrets = std::move(secrets);
  target.place = scrub(target.place, target.secrets);
  return target;
}

}  // namespace postgresql
