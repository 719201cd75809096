// SPDX-License-Identifier: Apache-2.0
#include "event.hpp"
#include "outgoing/notifier.hpp"

namespace pagerduty {

class PagerDuty : public outgoing::Notifier {
 public:
  PagerDuty() : routing_key_(config()["routing_key"]), api_base_(config()["api_base"]) {
    if (!routing_key_) throw std::invalid_argument("routing_key is missing");
  }

 protected:
  /// What a test triggers it resolves too: both were taken, or it is tried again, by the same key.
  ronda::delivery hand_over(outgoing::Attempt& attempt, const ronda::message& message) override {
    ronda::delivery taken = send(attempt, message, action_of(message));
    if (!is_test(message) || taken.status != ronda::delivery_status::delivered) return taken;
    ronda::delivery resolved = send(attempt, message, "resolve");
    if (resolved.status == ronda::delivery_status::delivered) return taken;
    resolved.summary = "the test was triggered and is not resolved: " + resolved.summary;
    return resolved;
  }

 private:
  ronda::delivery send(outgoing::Attempt& attempt, const ronda::message& message, std::string_view action) {
    outgoing::Request request;
    request.url = attempt.url(outgoing::join_url(attempt.read(api_base_), "v2/enqueue"));
    request.headers = {{"Content-Type", "application/json"}};
    request.body = event_of(message, action, attempt.read(routing_key_), host(), attempt.now());
    const auto answer = attempt.post(request);
    if (outgoing::meaning_of(answer.status) != outgoing::Meaning::taken) return attempt.judge(answer);
    return read_reply(answer.status, answer.body);
  }

  ronda::value routing_key_, api_base_;
};

}  // namespace pagerduty

RONDA_PLUGIN(pagerduty::PagerDuty)
