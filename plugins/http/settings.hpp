// SPDX-License-Identifier: Apache-2.0
// The configuration of both procedures as values: read once when an instance is created, where everything that is
// wrong with it throws std::invalid_argument naming the key. Secrets are not read here but at each call.
#pragma once

#include <ronda/plugin.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "exchange.hpp"
#include "expect.hpp"

namespace http {

using OpenSecret = std::function<ronda::secret_view(const ronda::value&)>;

/// A string of the config; a secret one is opened anew at each call.
class Text {
 public:
  Text() = default;
  explicit Text(ronda::value value);

  bool is_secret() const { return value_.is_secret(); }
  bool is_empty() const { return value_.is_none(); }
  const std::string& plain() const { return plain_; }
  ronda::reply<std::string> read(const OpenSecret& open) const;

 private:
  ronda::value value_;
  std::string plain_;
};

struct RequestSettings {
  Text url;
  std::string method;
  std::vector<std::pair<std::string, Text>> headers;
  Text body;

  bool has_secret() const;
  /// The request as it will be sent; an error is UNKNOWN's summary.
  ronda::reply<Request> read(const OpenSecret& open) const;
};

struct PolicySettings {
  Policy policy;
  Text proxy;

  ronda::reply<Policy> read(const OpenSecret& open) const;
};

RequestSettings read_request(const ronda::value& table);
PolicySettings read_policy(const ronda::value& config);
Expectations read_expectations(const ronda::value& table);
std::vector<JsonMetric> read_metrics(const ronda::value& table);
std::optional<StatusMap> read_status_map(const ronda::value& table);

/// Throws for a header that could end the line it stands in.
void check_header(std::string_view name, std::string_view value);

/// The value of a reply, else its error as std::invalid_argument with the key in front.
template <class T>
T or_refuse(ronda::reply<T> reply, const std::string& key) {
  if (!reply) throw std::invalid_argument(key + ": " + reply.error());
  return std::move(*reply);
}

}  // namespace http
