// SPDX-License-Identifier: Apache-2.0
// What became of messages: by whom they were taken stands in the timeline, and a notifier is in trouble until all of it is well.

#include "agent/response/shell.hpp"

using namespace ronda;
using namespace ronda::test;
using schedule::DeliveryEnd;

namespace {

/// One check whose P1 goes by mail; to whom stands below.
const std::string by_mail = R"(
[agent]
last_resort = ["log"]
[notifier.log]
use = "logfile"
[notifier.mail]
use = "smtp"
[check.api]
use = "a.b"
every = "30s"
timeout = "10s"
service = "shop"
[alert.api-down]
p1 = "api.status == critical"
[service.shop]
title = "The shop"
checks = ["api"]
)";

const std::string two_addresses = by_mail + R"(
[contact.cto]
channels = [{ notifier = "mail", to = "cto@example.com", levels = ["p1"] }]
[contact.dba]
channels = [{ notifier = "mail", to = "dba@example.com", levels = ["p1"] }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto", "dba"] }]
)";

const std::string one_address = by_mail + R"(
[contact.ciso]
channels = [{ notifier = "mail", to = "cto@example.com" }]
[contact.cto]
channels = [{ notifier = "mail", to = "cto@example.com" }]
[escalation.default.p1]
steps = [{ from = "0m", notify = ["cto", "ciso"] }]
)";

using Names = std::vector<std::string>;

/// The newest that was handed over for that address.
Shell::Handed newest(Shell& shell, std::string_view to) {
  for (auto one = shell.handed.rbegin(); one != shell.handed.rend(); ++one) {
    if (one->message->to == to) return *one;
  }
  FAIL("nothing was handed over for " + std::string(to));
  return {};
}

Names troubles_of_mail(const Shell& shell) {
  Names out = shell.response->desk().own_troubles();
  std::erase_if(out, [](const std::string& name) { return name != "sink/mail"; });
  return out;
}

constexpr std::string_view mail_of_cto = "cto@example.com", mail_of_dba = "dba@example.com";

/// The first message to the CTO was refused for good, the first one to the DBA taken.
void refuse_one(Shell& shell) {
  shell.begin();
  shell.result("api", Seen::critical);
  shell.end(newest(shell, mail_of_cto), DeliveryEnd::What::dropped, "no such box");
  CHECK(troubles_of_mail(shell) == Names{"sink/mail"});
  shell.end(newest(shell, mail_of_dba), DeliveryEnd::What::delivered);
  CHECK(troubles_of_mail(shell) == Names{"sink/mail"});
}

}  // namespace

TEST_CASE("that an address refuses is over when it takes a message, not when another one does", "[response]") {
  const Scratch scratch;
  Shell shell(two_addresses, scratch / "state");
  refuse_one(shell);
  const std::size_t before = shell.handed.size();
  shell.response->send_test("cto", {incident::Author::Kind::contact, "cto"}, [](const Result<std::string>&) {});
  REQUIRE(shell.until([&] { return shell.handed.size() > before; }));
  shell.end(newest(shell, mail_of_cto), DeliveryEnd::What::delivered);
  CHECK(troubles_of_mail(shell).empty());
}

TEST_CASE("that an address refuses is over when no contact has it any more", "[response]") {
  const Scratch scratch;
  Shell shell(two_addresses, scratch / "state");
  refuse_one(shell);
  shell.response->use(plan_of(two_addresses));
  CHECK(troubles_of_mail(shell) == Names{"sink/mail"});
  shell.response->use(plan_of(with_other(two_addresses, mail_of_cto, "other@example.com")));
  shell.settle();
  CHECK(troubles_of_mail(shell).empty());
}

TEST_CASE("what was refused before the start is over with the first message that is taken", "[response]") {
  const Scratch scratch;
  auto shell = std::make_unique<Shell>(two_addresses, scratch / "state");
  refuse_one(*shell);
  const std::int64_t now = shell->now;
  shell.reset();
  shell = std::make_unique<Shell>(two_addresses, scratch / "state");
  shell->now = now + minute;
  shell->begin();
  CHECK(troubles_of_mail(*shell) == Names{"sink/mail"});
  shell->response->send_test("dba", {incident::Author::Kind::contact, "dba"}, [](const Result<std::string>&) {});
  REQUIRE(shell->until([&] { return std::ranges::any_of(shell->handed, [](const auto& one) { return one.message->to == mail_of_dba; }); }));
  shell->end(newest(*shell, mail_of_dba), DeliveryEnd::What::delivered);
  CHECK(troubles_of_mail(*shell).empty());
}

TEST_CASE("that a notifier stands still is over when nothing has waited for too long, not when one message is taken", "[response]") {
  const Scratch scratch;
  Shell shell(two_addresses, scratch / "state");
  shell.begin();
  shell.result("api", Seen::critical);
  shell.end(newest(shell, mail_of_cto), DeliveryEnd::What::retry, "no answer");
  shell.end(newest(shell, mail_of_dba), DeliveryEnd::What::retry, "no answer");
  CHECK(troubles_of_mail(shell).empty());
  shell.now += 16 * minute;
  shell.response->on_clock_set();
  shell.settle();
  CHECK(troubles_of_mail(shell) == Names{"sink/mail"});
  const auto second_of = [&](std::string_view to) {
    return shell.until([&] {
      return std::ranges::any_of(shell.handed, [&](const auto& one) { return one.message->to == to && one.message->attempt == 2; });
    });
  };
  // one at a time: that which goes first is taken while the other still waits
  REQUIRE(shell.until([&] { return shell.handed.back().message->attempt == 2 || shell.handed.size() > 3; }));
  const std::string_view first = second_of(mail_of_cto) ? mail_of_cto : mail_of_dba,
                         other = first == mail_of_cto ? mail_of_dba : mail_of_cto;
  shell.end(newest(shell, first), DeliveryEnd::What::delivered);
  CHECK(troubles_of_mail(shell) == Names{"sink/mail"});
  REQUIRE(second_of(other));
  shell.end(newest(shell, other), DeliveryEnd::What::delivered);
  CHECK(troubles_of_mail(shell).empty());
}

TEST_CASE("each of those who share an address is noted as reached, or as not", "[response]") {
  const auto [what, kind] = GENERATE(table<DeliveryEnd::What, incident::Kind>(
      {{DeliveryEnd::What::delivered, incident::Kind::notice_delivered}, {DeliveryEnd::What::dropped, incident::Kind::notice_failed}}));
  const Scratch scratch;
  Shell shell(one_address, scratch / "state");
  shell.begin();
  shell.result("api", Seen::critical);
  const Shell::Handed one = newest(shell, mail_of_cto);
  shell.end(one, what, "as the notifier says");
  const auto noted = shell.timeline("shop", kind);
  Names whom;
  for (const incident::Event& event : noted) {
    CHECK(event.message == one.message->id);
    CHECK(event.text == "as the notifier says");
    whom.push_back(event.subject);
  }
  std::ranges::sort(whom);
  CHECK(whom == Names{"ciso", "cto"});
}

TEST_CASE("who was sent a message in the life before is noted as reached when it is taken in this one", "[response]") {
  const Scratch scratch;
  auto shell = std::make_unique<Shell>(two_addresses, scratch / "state");
  shell->begin();
  shell->result("api", Seen::critical);
  const std::string id = newest(*shell, mail_of_cto).message->id;
  const std::int64_t now = shell->now;
  shell.reset();
  shell = std::make_unique<Shell>(two_addresses, scratch / "state");
  shell->now = now + second;
  shell->begin();
  REQUIRE(shell->until([&] { return shell->find(id) != nullptr; }));
  shell->end(Shell::Handed(*shell->find(id)), DeliveryEnd::What::delivered, "posted");
  const auto noted = shell->timeline("shop", incident::Kind::notice_delivered);
  REQUIRE(noted.size() == 1);
  CHECK(noted[0].subject == "cto");
  CHECK(noted[0].channel == "mail");
  CHECK(noted[0].message == id);
}

TEST_CASE("of messages that went as one each is noted as reached", "[response]") {
  const Scratch scratch;
  Shell shell(with_other(two_addresses, R"("cto", "dba")", R"("cto")"), scratch / "state");
  shell.begin();
  shell.result("api", Seen::critical);
  const std::string incident = shell.response->desk().incidents().incidents.begin()->first;
  for (const std::string text : {"one", "two", "three"}) {
    incident::Command update;
    update.verb = incident::Verb::update;
    update.incident = incident;
    update.author = {incident::Author::Kind::contact, "dba"};
    update.text = text;
    shell.response->command(update, [](const incident::Reply& reply) { CHECK(reply.done); });
    shell.settle();
  }
  for (std::size_t taken = 0; taken < shell.handed.size(); ++taken) {
    shell.end(Shell::Handed(shell.handed[taken]), DeliveryEnd::What::delivered);
    shell.now += minute;
    shell.response->on_clock_set();
    shell.settle();
  }
  REQUIRE(shell.handed.size() < 4);  // some went with another
  const auto ids = [&](incident::Kind kind) {
    Names out;
    for (const incident::Event& event : shell.timeline("shop", kind)) out.push_back(event.message + " " + event.subject);
    std::ranges::sort(out);
    return out;
  };
  CHECK(ids(incident::Kind::notice_sent).size() == 4);
  CHECK(ids(incident::Kind::notice_delivered) == ids(incident::Kind::notice_sent));
}
