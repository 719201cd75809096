// SPDX-License-Identifier: Apache-2.0
// The notifier that sends mail: one for each recipient, over one connection each.
#include <ronda/plugin.hpp>

#include <algorithm>

#include "mail.hpp"
#include "memory.hpp"
#include "session.hpp"
#include "settings.hpp"
#include "verdict.hpp"

namespace smtp {
namespace {

constexpr std::size_t max_recipients = 100;

/// What became of all mails of a message. One that is owed makes the message owed, one that was refused for good drops it where none is
/// owed: nobody may be lost, and who has theirs does not get it again.
class Tally {
 public:
  void add(ronda::delivery one) {
    if (one.status == ronda::delivery_status::delivered) {
      ++taken_;
    } else {
      auto& worst = one.status == ronda::delivery_status::retry ? owed_ : refused_;
      append(worst, one.summary);
    }
    append(all_, one.summary);
  }

  ronda::delivery result() && {
    const std::string others = taken_ > 0 && (!owed_.empty() || !refused_.empty()) ? ronda::text("; taken: ", taken_) : "";
    if (!owed_.empty()) return ronda::retry({}, owed_, refused_.empty() ? "" : "; " + refused_, others);
    if (!refused_.empty()) return ronda::drop(refused_, others);
    return ronda::delivered(all_);
  }

 private:
  static void append(std::string& to, const std::string& text) { to += (to.empty() ? "" : "; ") + text; }

  int taken_ = 0;
  std::string owed_, refused_, all_;
};

/// It had nothing to do with this mail: the next recipient's would end the same.
bool ends_all(const Ending& ending) {
  const bool came_to_mail = ending.command == "MAIL" || ending.command == "RCPT" || ending.command == "DATA";
  return ending.cancelled || !came_to_mail || ending.reply == 421;
}

}  // namespace

class Smtp : public ronda::notifier {
 public:
  ronda::delivery deliver(ronda::call& call, const ronda::message& message) override {
    auto recipients = parse_addresses(message.to());
    if (recipients.empty()) recipients = settings_.to;
    if (recipients.empty()) return ronda::drop("the message has no address, and the notifier has no `to`");
    if (recipients.size() > max_recipients) return ronda::drop("there are more than ", max_recipients, " recipients");
    const auto username = opened("username"), password = opened("password");
    if (!username || !password) return ronda::drop("username or password: ", !username ? username.error() : password.error());
    return send(call, message, recipients, {username->view(), password->view()});
  }

 private:
  /// A text that may be a secret, for as long as the call lasts.
  class Opened {
   public:
    explicit Opened(std::string plain) : plain_(std::move(plain)) {}
    explicit Opened(ronda::secret_view secret) : secret_(std::move(secret)) {}
    std::string_view view() const { return secret_ ? secret_->view() : std::string_view(plain_); }

   private:
    std::string plain_;
    std::optional<ronda::secret_view> secret_;
  };

  ronda::reply<Opened> opened(const char* key) const {
    const auto value = config()[key];
    if (value.is_none()) return Opened(std::string());
    if (!value.is_secret()) return Opened(value.as<std::string>());
    auto secret = this->secret(value);
    if (!secret) return ronda::reply<Opened>::failed(secret.code(), ronda::text(key, ": ", secret.error()));
    return Opened(std::move(secret));
  }

  /// What is left for a mail: the last of it belongs to saying goodbye and telling how it ended.
  static std::chrono::milliseconds time_left(const ronda::call& call) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(call.remaining());
    return left - std::min(left / 10, std::chrono::milliseconds(500));
  }

  using Recipients = std::vector<ronda::reply<Address>>;

  ronda::delivery send(ronda::call& call, const ronda::message& message, const Recipients& recipients, const Login& login) {
    const auto kept = kv();
    Memory memory(kept, message.id());
    const auto secrets = login.password.empty() ? std::vector<std::string>() : forms_of_password(login.username, login.password);
    Tally tally;
    std::optional<ronda::delivery_status> end_of_all;
    for (const auto& to : recipients) {
      if (!to)
        tally.add(ronda::drop(to.error()));
      else if (memory.was_taken(to->address))
        tally.add(ronda::delivered("the mail to ", to->address, " was taken before"));
      else if (end_of_all || time_left(call).count() <= 0)
        tally.add({end_of_all.value_or(ronda::delivery_status::retry), "the mail to " + to->address + " was not tried"});
      else
        tally.add(send_one(call, make_mail(message, settings_.from, *to, clock().wall()), *to, login, secrets, memory, end_of_all));
    }
    return std::move(tally).result();
  }

  ronda::delivery send_one(ronda::call& call, const std::string& mail, const Address& to, const Login& login,
                           const std::vector<std::string>& secrets, Memory& memory, std::optional<ronda::delivery_status>& end_of_all) {
    const auto ending = send_mail(settings_, login, to, mail, {time_left(call), call.cancel_fd()});
    auto out = judge(ending, settings_.server.text, to.address, secrets);
    if (out.status == ronda::delivery_status::delivered)
      memory.take(to.address);
    else if (ends_all(ending))
      end_of_all = out.status;
    return out;
  }

  Settings settings_ = read_settings(config(), facts().get("hostname").value_or(""));
};

}  // namespace smtp

RONDA_PLUGIN(smtp::Smtp)
