// SPDX-License-Identifier: Apache-2.0
#include "outgoing/notifier.hpp"

#include <algorithm>
#include <stdexcept>

namespace outgoing {
namespace {

/// An option that cannot be used: the message is dropped with this text.
struct Unusable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
T or_unusable(ronda::reply<T> reply) {
  if (!reply) throw Unusable(reply.error());
  return std::move(*reply);
}

/// Ends a little before the call does, so that it can still be told what timed out.
Limits limits_of(const ronda::call& call) {
  const auto left = call.remaining();
  const auto margin = std::min<std::chrono::nanoseconds>(left / 20, std::chrono::milliseconds(100));
  return {std::chrono::duration_cast<std::chrono::milliseconds>(left - margin), call.cancel_fd()};
}

}  // namespace

std::string Attempt::read(const ronda::value& option) {
  return or_unusable(secrets_.read(option));
}

Url Attempt::url(const ronda::value& option) {
  return or_unusable(secrets_.read_url(option));
}

Url Attempt::url(const std::string& text) {
  return or_unusable(parse_url(text));
}

Answer Attempt::post(const Request& request) {
  if (request.login) secrets_.hide_login(request.login->first + ":" + request.login->second);
  auto answer = outgoing::post(request, policy_, limits_of(call_));
  // here, because what is cut later may end in the head of a secret, and what is kept of an answer is looked at no more
  answer.body = secrets_.without(std::move(answer.body));
  return answer;
}

Notifier::Notifier() : proxy_(config()["proxy"]) {
  policy_.ca = config()["tls"]["ca"].as<std::optional<std::string>>().value_or("");
  policy_.connect_timeout = config()["connect_timeout"].as<std::chrono::milliseconds>();
}

ronda::delivery Notifier::deliver(ronda::call& call, const ronda::message& message) {
  Secrets secrets([this](const ronda::value& option) { return secret(option); });
  auto policy = policy_;
  Attempt attempt(call, secrets, policy, clock().wall());
  auto outcome = [&]() -> ronda::delivery {
    try {
      policy.proxy = attempt.read(proxy_);
      return hand_over(attempt, message);
    } catch (const Unusable& why) {
      return ronda::drop(why.what());
    }
  }();
  outcome.summary = secrets.without(std::move(outcome.summary));
  outcome.detail = secrets.without(std::move(outcome.detail));
  return outcome;
}

}  // namespace outgoing
