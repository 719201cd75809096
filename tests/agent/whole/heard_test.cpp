// SPDX-License-Identifier: Apache-2.0
// What arrives at people: one whole agent with notifiers as they are shipped, that have no address of their own, and a Slack, a
// mail server and an SMS gateway that keep what they were given.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "catch.hpp"
#include "plugins/smtp/read_mail.hpp"
#include "plugins/smtp/stub.hpp"
#include "sink.hpp"
#include "whole_agent.hpp"

using namespace ronda;
using namespace ronda::test;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view configuration = R"([agent]
last_resort = ["ops-slack", "mail"]
[check.door]
use = "exec.nagios"
every = "1s"
severity = "p1"
command = ["/bin/sh", "-c", "test ! -e OPEN/broken || { echo broken; exit 2; }; echo fine"]
[notifier.ops-slack]
use = "slack"
webhook_url = "SLACK/hook"
[notifier.mail]
use = "smtp"
server = "127.0.0.1:MAIL"
security = "none"
from = "ronda@shop.example"
[notifier.sms]
use = "sms"
account_sid = "AC00000000000000000000000000000000"
auth_token = "none"
from = "+15005550006"
api_base = "GATEWAY"
[contact.ops-room]
channels = [{ notifier = "ops-slack" }]
[contact.cto]
language = "es"
channels = [{ notifier = "mail", to = "cto@shop.example" }, { notifier = "sms", to = "+5491155550001", levels = ["p1"] }]
[contact.dba]
channels = [{ notifier = "mail", to = "dba@shop.example" }, { notifier = "sms", to = "+5491155550004", levels = ["p1"] }]
[group.everyone]
members = ["ops-room", "cto", "dba"]
[oncall.nobody-yet]
members = ["cto"]
start = "2099-01-01"
tz = "UTC"
[escalation.default.p1]
steps = [{ from = "0m", notify = ["WHO"] }]
[escalation.default.p2]
steps = [{ from = "0m", notify = ["ops-room"] }]
)";

class Shop {
 public:
  struct Options {
    std::string who;  // a P1 calls
    bool takes_posts = true, takes_mails = true, takes_texts = true;
  };
  explicit Shop(const Options& options)
      : slack_(options.takes_posts ? http_answer(200, "ok") : http_answer(404, "no_service")),
        gateway_(options.takes_texts
                     ? http_answer(201, R"({"sid":"SM0123","status":"queued","error_code":null,"error_message":null,"num_segments":"1"})")
                     : http_answer(400, R"({"code":21610,"message":"Attempt to send to unsubscribed recipient","status":400})")),
        mail_([takes = options.takes_mails](const std::string& command, int) {
          return command == "RCPT" && !takes ? "550 5.1.1 no such user" : "";
        }) {
    if (::geteuid() == 0) agent_.become_nobody();
    std::string text = replaced(std::string(configuration), "OPEN", agent_.open_directory());
    text = replaced(replaced(text, "SLACK", slack_.base()), "GATEWAY", gateway_.base());
    agent_.configure("10.toml", replaced(replaced(text, "MAIL", std::to_string(mail_.port())), "WHO", options.who));
    REQUIRE(agent_.start());
    REQUIRE(eventually([&] { return agent_.check_status("door") == "ok"; }));
    std::ofstream(agent_.open_directory() + "/broken") << "yes";
  }
  const WholeAgent& agent() const { return agent_; }
  void mend() const { std::filesystem::remove(agent_.open_directory() + "/broken"); }

  /// Who has a mail with that in its subject; each once or it is "twice".
  std::set<std::string> mailed(const std::string& subject) const {
    std::set<std::string> out;
    for (const SmtpStub::Mail& one : mail_.mails()) {
      const bool is_it = read_mail(one.text).shown("Subject").find(subject) != std::string::npos;
      if (is_it && !out.insert(one.to).second) out.insert("twice");
    }
    return out;
  }
  /// The newest mail to that address.
  ReadMail mail_to(const std::string& address) const {
    ReadMail out;
    for (const SmtpStub::Mail& one : mail_.mails()) {
      if (one.to == "RCPT TO:<" + address + ">") out = read_mail(one.text);
    }
    return out;
  }
  /// What the newest post says, title and text.
  std::string post() const {
    const auto all = slack_.requests();
    return all.empty() ? std::string() : all.back().body;
  }
  std::multiset<std::string> texted(const std::string& part) const {
    std::multiset<std::string> out;
    for (const SinkRequest& one : gateway_.requests()) {
      const auto form = one.form();
      if (form.at("Body").find(part) != std::string::npos) out.insert(form.at("To"));
    }
    return out;
  }
  std::size_t posted() const { return slack_.requests().size(); }
  std::size_t posted(std::string_view part) const {
    const auto all = slack_.requests();
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [&](const SinkRequest& one) { return one.body.find(part) != std::string::npos; }));
  }
  /// The notifiers that the agent has something against.
  std::string blamed() const { return agent_.ronda({"alert", "list"}).out; }
  std::string story() const { return agent_.ronda({"notify", "list"}).out + blamed() + agent_.log(); }

 private:
  Sink slack_, gateway_;
  SmtpStub mail_;
  WholeAgent agent_;
};

using Names = std::set<std::string>;
const Names both = {"RCPT TO:<cto@shop.example>", "RCPT TO:<dba@shop.example>"};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a P1 whose people are lost reaches everybody's own address where Slack is gone, each once, and mail is not blamed", "[whole]") {
  const Shop shop({.who = "nobody-yet", .takes_posts = false});
  REQUIRE(eventually([&] { return shop.mailed("P1").size() >= 2; }));
  REQUIRE(eventually([&] { return has(shop.blamed(), "ronda/sink/ops-slack"); }));
  REQUIRE(eventually([&] { return shop.mailed("P2").size() >= 2; }));  // that Slack refuses, by what is left
  INFO(shop.story());
  CHECK(shop.posted() >= 1);
  CHECK(shop.mailed("P1") == both);
  CHECK_FALSE(has(shop.blamed(), "ronda/sink/mail"));
  CHECK(shop.texted("").empty());
}

TEST_CASE("a P1 for a room on Slack alone reaches everybody by mail when Slack refuses it", "[whole]") {
  const Shop shop({.who = "ops-room", .takes_posts = false});
  CHECK(eventually([&] { return shop.mailed("P1").size() >= 2; }));
  INFO(shop.story());
  CHECK(shop.mailed("P1") == both);
  CHECK_FALSE(has(shop.blamed(), "ronda/sink/mail"));
}

TEST_CASE("what a person says of an incident is read in mail, on Slack and in an SMS, and what became of it too", "[whole]") {
  const Shop shop({.who = "everyone"});
  const auto bodies_have = [&](std::string_view part) {
    return has(shop.mail_to("cto@shop.example").body, part) && has(shop.mail_to("dba@shop.example").body, part) && has(shop.post(), part) &&
           shop.texted(std::string(part)) == std::multiset<std::string>{"+5491155550001", "+5491155550004"};
  };
  REQUIRE(eventually([&] { return shop.mailed("P1") == both && shop.texted("P1 ").size() == 2 && shop.posted() == 1; }));
  CHECK(has(shop.mail_to("dba@shop.example").shown("Subject"), "INCIDENT ALERT - P1"));
  CHECK(has(shop.mail_to("cto@shop.example").shown("Subject"), "ALERTA DE INCIDENTE - P1"));
  const json::value incidents = shop.agent().get("/v1/incidents");
  REQUIRE(incidents.as_array().size() == 1);
  const std::string id(incidents.as_array()[0].at("id").as_string());

  // 5.3.1 as a whole: who is called is whom to turn to, and the impact is what people say of it
  CHECK(has(shop.mail_to("dba@shop.example").body, "\nContact:\nops-room; cto (+5491155550001, cto@shop.example); dba ("));
  CHECK(has(shop.mail_to("dba@shop.example").body, "\nImpact:\nnot known yet\n"));
  CHECK(has(shop.post(), "Contact:\\nops-room; cto (+5491155550001, cto@shop.example); dba ("));
  REQUIRE(shop.agent().ronda({"incident", "note", id, "nobody <!here> comes in & pays", "--impact", "users"}).code == 0);
  REQUIRE(shop.agent().ask("POST", "/v1/incidents/" + id + "/note", R"({"subject": "shops", "text": "the tills are shut"})").status == 200);
  REQUIRE(shop.agent().ronda({"incident", "update", id, "the locksmith was called"}).code == 0);
  CHECK(eventually([&] { return bodies_have("the locksmith was called"); }));
  INFO(shop.story());
  ReadMail mail = shop.mail_to("dba@shop.example");
  CHECK(has(mail.shown("Subject"), "INCIDENT UPDATE - P1"));
  CHECK(mail.body.starts_with("the locksmith was called\n\nSystem: "));
  CHECK(has(mail.body, "Current Status:\nthe locksmith was called\nP1 door"));
  CHECK(has(shop.mail_to("cto@shop.example").body, "Situación actual:\nthe locksmith was called\nP1 door"));
  const std::string impact = "users: nobody <!here> comes in & pays\nshops: the tills are shut\n";
  CHECK(has(mail.body, "\nImpact:\n" + impact));
  CHECK(has(shop.mail_to("cto@shop.example").body, "\nImpacto:\n" + impact));
  CHECK(has(shop.mail_to("cto@shop.example").body, "\nContacto:\nops-room; cto (+5491155550001, cto@shop.example); dba ("));
  CHECK(has(shop.post(), "Impact:\\nusers: nobody &lt;!here&gt; comes in &amp; pays\\nshops: the tills are shut\\n"));

  shop.mend();
  CHECK(eventually([&] { return has(shop.mail_to("dba@shop.example").shown("Subject"), "RESOLVED"); }, 90s));
  CHECK(has(shop.mail_to("dba@shop.example").body, "To be written yet: resolution summary, "));
  CHECK(eventually([&] { return has(shop.mail_to("cto@shop.example").body, "se ha recuperado\n\nSistema: "); }, 90s));
  REQUIRE(shop.agent()
              .ronda({"incident", "review", id, "--set", "summary=a new lock", "--set", "impact=nobody came in", "--set", "root_cause=rust",
                      "--set", "action_items=oil it", "--set", "customer=a note on the door", "--set", "next_steps=none today"})
              .code == 0);
  // so many so soon wait for each other
  CHECK(eventually([&] { return has(shop.mail_to("dba@shop.example").body, "Resolution Summary:\na new lock\n"); }, 90s));
  mail = shop.mail_to("dba@shop.example");
  for (const char* part : {"a new lock", "nobody came in", "rust", "oil it", "a note on the door", "none today"})
    CHECK(has(mail.body, part));
  CHECK_FALSE(has(mail.body, "written"));
  CHECK(eventually([&] { return has(shop.post(), "a note on the door"); }, 90s));
}

TEST_CASE("where the last resort fails too everybody's telephone is left, each once", "[whole]") {
  const std::string who = GENERATE("nobody-yet", "ops-room");
  const Shop shop({.who = who, .takes_posts = false, .takes_mails = false});
  CHECK(eventually([&] { return shop.texted("P1 ").size() >= 2; }));
  INFO(shop.story());
  CHECK(shop.texted("P1 ") == std::multiset<std::string>{"+5491155550001", "+5491155550004"});
}

TEST_CASE("a P1 whose SMS is refused while its mail arrives is told to nobody else", "[whole]") {
  const Shop shop({.who = "cto", .takes_texts = false});
  REQUIRE(eventually([&] { return shop.mailed("P1") == Names{"RCPT TO:<cto@shop.example>"}; }));
  REQUIRE(eventually([&] { return shop.posted("P2") >= 1; }));  // that the gateway refuses, to those who look after it
  INFO(shop.story());
  CHECK(shop.texted("P1 ").contains("+5491155550001"));
  CHECK(shop.posted("door") == 0);
  CHECK(shop.mailed("P1") == Names{"RCPT TO:<cto@shop.example>"});
}

TEST_CASE("a P1 that is refused by mail and by SMS is told by what is left of the last resort", "[whole]") {
  const Shop shop({.who = "cto", .takes_mails = false, .takes_texts = false});
  CHECK(eventually([&] { return shop.posted("door") >= 1; }));
  INFO(shop.story());
  CHECK(shop.texted("P1 ") == std::multiset<std::string>{"+5491155550001"});
}
