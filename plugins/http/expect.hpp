// SPDX-License-Identifier: Apache-2.0
// Judges an answer: what must hold (status AND headers AND body AND JSON), which state a vendor's word means,
// which metrics stand in the body, how long the certificate lasts. Pure; time is a parameter.
#pragma once

#include <ronda/result.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "condition.hpp"
#include "document.hpp"
#include "exchange.hpp"
#include "regex.hpp"

namespace http {

/// Accepted status codes, as inclusive ranges: 200, or "2xx". None given: 2xx.
struct StatusCodes {
  std::vector<std::pair<int, int>> ranges;
  std::string text = "2xx";

  bool contains(int code) const;
};

struct Expectations {
  StatusCodes status;
  std::vector<std::pair<std::string, Condition>> headers;
  std::vector<std::pair<JsonPath, Condition>> json;
  std::optional<std::string> body;  ///< must stand somewhere in it
  std::optional<Regex> body_regex;
};

struct JsonMetric {
  std::string name;
  JsonPath path;
  std::string unit;
  bool counter = false;
  bool optional = false;
};

/// A vendor's word in the body and the state it stands for.
struct StatusMap {
  JsonPath path;
  std::map<std::string, ronda::status, std::less<>> values;
  ronda::status other = ronda::status::unknown;
  std::optional<JsonPath> text;  ///< words for the summary
};

struct Rules {
  Expectations expect;
  std::vector<JsonMetric> metrics;
  std::optional<StatusMap> status_map;
  std::int64_t min_days = 0;

  bool needs_json() const { return !expect.json.empty() || !metrics.empty() || status_map.has_value(); }
};

struct FoundMetric {
  const JsonMetric* rule;
  double value;
};

struct Verdict {
  ronda::result result;
  std::vector<FoundMetric> metrics;
};

/// Every expectation that does not hold, in words; `document` is null when the body is no JSON.
std::vector<std::string> broken(const Exchange& exchange, const Expectations& expect, const Document* document);

/// What every summary says of an answer of which nobody knows whose it is.
inline constexpr std::string_view not_verified = " (TLS certificate NOT verified)";
bool is_unverified(const Exchange& exchange);

/// Whether a certificate lasts as long as `tls.min_days` wants; ok where there is none, or it is not asked.
ronda::result judge_certificate(std::optional<std::int64_t> end, std::int64_t min_days, std::int64_t now_s);

/// `document` is room to parse into, kept by the caller for values that are borrowed from it.
Verdict judge(const Exchange& exchange, const Rules& rules, Document& document, std::int64_t now_s);

}  // namespace http
