// SPDX-License-Identifier: Apache-2.0
#include "request.hpp"

#include <atomic>

#include "call.hpp"

namespace http {
namespace {

/// Never 0, never the same again.
std::uint64_t next_request_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

RequestCheck::RequestCheck() : settings_(read_request(config())), policy_(read_policy(config())) {
  rules_.expect = read_expectations(config()["expect"]);
  rules_.metrics = read_metrics(config()["metrics"]);
  rules_.status_map = read_status_map(config()["status_map"]);
  rules_.min_days = config()["tls"]["min_days"].as<std::int64_t>();
  if (settings_.has_secret() || policy_.proxy.is_secret()) return;
  ready_ = or_refuse(settings_.read({}), "url");
  policy_.policy.proxy = policy_.proxy.plain();
  ready_.id = next_request_id();
  is_ready_ = true;
}

ronda::result RequestCheck::run(ronda::call& call) {
  if (is_ready_) return run(call, ready_, policy_.policy);
  const OpenSecret open = [this](const ronda::value& option) { return secret(option); };
  const auto request = settings_.read(open);
  if (!request) return ronda::unknown(request.error());
  const auto policy = policy_.read(open);
  if (!policy) return ronda::unknown(policy.error());
  return run(call, *request, *policy);
}

ronda::result RequestCheck::run(ronda::call& call, const Request& request, const Policy& policy) {
  const auto now_s = unix_seconds(clock().wall());
  Lease client(*clients_, request.url.origin);
  const auto exchange = client->perform(request, policy, limits_of(call));
  emit_answer(call, exchange, now_s);
  Document document;
  auto verdict = judge(exchange, rules_, document, now_s);
  for (const auto& [rule, value] : verdict.metrics)
    call.metric(rule->name, value,
                ronda::unit{rule->unit.c_str(), rule->counter ? RONDA_METRIC_COUNTER : RONDA_METRIC_GAUGE});
  if (request.id == 0) client->clean();  // a secret was in it
  return std::move(verdict.result);
}

}  // namespace http
