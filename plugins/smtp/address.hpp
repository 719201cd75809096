// SPDX-License-Identifier: Apache-2.0
// Mail addresses as they may stand in an envelope and in a header: ASCII, and nothing in them that means something to either.
// Pure.
#pragma once

#include <ronda/reply.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace smtp {

struct Address {
  std::string name;     ///< for people; may be empty, may hold anything
  std::string address;  ///< user@host
  std::string host() const { return address.substr(address.rfind('@') + 1); }
};

/// Of a host's name, or of an address in its place.
bool is_host_character(char c);

/// "user@host" or "Name <user@host>"; the error says what is wrong with it.
ronda::reply<Address> parse_address(std::string_view text);

/// Some of them with commas between, each good or not; an empty text has none.
std::vector<ronda::reply<Address>> parse_addresses(std::string_view text);

}  // namespace smtp
