// SPDX-License-Identifier: Apache-2.0
// Against a real mail server of Debian: encrypted, with a login, and read from where it put the mail.
#include "exim.hpp"

#include <catch.hpp>
#include <random>

#include "fixture.hpp"
#include "read_mail.hpp"
#include "skip.hpp"

namespace {

/// A server, or a word on why there is none.
struct Real {
  TempDir dir;
  std::unique_ptr<Exim> exim;

  Real() {
    make_mail_certificates(dir.path());
    if (Exim::is_installed()) exim = std::make_unique<Exim>(dir.path(), password);
  }
  std::string ca() const { return dir.path() + "/ca.crt"; }
};

}  // namespace

TEST_CASE("a message arrives as a mail, encrypted and after a login", "[smtp]") {
  const Real real;
  if (!real.exim) return ronda::test::skipped("exim", "there is no Exim (Debian: exim4-daemon-light)");
  host h;
  configure(h, real.exim->port(), {"starttls", real.ca()});
  auto m = message_to("ops@shop.example.com");
  m.title = "Sin conexi\xc3\xb3n: API is down";
  m.body = "first line\n.a line with a dot\n..two\n.\nlast, caf\xc3\xa9 \xf0\x9f\x9a\xa8\n";
  const auto end = deliver(h, m);
  CHECK(end.is(delivery_status::delivered));
  CHECK(end.summary == "mail server localhost:" + std::to_string(real.exim->port()) + " took the mail to ops@shop.example.com");
  CHECK(h.broken().empty());
  CHECK(h.secrets_open() == 0);

  const auto mail = read_mail(real.exim->mails(1)[0]);
  CHECK(mail.raw("Return-path") == "<ronda@example.com>");
  CHECK(mail.raw("Envelope-to") == "ops@shop.example.com");
  CHECK_THAT(mail.raw("Received"), Catch::Contains("esmtpsa") && Catch::Contains("helo=agent.test.invalid"));
  CHECK(mail.raw("From") == "Ronda <ronda@example.com>");
  CHECK(mail.raw("To") == "ops@shop.example.com");
  CHECK(mail.shown("Subject") == m.title);
  CHECK(mail.raw("Date") == "Wed, 1 Jan 2025 00:00:00 +0000");
  CHECK(mail.raw("Message-ID") == "<m-1@example.com>");
  CHECK(mail.raw("References") == "<incident.I-7@example.com>");
  CHECK(mail.raw("In-Reply-To") == "<incident.I-7@example.com>");
  CHECK(mail.raw("Auto-Submitted") == "auto-generated");
  CHECK(mail.raw("X-Ronda-Level") == "p1");
  CHECK(mail.raw("Content-Type") == "text/plain; charset=utf-8");
  CHECK(mail.body == m.body);
}

TEST_CASE("implicit TLS works as well", "[smtp]") {
  const Real real;
  if (!real.exim) return ronda::test::skipped("exim", "there is no Exim (Debian: exim4-daemon-light)");
  host h;
  configure(h, real.exim->tls_port(), {"implicit", real.ca()});
  CHECK(deliver(h, message_to("ops@example.com")).is(delivery_status::delivered));
  CHECK_THAT(read_mail(real.exim->mails(1)[0]).raw("Received"), Catch::Contains("esmtpsa"));
}

TEST_CASE("each recipient has a mail of their own, and a wrong address costs nobody else theirs", "[smtp]") {
  const Real real;
  if (!real.exim) return ronda::test::skipped("exim", "there is no Exim (Debian: exim4-daemon-light)");
  host h;
  configure(h, real.exim->port(), {"starttls", real.ca()});
  auto smtp = notifier(h);
  const auto m = message_to("a@example.com, nobody-here@example.com, c@example.com");
  auto end = smtp.deliver(m);
  CHECK(end.is(delivery_status::drop));
  CHECK(end.summary == "mail server localhost:" + std::to_string(real.exim->port()) +
                           " refuses mail to nobody-here@example.com (at RCPT): 550 no such user; taken: 2");
  auto mails = real.exim->mails(2);
  std::vector<std::string> to;
  for (const auto& mail : mails) {
    to.push_back(read_mail(mail).raw("Envelope-to"));
    CHECK(read_mail(mail).raw("To") == to.back());
    CHECK(read_mail(mail).raw("Message-ID") == "<m-1@example.com>");
  }
  std::sort(to.begin(), to.end());
  CHECK(to == std::vector<std::string>{"a@example.com", "c@example.com"});
  // once more: who has theirs does not get it again
  CHECK(smtp.deliver(m).is(delivery_status::drop));
  CHECK(smtp.deliver(message_to("d@example.com", "m-2")).is(delivery_status::delivered));
  CHECK(real.exim->mails(3).size() == 3);
}

TEST_CASE("recipients of the notifier stand in for a message without an address", "[smtp]") {
  const Real real;
  if (!real.exim) return ronda::test::skipped("exim", "there is no Exim (Debian: exim4-daemon-light)");
  host h;
  configure(h, real.exim->port(), {"starttls", real.ca()});
  CHECK(deliver(h, message_to("")).summary == "the message has no address, and the notifier has no `to`");
  h.set("to", node::list{"Guardia <ops@example.com>"});
  CHECK(deliver(h, message_to("")).is(delivery_status::delivered));
  CHECK(read_mail(real.exim->mails(1)[0]).raw("To") == "Guardia <ops@example.com>");
}

TEST_CASE("a wrong password is for good, is told, and is not shown", "[smtp]") {
  const Real real;
  if (!real.exim) return ronda::test::skipped("exim", "there is no Exim (Debian: exim4-daemon-light)");
  host h;
  configure(h, real.exim->port(), {"starttls", real.ca()});
  h.set_secret("password", "canary-wrong-one");
  const auto end = deliver(h, message_to("ops@example.com"));
  CHECK(end.is(delivery_status::drop));
  CHECK(end.summary == "mail server localhost:" + std::to_string(real.exim->port()) +
                           " refuses the login (at AUTH): 535 Incorrect authentication data; are username and password right?");
  CHECK(end.summary.find("canary") == end.summary.npos);
}

TEST_CASE("any bytes arrive through a real server, and make no header of their own", "[smtp]") {
  const Real real;
  if (!real.exim) return ronda::test::skipped("exim", "there is no Exim (Debian: exim4-daemon-light)");
  host h;
  configure(h, real.exim->port(), {"starttls", real.ca()});
  auto smtp = notifier(h);
  std::mt19937 random(12);
  std::vector<message_options> sent;
  // all bytes in all places, then dots at beginnings of lines and of the blocks in which a library sends
  for (int i = 0; i < 12; ++i) {
    auto m = message_to("ops@example.com", "m-" + std::to_string(i));
    m.title.clear(), m.body.clear();
    for (int byte = 0; byte < 256; ++byte) m.title += static_cast<char>((byte + i * 37) % 256);
    if (i % 2 == 0)
      for (int n = 0; n < 20000; ++n) m.body += random() % 5 == 0 ? "\n.\r\n.="[random() % 7] : static_cast<char>(random());
    else
      for (int n = 0; n < 9000; ++n) m.body += std::string(random() % 4 == 0 ? "\n." : "x") + (random() % 50 == 0 ? "\n" : "");
    m.body += "\nend\n";
    REQUIRE(smtp.deliver(m).is(delivery_status::delivered));
    sent.push_back(m);
  }
  std::map<std::string, ReadMail> arrived;
  for (const auto& mail : real.exim->mails(sent.size())) {
    auto read = read_mail(mail);
    arrived.emplace(read.raw("X-Ronda-Message"), std::move(read));
  }
  for (const auto& m : sent) {
    const auto& mail = arrived.at(m.id);
    CHECK(mail.headers.size() == arrived.at("m-0").headers.size());
    CHECK((mail.body == m.body));
  }
}

TEST_CASE("the password is nowhere but in the login", "[smtp]") {
  const Real real;
  if (!real.exim) return ronda::test::skipped("exim", "there is no Exim (Debian: exim4-daemon-light)");
  host h;
  h.set_log_level(RONDA_LOG_DEBUG);
  configure(h, real.exim->port(), {"starttls", real.ca()});
  std::string seen;
  for (const char* to : {"ops@example.com", "nobody-here@example.com", "not an address"}) {
    const auto end = deliver(h, message_to(to, to));
    seen += end.summary + end.detail + end.error;
  }
  for (const auto& line : h.logs()) seen += line.text;
  for (const auto& [key, value] : h.kept()) seen += key + value;
  seen += real.exim->mails(1)[0] + real.exim->log();
  CHECK(seen.find("canary") == seen.npos);
  CHECK(seen.find("Y2FuYXJ5") == seen.npos);
  CHECK(h.programs().empty());
}
