// SPDX-License-Identifier: Apache-2.0
#include "expect.hpp"

#include <algorithm>

#include "peer.hpp"

namespace http {
namespace {

constexpr std::size_t excerpt_bytes = 256;

void add(std::string& text, std::string_view more) {
  if (!text.empty()) text += "; ";
  text += more;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, 80)) + (text.size() > 80 ? "...\"" : "\"");
}

std::string where(const Exchange& exchange) {
  return exchange.body_cut ? ronda::text("the first ", exchange.body.size(), " bytes of the body (max_body)") : "the body";
}

/// Without query and without the user and password that may stand before the host.
std::string shown_target(std::string_view target) {
  if (const auto url = parse_url(target)) return url->shown;
  const auto path = target.substr(0, target.find_first_of("?#"));
  const auto slashes = path.find("//");
  const auto at = path.rfind('@');
  if (slashes == path.npos || at == path.npos || at < slashes) return std::string(path);
  return std::string(path.substr(0, slashes + 2)) + std::string(path.substr(at + 1));
}

std::string wrong_status(const Exchange& exchange, const StatusCodes& expected) {
  auto text = ronda::text("HTTP ", exchange.status, ", expected ", expected.text);
  const auto target = exchange.header("location");
  if (exchange.status < 300 || exchange.status > 399 || !target) return text;
  return text + " (a redirect to " + shown_target(*target) + ", not followed)";
}

void check_body(const Exchange& exchange, const Expectations& expect, std::vector<std::string>& out) {
  if (expect.body && exchange.body.find(*expect.body) == exchange.body.npos)
    out.push_back(where(exchange) + " does not contain " + quoted(*expect.body));
  if (expect.body_regex && !expect.body_regex->search(exchange.body))
    out.push_back(where(exchange) + " does not match " + quoted(expect.body_regex->pattern()));
}

void check_headers(const Exchange& exchange, const Expectations& expect, std::vector<std::string>& out) {
  for (const auto& [name, condition] : expect.headers) {
    JsonValue value;
    if (const auto found = exchange.header(name)) {
      value.type = JsonValue::Type::string;
      value.string = *found;
    }
    if (!condition.holds(value)) out.push_back("header " + name + " is " + value.describe() + ", expected " + condition.text());
  }
}

void check_json(const Expectations& expect, const Document* document, std::vector<std::string>& out) {
  if (document == nullptr) return;
  for (const auto& [path, condition] : expect.json) {
    const auto value = document->find(path);
    if (!condition.holds(value)) out.push_back(path.text + " is " + value.describe() + ", expected " + condition.text());
  }
}

/// Why there is no document; empty when there is.
std::string parse_body(const Exchange& exchange, Document& document) {
  if (exchange.body_cut)
    return ronda::text("the body is larger than ", exchange.body.size(), " bytes (max_body), too large to be read as JSON");
  return document.parse(exchange.body);
}

/// The state a vendor's word stands for, with its words.
ronda::result apply_map(const StatusMap& map, const Document& document) {
  const auto value = document.find(map.path);
  if (value.type == JsonValue::Type::missing) return ronda::unknown("there is nothing at ", map.path.text);
  const auto word = value.type == JsonValue::Type::string ? std::string(value.string) : value.describe();
  const auto known = map.values.find(word);
  auto text = map.path.text + " is " + word.substr(0, 80);
  if (known == map.values.end()) text += ", which status_map does not list";
  if (map.text) {
    const auto words = document.find(*map.text);
    if (words.type == JsonValue::Type::string) text += " (" + std::string(words.string.substr(0, 200)) + ")";
  }
  return {known == map.values.end() ? map.other : known->second, std::move(text)};
}

/// Takes what can be read; tells what cannot.
ronda::result read_metrics(const Rules& rules, const Document& document, std::vector<FoundMetric>& out) {
  auto result = ronda::ok();
  for (const auto& rule : rules.metrics) {
    const auto value = document.find(rule.path);
    auto number = value.as_number();
    if (value.type == JsonValue::Type::boolean) number = value.boolean ? 1 : 0;
    if (number) {
      out.push_back({&rule, *number});
    } else if (!rule.optional || value.type != JsonValue::Type::missing) {
      result.status = ronda::status::unknown;
      add(result.summary, ronda::text("metric ", rule.name, ": ", rule.path.text, " is ", value.describe(), ", not a number"));
    }
  }
  return result;
}

/// The code stands in front already when it is what is wrong.
std::string answer_text(const Exchange& exchange, bool code_is_wrong) {
  const std::chrono::duration<double> took(exchange.timings.total);
  auto text = code_is_wrong ? ronda::text("it took ", took) : ronda::text("HTTP ", exchange.status, " in ", took);
  if (exchange.redirects > 0) text += ronda::text(" after ", exchange.redirects, " redirects");
  if (is_unverified(exchange)) text += not_verified;
  return text;
}

std::string excerpt(const Exchange& exchange) {
  if (exchange.body.empty()) return {};
  return "body: " + std::string(exchange.body.substr(0, excerpt_bytes)) + (exchange.body.size() > excerpt_bytes ? "..." : "");
}

void merge(ronda::result& into, ronda::result part) {
  into.status = ronda::worst(into.status, part.status);
  if (!part.summary.empty()) add(into.summary, part.summary);
}

ronda::result no_answer(const Exchange& exchange) {
  const auto failed = exchange.end == Exchange::End::failed;
  return {failed ? ronda::status::critical : ronda::status::unknown, exchange.failure};
}

}  // namespace

bool StatusCodes::contains(int code) const {
  if (ranges.empty()) return code >= 200 && code <= 299;
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& r) { return r.first <= code && code <= r.second; });
}

std::vector<std::string> broken(const Exchange& exchange, const Expectations& expect, const Document* document) {
  std::vector<std::string> out;
  if (!expect.status.contains(exchange.status)) out.push_back(wrong_status(exchange, expect.status));
  check_headers(exchange, expect, out);
  check_body(exchange, expect, out);
  check_json(expect, document, out);
  return out;
}

bool is_unverified(const Exchange& exchange) {
  return exchange.https && !exchange.verified;
}

ronda::result judge_certificate(std::optional<std::int64_t> end, std::int64_t min_days, std::int64_t now_s) {
  if (!end || min_days == 0) return ronda::ok();
  if (*end < now_s) return ronda::critical("the certificate expired on ", day(*end), ", ", days(now_s - *end), " ago");
  if ((*end - now_s) / 86400 >= min_days) return ronda::ok();
  return ronda::warning("the certificate ends in ", days(*end - now_s), " (", day(*end), "), fewer than ", min_days);
}

Verdict judge(const Exchange& exchange, const Rules& rules, Document& document, std::int64_t now_s) {
  if (exchange.end != Exchange::End::answered) return {no_answer(exchange), {}};
  Verdict verdict{ronda::ok(), {}};
  auto& result = verdict.result;
  const auto no_json = rules.needs_json() ? parse_body(exchange, document) : std::string();
  for (const auto& text : broken(exchange, rules.expect, rules.needs_json() && no_json.empty() ? &document : nullptr))
    merge(result, ronda::critical(text));
  if (!no_json.empty()) merge(result, ronda::critical(no_json));
  const bool as_expected = result.status == ronda::status::ok;
  if (rules.needs_json() && no_json.empty()) {
    auto metrics = read_metrics(rules, document, verdict.metrics);
    // of an answer that is wrong anyway nobody needs to hear that it also lacks numbers
    if (as_expected) {
      if (rules.status_map) merge(result, apply_map(*rules.status_map, document));
      merge(result, std::move(metrics));
    }
  }
  merge(result, judge_certificate(exchange.certificate_end, rules.min_days, now_s));
  if (result.status != ronda::status::ok) result.detail = excerpt(exchange);
  add(result.summary, answer_text(exchange, !rules.expect.status.contains(exchange.status)));
  return verdict;
}

}  // namespace http
