// SPDX-License-Identifier: Apache-2.0
// What the notifiers that post over HTTP have in common: the options tls.ca, proxy and connect_timeout, the frame of a
// delivery, and that no secret is in what they tell. A notifier derives from Notifier and writes hand_over().
#pragma once

#include <ronda/plugin.hpp>

#include <string>

#include "outgoing/outcome.hpp"
#include "outgoing/post.hpp"
#include "outgoing/secrets.hpp"

namespace outgoing {

/// One delivery: valid until hand_over() returns. read() and url() end it as dropped when the option cannot be used.
class Attempt {
 public:
  Attempt(ronda::call& call, Secrets& secrets, const Policy& policy, ronda::wall_time now)
      : call_(call), secrets_(secrets), policy_(policy), now_(now) {}

  /// Of an option that may be a secret; empty when it is absent.
  std::string read(const ronda::value& option);
  Url url(const ronda::value& option);
  /// A URL made of another that was read; what was secret in that one stays so.
  Url url(const std::string& text);
  Secrets& secrets() { return secrets_; }

  /// What comes back has no secret in it.
  Answer post(const Request& request);
  /// outcome_of() the answer.
  ronda::delivery judge(const Answer& answer) const { return outcome_of(answer, now_s()); }

  ronda::wall_time now() const { return now_; }
  std::int64_t now_s() const { return std::chrono::duration_cast<std::chrono::seconds>(now_.time_since_epoch()).count(); }

 private:
  ronda::call& call_;
  Secrets& secrets_;
  const Policy& policy_;
  ronda::wall_time now_;
};

class Notifier : public ronda::notifier {
 public:
  Notifier();
  ronda::delivery deliver(ronda::call& call, const ronda::message& message) final;

 protected:
  virtual ronda::delivery hand_over(Attempt& attempt, const ronda::message& message) = 0;
  /// This host's name.
  std::string host() const { return facts().get("hostname").value_or(""); }

 private:
  Policy policy_;
  ronda::value proxy_;
};

}  // namespace outgoing
