// SPDX-License-Identifier: Apache-2.0
// Any text as a URL, a host and an address: both readers of URLs agree, what is shown holds nothing of user or query, digits are
// told from names as inet_pton tells them, and how near an address is agrees with a plain reading of its numbers. Through a gate
// that was left in public nothing leads to a private place.
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "http/reach.hpp"
#include "http/url.hpp"
#include "outgoing/url.hpp"

namespace {

using http::Endpoint;
using http::Reach;

void expect(bool holds) {
  if (!holds) std::abort();
}

/// By numbers, of IPv4 in the host's order; nothing where the registries are not simple.
Reach plain_reach(std::uint32_t address) {
  const auto within = [&](std::uint32_t start, int bits) { return (address ^ start) >> (32 - bits) == 0; };
  // where clouds tell their secrets
  if (address == 0x646464C8 || address == 0xA83F8110 || address == 0xC00000C0 || within(0xA9FE0000, 16)) return Reach::link;
  if (within(0x00000000, 8) || within(0x7F000000, 8)) return Reach::host;
  if (within(0xE0000000, 4) || address == 0xFFFFFFFF) return Reach::nowhere;
  const bool is_private = within(0x0A000000, 8) || within(0xAC100000, 12) || within(0xC0A80000, 16) || within(0x64400000, 10);
  const bool is_special = within(0xC0000000, 24) || within(0xC6120000, 15) || within(0xC0000200, 24) || within(0xC6336400, 24) ||
                          within(0xCB007100, 24) || within(0xF0000000, 4);
  return is_private || is_special ? Reach::network : Reach::world;
}

Reach plain_reach(const std::array<std::uint8_t, 16>& bytes) {
  in6_addr address;
  std::memcpy(&address, bytes.data(), bytes.size());
  const auto v4_at = [&](std::size_t at) {
    std::uint32_t inner = 0;
    std::memcpy(&inner, bytes.data() + at, sizeof inner);
    return plain_reach(ntohl(inner));
  };
  constexpr std::array<std::uint8_t, 12> nat64 = {0, 0x64, 0xff, 0x9b};
  if (IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_UNSPECIFIED(&address)) return Reach::host;
  if (IN6_IS_ADDR_V4MAPPED(&address) || IN6_IS_ADDR_V4COMPAT(&address)) return v4_at(12);
  if (std::equal(nat64.begin(), nat64.end(), bytes.begin())) return v4_at(12);
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return v4_at(2);
  if (IN6_IS_ADDR_MULTICAST(&address)) return Reach::nowhere;
  if (IN6_IS_ADDR_LINKLOCAL(&address)) return Reach::link;
  if (IN6_IS_ADDR_SITELOCAL(&address)) return Reach::network;
  return Reach::world;  // or less: see look_at_address
}

void look_at_address(const Endpoint& endpoint) {
  const Reach reach = http::reach_of(endpoint), plain = plain_reach(endpoint.bytes);
  expect(plain == Reach::world ? reach != Reach::host : reach == plain);
  const bool is_unique_local = (endpoint.bytes[0] & 0xfe) == 0xfc;
  expect(!is_unique_local || reach == Reach::network || reach == Reach::link);
  const auto again = http::endpoint_of(http::text_of(endpoint).c_str(), endpoint.port);
  expect(again && *again == endpoint);

  http::Gate gate;
  gate.went_to(*http::endpoint_of("93.184.216.34", 443));
  gate.close();
  const bool is_let = gate.lets(endpoint);
  expect(is_let ? reach == Reach::world && gate.refused().empty() : !gate.refused().empty());
}

void read_address(const std::string& text) {
  Endpoint wanted;
  std::array<std::uint8_t, 4> four{};
  const bool is_v6 = inet_pton(AF_INET6, text.c_str(), wanted.bytes.data()) == 1,
             is_v4 = inet_pton(AF_INET, text.c_str(), four.data()) == 1;
  if (is_v4) {
    wanted.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::copy(four.begin(), four.end(), wanted.bytes.begin() + 12);
  }
  wanted.port = 80;
  const auto endpoint = http::endpoint_of(text.c_str(), 80);
  expect(endpoint.has_value() == (is_v6 || is_v4));
  if (!endpoint) return;
  expect(*endpoint == wanted);
  look_at_address(*endpoint);
}

void read_url(std::string_view text) {
  const auto url = http::parse_url(text);
  const auto other = outgoing::parse_url(text);
  expect(url.has_value() == other.has_value());
  if (!url) return;
  expect(url->host == other->host && url->https == other->https && url->host_is_address == other->host_is_address && !url->host.empty());
  expect(url->shown.find_first_of("?#") == url->shown.npos);
  const std::string start = url->https ? "https://" : "http://";
  const std::string origin = url->origin, shown = url->shown;
  expect(origin.compare(0, start.size(), start) == 0 && shown.compare(0, start.size(), start) == 0);
  expect(origin.find_first_of("@/?#", start.size()) == origin.npos);
  expect(shown.substr(0, shown.find('/', start.size())).find('@') == shown.npos);
  expect(other->peer == origin.substr(start.size()));

  std::array<std::uint8_t, 16> bytes{};
  const bool has_brackets = url->host.front() == '[';
  const std::string inside = has_brackets ? url->host.substr(1, url->host.size() - 2) : url->host;
  const bool is_digits = inet_pton(has_brackets ? AF_INET6 : AF_INET, inside.c_str(), bytes.data()) == 1;
  expect(url->host_is_address == is_digits);
  if (is_digits) read_address(inside);
}

void read_host(std::string_view text) {
  const auto host = http::parse_host(text);
  if (!host) return;
  expect(host->find_first_of(std::string_view("\0/?#@ ", 6)) == host->npos);
  expect(std::none_of(host->begin(), host->end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
  if (host->find('%') != host->npos) return;  // of a name with an escape in it
  const auto url = http::parse_url("http://" + *host + "/path");
  expect(url.has_value() && http::is_host_of(*host, *url));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_url(text);
  read_host(text);
  read_address(std::string(text));
  Endpoint endpoint;
  endpoint.port = 80;
  std::copy_n(data, std::min<std::size_t>(size, 16), endpoint.bytes.begin());
  look_at_address(endpoint);
  return 0;
}
