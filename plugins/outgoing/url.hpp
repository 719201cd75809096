// SPDX-License-Identifier: Apache-2.0
// URLs as far as a notifier must understand them: http and https only. The path of a webhook is as good as a password,
// so what may be shown ends before it. Pure.
#pragma once

#include <ronda/reply.hpp>

#include <string>
#include <string_view>

namespace outgoing {

struct Url {
  std::string text;  ///< whole, with what must not be shown
  std::string peer;  ///< host:port, which may be shown
  std::string host;
  bool https = false;
  bool host_is_address = false;  ///< an IP address: no name to resolve
};

/// The error shows nothing of the text.
ronda::reply<Url> parse_url(std::string_view text);

/// "https://api.example.com/v1/" and "messages" as one URL, with one slash between them.
std::string join_url(std::string_view base, std::string_view path);

}  // namespace outgoing
