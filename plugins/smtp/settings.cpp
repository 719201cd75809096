// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <algorithm>
#include <charconv>

#include "address.hpp"
#include "outgoing/shown.hpp"

namespace smtp {
namespace {

Security read_security() {
  const auto name = ronda::cfg<std::string>("security");
  return name == "none" ? Security::none : name == "implicit" ? Security::implicit : Security::starttls;
}

Address read_from() {
  auto from = parse_address(ronda::cfg<std::string>("from"));
  if (!from) throw std::invalid_argument("from: " + from.error());
  return std::move(*from);
}

std::vector<ronda::reply<Address>> read_to(const ronda::value& list) {
  std::vector<ronda::reply<Address>> out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto one = parse_address(list.at(i).as<std::string>());
    if (!one) throw std::invalid_argument(ronda::text("to[", i, "]: ", one.error()));
    out.push_back(std::move(one));
  }
  return out;
}

/// It stands in a URL and then in a command: nothing but what a name may hold.
std::string safe_name(std::string name) {
  name.erase(std::remove_if(name.begin(), name.end(), [](char c) { return !is_host_character(c); }), name.end());
  return name.empty() ? "localhost" : name;
}

void check_login(const ronda::value& config, Security security) {
  const bool has_name = !config["username"].is_none(), has_password = !config["password"].is_none();
  if (has_name != has_password) throw std::invalid_argument("username and password belong together: one of them is missing");
  if (has_name && security == Security::none)
    throw std::invalid_argument(
        "security = \"none\" would send the password in plain text: use \"starttls\" or \"implicit\", or take username and password away");
}

}  // namespace

ronda::reply<Server> parse_server(const std::string& text) {
  const auto colon = text.rfind(':');
  Server out;
  if (colon != text.npos) {
    out.host = text.substr(0, colon);
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, out.port);
    if (error != std::errc() || stop != end) out.port = 0;
  }
  const bool is_bracketed = out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']';
  if (is_bracketed) out.host = out.host.substr(1, out.host.size() - 2);
  const bool is_host = !out.host.empty() && std::all_of(out.host.begin(), out.host.end(),
                                                        [&](char c) { return is_host_character(c) || (is_bracketed && c == ':'); });
  if (!is_host || out.port < 1 || out.port > 65535)
    return ronda::reply<Server>::failed(
        RONDA_E_INVALID, "server is host:port, as mail.example.com:587 or [2001:db8::1]:25, not \"" + shown::escape(text) + "\"");
  out.text = text;
  return out;
}

Settings read_settings(const ronda::value& config, const std::string& hostname) {
  Settings out;
  auto server = parse_server(ronda::cfg<std::string>("server"));
  if (!server) throw std::invalid_argument(server.error());
  out.server = std::move(*server);
  out.security = read_security();
  out.from = read_from();
  out.to = read_to(config["to"]);
  out.hello = safe_name(ronda::cfg<std::optional<std::string>>("hello").value_or(hostname));
  if (const auto ca = config["tls"]["ca"]) out.ca = ca.as<std::string>();
  out.connect_timeout = ronda::cfg<std::chrono::milliseconds>("connect_timeout");
  check_login(config, out.security);
  return out;
}

}  // namespace smtp
