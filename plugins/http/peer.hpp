// SPDX-License-Identifier: Apache-2.0
// The certificates that a server showed, and in words why they are not trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "url.hpp"

namespace http {

/// Texts come from the server. Times are seconds since 1970.
struct PeerCertificate {
  std::string subject;  ///< its common name, or all of its name where it has none
  std::string issuer;
  std::string names;  ///< hosts that it is for, up to three
  std::optional<std::int64_t> begins, ends;
};

/// The server's own first. `easy` is a CURL* that has ended; empty where it knows none.
std::vector<PeerCertificate> peer_chain(void* easy);

/// Why the chain was refused: `verify_result` is the TLS library's code, `words` are libcurl's own: they tell of a wrong
/// name, and are taken where there is no chain or the code says something rare. Pure.
std::string distrust(long verify_result, const std::string& words, const std::vector<PeerCertificate>& chain, const Url& url,
                     std::int64_t now_s);

/// "2026-11-21" in UTC.
std::string day(std::int64_t unix_seconds);
/// "5 days", "1 day", "less than a day".
std::string days(std::int64_t seconds);

}  // namespace http
