// SPDX-License-Identifier: Apache-2.0
#include "compose.hpp"
#include "gateway.hpp"
#include "outgoing/notifier.hpp"
#include "outgoing/text.hpp"

namespace sms {
namespace {

constexpr std::size_t shown_of_number = 40, messaging_service_characters = 34;

}  // namespace

class Sms : public outgoing::Notifier {
 public:
  Sms()
      : account_sid_(config()["account_sid"]),
        auth_token_(config()["auth_token"]),
        from_(config()["from"]),
        api_base_(config()["api_base"]),
        max_segments_(config()["max_segments"].as<std::size_t>()),
        transliterate_(config()["transliterate"].as<bool>()) {
    if (!account_sid_ || !auth_token_ || !from_) throw std::invalid_argument("account_sid, auth_token and from must be given");
  }

 protected:
  ronda::delivery hand_over(outgoing::Attempt& attempt, const ronda::message& message) override {
    if (!is_e164(message.to()))
      return ronda::drop("`to` is \"", outgoing::one_line(message.to(), shown_of_number),
                         "\": a telephone number is written like +5491155550000");
    const auto text = text_of(message);
    if (text.empty()) return ronda::drop("the message has no text");
    const auto sid = attempt.read(account_sid_);
    outgoing::Request request;
    request.url = attempt.url(outgoing::join_url(attempt.read(api_base_), "2010-04-01/Accounts/" + form_encoded(sid) + "/Messages.json"));
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.login = {sid, attempt.read(auth_token_)};
    request.body = "To=" + form_encoded(message.to()) + "&" + sender(attempt.read(from_)) + "&Body=" + form_encoded(text);
    return read_reply(attempt.post(request), attempt.now_s());
  }

 private:
  /// A template may tell the code itself; where there was no room for that it comes last, as where it did not.
  std::string text_of(const ronda::message& message) const {
    const auto code = message.field("ack_code");
    auto text = compose({message.title(), message.body(), {}}, max_segments_, transliterate_);
    if (code.empty() || text.find(code) != std::string::npos) return text;
    const std::string of_message(message.field("language"));
    const auto language = of_message.empty() ? facts().get("language").value_or("en") : of_message;
    return compose({message.title(), message.body(), ack_sentence(code, language)}, max_segments_, transliterate_);
  }

  static std::string sender(const std::string& from) {
    const bool service = from.size() == messaging_service_characters && from.compare(0, 2, "MG") == 0;
    return (service ? "MessagingServiceSid=" : "From=") + form_encoded(from);
  }

  ronda::value account_sid_, auth_token_, from_, api_base_;
  std::size_t max_segments_;
  bool transliterate_;
};

}  // namespace sms

RONDA_PLUGIN(sms::Sms)
