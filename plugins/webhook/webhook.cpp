// SPDX-License-Identifier: Apache-2.0
#include "outgoing/notifier.hpp"
#include "payload.hpp"
#include "signature.hpp"

namespace webhook {
namespace {

/// An id as the value of a header: what does not belong there becomes '_'.
std::string header_value(std::string_view id) {
  std::string out(id.substr(0, 255));
  for (char& c : out)
    if (c < 0x21 || c > 0x7e) c = '_';
  return out;
}

}  // namespace

class Webhook : public outgoing::Notifier {
 public:
  Webhook()
      : url_(config()["url"]),
        secret_(config()["secret"]),
        alertmanager_(config()["format"].as<std::string>() == "alertmanager"),
        receiver_(config()["receiver"].as<std::string>()) {}

 protected:
  ronda::delivery hand_over(outgoing::Attempt& attempt, const ronda::message& message) override {
    const Origin origin{host(), attempt.now(), receiver_};
    outgoing::Request request;
    request.url = attempt.url(url_);
    request.body = alertmanager_ ? alertmanager_payload(message, origin) : ronda_payload(message, origin);
    request.headers = {{"Content-Type", "application/json"},
                       {"Idempotency-Key", header_value(message.id())},
                       {"X-Ronda-Timestamp", std::to_string(attempt.now_s())}};
    if (const auto key = attempt.read(secret_); !key.empty())
      request.headers.emplace_back("X-Ronda-Signature", signature_of(key, attempt.now_s(), request.body));
    return attempt.judge(attempt.post(request));
  }

 private:
  ronda::value url_, secret_;
  bool alertmanager_;
  std::string receiver_;
};

}  // namespace webhook

RONDA_PLUGIN(webhook::Webhook)
