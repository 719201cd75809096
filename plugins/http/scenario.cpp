// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"

#include <strings.h>

#include <algorithm>

#include "call.hpp"

namespace http {
namespace {

using ronda::value;

constexpr std::size_t max_value_bytes = 8 * 1024;

/// With every place filled by a word, so that what is around them can be checked at creation.
std::string with_samples(const std::string& pattern, const std::string& key, const std::set<std::string>& known) {
  Values samples;
  for (const auto& name : or_refuse(names_in(pattern), key)) {
    if (known.count(name) == 0) throw std::invalid_argument(key + ": no earlier step extracts {{" + name + "}}");
    samples[name] = "x";
  }
  return or_refuse(fill(pattern, samples, Place::url), key);
}

/// A value may fill path and query; who is asked stands in the config alone.
void check_url(const std::string& pattern, const std::string& key, const std::set<std::string>& known) {
  const auto authority = pattern.find("://");
  const auto path = authority == pattern.npos ? 0 : pattern.find_first_of("/?#", authority + 3);
  if (pattern.find("{{") < path)
    throw std::invalid_argument(key + ": {{name}} may stand in the path and the query only, not in scheme, host or port");
  or_refuse(parse_url(with_samples(pattern, key, known)), key);
}

void check_names(const Step& step, const std::string& key, const std::set<std::string>& known) {
  if (!step.request.url.is_secret()) check_url(step.request.url.plain(), key + ".url", known);
  for (const auto& [name, text] : step.request.headers) with_samples(text.plain(), key + ".headers." + name, known);
  with_samples(step.request.body.plain(), key + ".body", known);
}

Extraction read_extraction(std::string_view name, const value& table) {
  Extraction extraction;
  extraction.name = std::string(name);
  if (const auto names = names_in("{{" + extraction.name + "}}"); !names)
    throw std::invalid_argument(table.path() + ": " + names.error());
  if ((table["json"] ? 1 : 0) + (table["regex"] ? 1 : 0) + (table["header"] ? 1 : 0) != 1)
    throw std::invalid_argument(table.path() + ": give exactly one of json, regex and header");
  if (table["json"]) {
    extraction.path = or_refuse(parse_json_path(table["json"].as<std::string>()), table.path() + ".json");
  } else if (table["regex"]) {
    extraction.from = Extraction::From::regex;
    extraction.regex = or_refuse(Regex::compile(table["regex"].as<std::string>()), table.path() + ".regex");
  } else {
    extraction.from = Extraction::From::header;
    extraction.header = table["header"].as<std::string>();
  }
  return extraction;
}

Step read_step(const value& table, std::size_t number) {
  Step step;
  step.name = table["name"].as<std::optional<std::string>>().value_or(ronda::text("step ", number));
  step.request = read_request(table);
  step.expect = read_expectations(table["expect"]);
  const auto wanted = table["extract"];
  for (std::size_t i = 0; i < wanted.size(); ++i)
    step.extract.push_back(read_extraction(wanted.key(i), wanted.at(i)));
  return step;
}

std::optional<std::string> extracted(const Exchange& exchange, const Extraction& wanted, const Document* document) {
  const auto copy = [](std::optional<std::string_view> text) {
    return text ? std::optional<std::string>(*text) : std::nullopt;
  };
  switch (wanted.from) {
    case Extraction::From::header: return copy(exchange.header(wanted.header));
    case Extraction::From::regex: return copy(wanted.regex->extract(exchange.body));
    case Extraction::From::json: break;
  }
  if (document == nullptr) return std::nullopt;
  const auto value = document->find(wanted.path);
  switch (value.type) {
    case JsonValue::Type::string: return std::string(value.string);
    case JsonValue::Type::number:
    case JsonValue::Type::boolean: return value.describe();
    default: return std::nullopt;
  }
}

std::string place_text(const Extraction& wanted) {
  switch (wanted.from) {
    case Extraction::From::header: return "header " + wanted.header;
    case Extraction::From::regex: return "a match of '" + wanted.regex->pattern() + "'";
    default: return wanted.path.text;
  }
}

bool needs_json(const Step& step) {
  return !step.expect.json.empty() ||
         std::any_of(step.extract.begin(), step.extract.end(),
                     [](const Extraction& e) { return e.from == Extraction::From::json; });
}

std::string_view content_type(const Request& request) {
  for (const auto& [name, text] : request.headers)
    if (strcasecmp(name.c_str(), "content-type") == 0) return text;
  return {};
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

}  // namespace

std::vector<Step> read_steps(const value& list) {
  std::vector<Step> steps;
  std::set<std::string> known, names;
  for (std::size_t i = 0; i < list.size(); ++i) {
    steps.push_back(read_step(list.at(i), i + 1));
    check_names(steps.back(), list.at(i).path(), known);
    if (!names.insert(steps.back().name).second)
      throw std::invalid_argument(list.at(i).path() + ".name: two steps are called '" + steps.back().name + "'");
    for (const auto& wanted : steps.back().extract) known.insert(wanted.name);
  }
  return steps;
}

ronda::reply<Request> fill_request(const Step& step, const Values& values, const OpenSecret& open) {
  using Failed = ronda::reply<Request>;
  const auto url_pattern = step.request.url.read(open);
  if (!url_pattern) return Failed::failed(url_pattern.code(), url_pattern.error());
  const auto url = fill(*url_pattern, values, Place::url);
  if (!url) return Failed::failed(url.code(), url.error());
  auto parsed = parse_url(*url);
  if (!parsed) return Failed::failed(parsed.code(), parsed.error());
  Request request;
  request.url = std::move(*parsed);
  request.method = step.request.method;
  for (const auto& [name, text] : step.request.headers) {
    const auto pattern = text.read(open);
    if (!pattern) return Failed::failed(pattern.code(), pattern.error());
    auto filled = fill(*pattern, values, Place::header);
    if (!filled) return Failed::failed(filled.code(), filled.error());
    request.headers.emplace_back(name, std::move(*filled));
  }
  const auto body_pattern = step.request.body.read(open);
  if (!body_pattern) return Failed::failed(body_pattern.code(), body_pattern.error());
  auto body = fill(*body_pattern, values, place_of_body(content_type(request), *body_pattern));
  if (!body) return Failed::failed(body.code(), body.error());
  request.body = std::move(*body);
  return request;
}

std::string extract(const Exchange& exchange, const Step& step, const Document* document, Values& values) {
  for (const auto& wanted : step.extract) {
    auto found = extracted(exchange, wanted, document);
    if (!found) return "{{" + wanted.name + "}}: there is no text at " + place_text(wanted);
    if (found->size() > max_value_bytes)
      return ronda::text("{{", wanted.name, "}}: the value has more than ", max_value_bytes, " bytes");
    values[wanted.name] = std::move(*found);
  }
  return {};
}

ScenarioCheck::ScenarioCheck()
    : steps_(read_steps(config()["steps"])), policy_(read_policy(config())),
      min_days_(config()["tls"]["min_days"].as<std::int64_t>()) {
  policy_.policy.cookies = true;
}

ronda::result ScenarioCheck::run_step(ronda::call& call, Client& client, const Policy& policy, const Step& step,
                                      Passage& passage) {
  const auto request = fill_request(step, passage.values, [this](const value& option) { return secret(option); });
  if (!request) return ronda::unknown(request.error());
  const auto exchange = client.perform(*request, policy, limits_of(call));
  if (exchange.end != Exchange::End::answered)
    return {exchange.end == Exchange::End::failed ? ronda::status::critical : ronda::status::unknown, exchange.failure};
  passage.total += exchange.timings.total;
  passage.unverified = passage.unverified || is_unverified(exchange);
  if (exchange.certificate_end && (!passage.certificate_end || *exchange.certificate_end < *passage.certificate_end)) {
    passage.certificate_end = exchange.certificate_end;
    passage.certificate_of = step.name;
  }
  call.metric("step", exchange.timings.total, ronda::seconds, {}, {}, {{"step", step.name}});
  Document document;
  std::string no_json;
  if (needs_json(step)) no_json = exchange.body_cut ? "the body is not JSON (max_body was reached)" : document.parse(exchange.body);
  const auto* parsed = needs_json(step) && no_json.empty() ? &document : nullptr;
  auto wrong = broken(exchange, step.expect, parsed);
  if (!no_json.empty()) wrong.push_back(no_json);
  if (wrong.empty()) {
    const auto missing = extract(exchange, step, parsed, passage.values);
    if (!missing.empty()) wrong.push_back(missing);
  }
  return wrong.empty() ? ronda::ok() : ronda::critical(joined(wrong));
}

ronda::result ScenarioCheck::run(ronda::call& call) {
  const auto policy = policy_.read([this](const value& option) { return secret(option); });
  if (!policy) return ronda::unknown(policy.error());
  Lease client(*clients_, "scenario " + steps_.front().request.url.plain());
  client->clean();  // no cookies of another run
  Passage passage;
  ronda::result ended = ronda::ok();
  std::size_t done = 0;
  for (; done < steps_.size() && ended.status == ronda::status::ok; ++done)
    ended = run_step(call, *client, *policy, steps_[done], passage);
  client->clean();
  const bool stopped = ended.status != ronda::status::ok;
  call.metric("steps_done", stopped ? done - 1 : done);
  if (stopped)
    ended.summary = ronda::text("step ", done, " of ", steps_.size(), " (", steps_[done - 1].name, "): ", ended.summary);
  else
    ended.summary = ronda::text(steps_.size(), " steps in ", std::chrono::duration<double>(passage.total));
  if (!stopped) call.metric("total", passage.total, ronda::seconds);
  const auto now_s = unix_seconds(clock().wall());
  if (passage.certificate_end) call.metric("certificate_left", *passage.certificate_end - now_s, ronda::seconds);
  const auto certificate = judge_certificate(passage.certificate_end, min_days_, now_s);
  if (certificate.status != ronda::status::ok) {
    const auto text = ronda::text("step ", passage.certificate_of, ": ", certificate.summary);
    // what is worse stands first
    ended.summary = stopped ? ended.summary + "; " + text : text + "; " + ended.summary;
    ended.status = ronda::worst(ended.status, certificate.status);
  }
  if (passage.unverified) ended.summary += not_verified;
  return ended;
}

}  // namespace http
