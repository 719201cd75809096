// SPDX-License-Identifier: Apache-2.0
// Why a transfer ended without an answer, in words: which phase, which cause, whose fault. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "exchange.hpp"
#include "peer.hpp"

namespace http {

/// What the library said at the end; times are seconds since the start, 0 for a phase that was not reached.
struct Ending {
  int code = 0;      ///< CURLcode
  std::string text;  ///< its own words, may be empty
  int os_errno = 0;
  double resolved = 0, connected = 0, secured = 0, ready = 0, first_byte = 0, total = 0;
  std::uint64_t received = 0;  ///< bytes of body
  bool headers_too_large = false;
  bool handshake_began = false;  ///< `connected` is told only after it
  bool by_proxy = false;
  long verify_result = 0;              ///< of the TLS library, of a chain that it refused
  std::vector<PeerCertificate> chain;  ///< what the server showed, when it was not trusted
  std::int64_t now_s = 0;              ///< by which it was judged
};

struct Failure {
  Exchange::End end = Exchange::End::failed;
  std::string text;
};

Failure explain(const Ending& ending, const Url& url);

}  // namespace http
