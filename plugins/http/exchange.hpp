// SPDX-License-Identifier: Apache-2.0
// One request, how it may be made, and what came of it: the values between the client, which does the I/O, and
// the judges, which are pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "url.hpp"

namespace http {

constexpr std::size_t max_header_bytes = 64 * 1024;

using Header = std::pair<std::string, std::string>;

struct Request {
  Url url;
  std::string method = "GET";
  std::vector<Header> headers;
  std::string body;
  std::uint64_t id = 0;  ///< the same request has the same id, so that a client need not be set up anew; 0: none
};

struct Policy {
  bool verify = true;
  std::string ca;     ///< empty: the system's certificates
  std::string proxy;  ///< empty: none, whatever the environment says
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::seconds reuse{300};  ///< how long a connection is used again; zero: never
  std::size_t max_body = 1024 * 1024;
  int max_redirects = 0;
  std::vector<std::string> redirect_hosts;  ///< "host" or "host:port" in lower case: redirects may lead to any address of theirs
  bool cookies = false;
};

/// Seconds spent in each phase, summed over redirects. What a kept connection saves is 0.
struct Timings {
  double dns = 0, connect = 0, tls = 0, first_byte = 0, total = 0;

  Timings& operator+=(const Timings& more) {
    dns += more.dns;
    connect += more.connect;
    tls += more.tls;
    first_byte += more.first_byte;
    total += more.total;
    return *this;
  }
};

/// The texts are borrowed from the client until its next request.
struct Exchange {
  enum class End {
    answered,      ///< there is a status and a body to judge
    failed,        ///< the server did not answer as a web server should
    undetermined,  ///< our side: configuration, proxy, cancelled
  };
  End end = End::undetermined;
  std::string failure;  ///< why there is no answer
  int status = 0;
  std::string_view headers;  ///< of the last answer, as it came
  std::string_view body;
  bool body_cut = false;  ///< max_body was reached
  std::uint64_t size = 0;
  int redirects = 0;
  Timings timings;
  bool https = false;
  bool verified = true;
  std::optional<std::int64_t> certificate_end;  ///< seconds since 1970

  /// The first header of that name, without blanks around it; nothing when there is none.
  std::optional<std::string_view> header(std::string_view name) const;
};

}  // namespace http
