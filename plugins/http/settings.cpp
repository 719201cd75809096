// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <algorithm>
#include <charconv>

namespace http {
namespace {

using ronda::value;

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || marks.find(c) != marks.npos;
  });
}

[[noreturn]] void refuse(const std::string& key, std::string_view why) {
  throw std::invalid_argument(ronda::text(key, ": ", why));
}

/// 200, or "2xx", as a range.
std::pair<int, int> read_codes(const value& v) {
  if (v.type() == RONDA_TYPE_I64) {
    const auto code = v.as<std::int64_t>();
    if (code < 100 || code > 599) refuse(v.path(), "a status code is 100 to 599");
    return {static_cast<int>(code), static_cast<int>(code)};
  }
  const auto text = v.as<std::string>();
  if (text.size() == 3 && text[0] >= '1' && text[0] <= '5' && text.substr(1) == "xx")
    return {(text[0] - '0') * 100, (text[0] - '0') * 100 + 99};
  int code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc{} || end != text.data() + text.size() || code < 100 || code > 599)
    refuse(v.path(), "a status is a code like 200 or a class like \"2xx\", got '" + text + "'");
  return {code, code};
}

StatusCodes read_status(const value& v) {
  StatusCodes codes;
  if (!v) return codes;
  codes.text.clear();
  for (std::size_t i = 0; i < (v.is_list() ? v.size() : 1); ++i) {
    const auto range = read_codes(v.is_list() ? v.at(i) : v);
    codes.ranges.push_back(range);
    if (!codes.text.empty()) codes.text += " or ";
    codes.text += range.first == range.second ? std::to_string(range.first) : std::to_string(range.first / 100) + "xx";
  }
  return codes;
}

Condition read_condition(const value& v) {
  switch (v.type()) {
    case RONDA_TYPE_BOOL:
      return Condition::equals(v.as<bool>());
    case RONDA_TYPE_I64:
    case RONDA_TYPE_F64:
      return Condition::equals(v.as<double>());
    default:
      return or_refuse(Condition::from_text(v.as<std::string>()), v.path());
  }
}

ronda::status read_state(const value& v) {
  const auto word = v.as<std::string>();
  if (word == "ok") return ronda::status::ok;
  if (word == "warning") return ronda::status::warning;
  if (word == "critical") return ronda::status::critical;
  if (word == "unknown") return ronda::status::unknown;
  refuse(v.path(), "a state is ok, warning, critical or unknown, got '" + word + "'");
}

}  // namespace

Text::Text(value v) : value_(std::move(v)) {
  if (value_ && !value_.is_secret()) plain_ = value_.as<std::string>();
}

ronda::reply<std::string> Text::read(const OpenSecret& open) const {
  if (!value_.is_secret()) return plain_;
  const auto secret = open(value_);
  if (!secret) return ronda::reply<std::string>::failed(secret.code(), ronda::text(value_.path(), ": ", secret.error()));
  return std::string(secret.view());
}

void check_header(std::string_view name, std::string_view value) {
  if (!is_token(name)) refuse("headers", ronda::text("'", name, "' is no name of a header"));
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; };
  if (std::any_of(value.begin(), value.end(), is_control))
    refuse("headers", ronda::text("the value of ", name, " holds a control character (a line's end, perhaps)"));
}

bool RequestSettings::has_secret() const {
  return url.is_secret() || body.is_secret() ||
         std::any_of(headers.begin(), headers.end(), [](const auto& h) { return h.second.is_secret(); });
}

ronda::reply<Request> RequestSettings::read(const OpenSecret& open) const {
  using Failed = ronda::reply<Request>;
  Request request;
  const auto text = url.read(open);
  if (!text) return Failed::failed(text.code(), text.error());
  auto parsed = parse_url(*text);
  if (!parsed) return Failed::failed(RONDA_E_INVALID, parsed.error());
  request.url = std::move(*parsed);
  request.method = method;
  for (const auto& [name, header] : headers) {
    auto value = header.read(open);
    if (!value) return Failed::failed(value.code(), value.error());
    check_header(name, *value);
    request.headers.emplace_back(name, std::move(*value));
  }
  auto content = body.read(open);
  if (!content) return Failed::failed(content.code(), content.error());
  request.body = std::move(*content);
  return request;
}

std::string proxy_objection(std::string_view proxy) {
  const auto end = proxy.find("://");
  if (proxy.empty() || end == proxy.npos) return {};  // libcurl takes what has no scheme as http
  constexpr std::string_view schemes[] = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
  const auto scheme = proxy.substr(0, end);
  const auto same = [&](std::string_view known) {
    return std::equal(scheme.begin(), scheme.end(), known.begin(), known.end(), [](char a, char b) { return (a | 0x20) == b || a == b; });
  };
  if (std::any_of(std::begin(schemes), std::end(schemes), same)) return {};
  return "proxy: its scheme is not http, https, socks4, socks4a, socks5 or socks5h";
}

ronda::reply<Policy> PolicySettings::read(const OpenSecret& open) const {
  auto filled = policy;
  const auto text = proxy.read(open);
  if (!text) return ronda::reply<Policy>::failed(text.code(), text.error());
  if (auto why = proxy_objection(*text); !why.empty()) return ronda::reply<Policy>::failed(RONDA_E_INVALID, std::move(why));
  filled.proxy = *text;
  return filled;
}

RequestSettings read_request(const value& table) {
  RequestSettings settings;
  settings.url = Text(table["url"]);
  settings.method = table["method"].as<std::string>();
  settings.body = Text(table["body"]);
  const auto headers = table["headers"];
  for (std::size_t i = 0; i < headers.size(); ++i) {
    settings.headers.emplace_back(headers.key(i), Text(headers.at(i)));
    check_header(settings.headers.back().first, settings.headers.back().second.plain());
  }
  return settings;
}

PolicySettings read_policy(const value& config) {
  PolicySettings settings;
  auto& policy = settings.policy;
  const auto tls = config["tls"];
  policy.verify = tls["verify"].as<bool>();
  if (policy.verify == tls["insecure"].as<bool>())
    refuse("tls",
           "verify = false goes only together with insecure = true: without verification anybody on the way "
           "can answer in the server's place");
  policy.ca = tls["ca"].as<std::optional<std::string>>().value_or("");
  settings.proxy = Text(config["proxy"]);
  if (const auto why = proxy_objection(settings.proxy.plain()); !why.empty()) throw std::invalid_argument(why);
  policy.connect_timeout = config["connect_timeout"].as<std::chrono::milliseconds>();
  policy.reuse = config["reuse"].as<std::chrono::seconds>();
  policy.max_body = config["max_body"].as<std::size_t>();
  const auto hosts = config["redirect_hosts"];
  for (std::size_t i = 0; i < hosts.size(); ++i)
    policy.redirect_hosts.push_back(or_refuse(parse_host(hosts.at(i).as<std::string>()), hosts.at(i).path()));
  policy.max_redirects = config["follow_redirects"].as<bool>() ? config["max_redirects"].as<int>() : 0;
  return settings;
}

Expectations read_expectations(const value& table) {
  Expectations expect;
  expect.status = read_status(table["status"]);
  const auto headers = table["headers"];
  for (std::size_t i = 0; i < headers.size(); ++i) expect.headers.emplace_back(headers.key(i), read_condition(headers.at(i)));
  const auto json = table["json"];
  for (std::size_t i = 0; i < json.size(); ++i)
    expect.json.emplace_back(or_refuse(parse_json_path(json.key(i)), json.path()), read_condition(json.at(i)));
  expect.body = table["body"].as<std::optional<std::string>>();
  if (const auto regex = table["body_regex"]) expect.body_regex = or_refuse(Regex::compile(regex.as<std::string>()), regex.path());
  return expect;
}

std::vector<JsonMetric> read_metrics(const value& table) {
  std::vector<JsonMetric> metrics;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto entry = table.at(i);
    JsonMetric metric;
    metric.name = std::string(table.key(i));
    metric.path = or_refuse(parse_json_path(entry["path"].as<std::string>()), entry.path() + ".path");
    metric.unit = entry["unit"].as<std::string>();
    metric.counter = entry["kind"].as<std::string>() == "counter";
    metric.optional = entry["optional"].as<bool>();
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

std::optional<StatusMap> read_status_map(const value& table) {
  if (!table["path"]) {
    if (table["values"] || table["text"]) refuse(table.path(), "without `path` there is no word to look up");
    return std::nullopt;
  }
  if (table["values"].size() == 0) refuse(table.path(), "without `values` no word stands for a state");
  StatusMap map;
  map.path = or_refuse(parse_json_path(table["path"].as<std::string>()), table.path() + ".path");
  const auto values = table["values"];
  for (std::size_t i = 0; i < values.size(); ++i) map.values.emplace(values.key(i), read_state(values.at(i)));
  map.other = read_state(table["default"]);
  if (const auto text = table["text"]) map.text = or_refuse(parse_json_path(text.as<std::string>()), text.path());
  return map;
}

}  // namespace http
