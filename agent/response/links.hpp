// SPDX-License-Identifier: Apache-2.0
// What a person may do by a link or a short code alone: take one incident, once, as the contact that it was made for, or for
// those who read at an address of many. Pure.
// Nothing is kept of those that were given out. Each names how often the incident had been taken when it was made and is dead
// as soon as it was taken once more: one use, also over a restart, for the count is the fold over the timeline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "incident/incident.hpp"
#include "notify/template.hpp"

namespace ronda::response {

struct LinkSettings {
  std::string key;       // of this agent alone; empty: none are made and none are good
  std::string base_url;  // [api] public_url without a slash at its end; empty: no links
  bool codes = false;    // replies by SMS can come in
};

struct Claim {
  std::string incident, contact;
  std::uint32_t acks = 0;     // Incident::acks when it was made
  std::int64_t until_ns = 0;  // whole seconds
  bool room = false;          // it was sent where many read: whoever has it is nobody in particular
  bool operator==(const Claim&) const = default;
};

inline constexpr std::int64_t link_lasts_ns = std::int64_t{24} * 3600 * 1'000'000'000;

/// "INC-20261129-K7Q2M4XD3A.cto.0.6b49d1c0.SIGNATURE"; of a room "INC-20261129-K7Q2M4XD3A.~ops-room.0.6b49d1c0.SIGNATURE"
std::string make_link(const LinkSettings& settings, const Claim& claim);
/// Errc::denied: none of this agent's; Errc::range: its time is over.
Result<Claim> read_link(const LinkSettings& settings, std::string_view token, std::int64_t now_ns);

/// What the contact sends back: six characters without I, L, O and U.
inline constexpr std::size_t code_characters = 6;
std::string make_code(const LinkSettings& settings, std::string_view incident, std::string_view contact, std::uint32_t acks);

/// Whether what was made when the incident had been taken so often still takes it. That nobody in particular has it (a room, a
/// user of this host) ends no link of a person's: the time to respond waits for one.
bool is_still_good(const incident::Incident& incident, std::uint32_t acks, bool room);

/// Of a message.
struct Reader {
  std::string_view contact;
  bool room = false;    // many read there
  bool by_sms = false;  // and can send a code back
};
/// `ack` and `ack_code` of a message; nothing where a person has the incident, or when it is over.
notify::Fields link_fields(const LinkSettings& settings, const incident::Incident& incident, const Reader& reader, std::int64_t now_ns);

}  // namespace ronda::response
