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
  ronda::delivery hand_over(outgoing::Attempt& attempt, const ronda::message& message) override {
    outgoing::Request request;
    request.url = attempt.url(outgoing::join_url(attempt.read(api_base_), "v2/enqueue"));
    request.headers = {{"Content-Type", "application/json"}};
    request.body = event_of(message, attempt.read(routing_key_), host(), attempt.now());
    const auto answer = attempt.post(request);
    if (outgoing::meaning_of(answer.status) != outgoing::Meaning::taken) return attempt.judge(answer);
    return read_reply(answer.status, answer.body);
  }

 private:
  ronda::value routing_key_, api_base_;
};

}  // namespace pagerduty

RONDA_PLUGIN(pagerduty::PagerDuty)
