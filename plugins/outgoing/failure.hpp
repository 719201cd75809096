// SPDX-License-Identifier: Apache-2.0
// Why a POST ended without a whole answer, in words: in which phase, for which cause. Pure.
#pragma once

#include <string>

#include "outgoing/url.hpp"

namespace outgoing {

/// What the library said at the end.
struct Ending {
  int code = 0;       ///< CURLcode
  std::string words;  ///< its own, may be empty
  int os_errno = 0;
  bool cancelled = false;
  bool resolved = false, connected = false, handshake_began = false, sent = false, answering = false;  ///< phases that were reached
  bool headers_too_large = false;
  bool by_proxy = false;
};

/// Names the peer as host:port and nothing else of the URL.
std::string explain(const Ending& ending, const Url& url);

}  // namespace outgoing
