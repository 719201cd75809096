// SPDX-License-Identifier: Apache-2.0
// URLs as far as this plugin must understand them: http and https only, an origin to keep connections by, and
// a form without userinfo, query and fragment that may be shown. Pure.
#pragma once

#include <ronda/reply.hpp>

#include <string>
#include <string_view>

namespace http {

struct Url {
  std::string text;    ///< whole, with what must not be shown
  std::string shown;   ///< scheme://host:port/path
  std::string origin;  ///< scheme://host:port
  std::string host;
  bool https = false;
  bool host_is_address = false;  ///< an IP address: no name to resolve
};

/// "host" or "host:port" as redirect_hosts has it, in lower case.
ronda::reply<std::string> parse_host(std::string_view text);
/// Whether that is the URL's host, and its port where one is named.
bool is_host_of(std::string_view host, const Url& url);

/// The error never repeats the URL's userinfo or query.
ronda::reply<Url> parse_url(std::string_view text);

}  // namespace http
