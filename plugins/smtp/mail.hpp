// SPDX-License-Identifier: Apache-2.0
// A message as a mail: header and body as they go over the wire, but for the dots that SMTP doubles. Pure.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>

#include "address.hpp"

namespace smtp {

constexpr std::size_t max_body_bytes = 256 * 1024;

/// The mail to one recipient. The same message has the same Message-ID in all attempts and for all recipients; all messages
/// of an incident name the same, never sent, mail as the one that they answer, which makes them a thread.
std::string make_mail(const ronda::message& message, const Address& from, const Address& to, ronda::wall_time now);

/// "<m-1@example.com>"
std::string message_id(std::string_view id, const Address& from);
std::string thread_id(std::string_view incident, const Address& from);

/// RFC 2045, 6.7: lines of at most 76 characters with CRLF, every byte other than a line's end as it was.
std::string quoted_printable(std::string_view text);

/// "Sun, 29 Nov 2026 09:05:07 +0000"
std::string mail_date(ronda::wall_time at);

}  // namespace smtp
