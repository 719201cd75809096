// SPDX-License-Identifier: Apache-2.0
// What a mail server can do wrong, by one that does what it is told.
#include <catch.hpp>
#include <thread>

#include "fixture.hpp"
#include "read_mail.hpp"
#include "stub.hpp"

namespace {

/// Plain text and no login: for what has nothing to do with either.
const Sender plain{"none", "", false, "127.0.0.1"};

std::string peer(int port, const std::string& server_host = "127.0.0.1") {
  return "mail server " + server_host + ":" + std::to_string(port);
}

/// Answers `reply` to `command`, at the first `times` connections.
SmtpStub::Script at(const std::string& command, const std::string& reply, int times = 1000) {
  return [=](const std::string& now, int connection) { return now == command && connection <= times ? reply : std::string(); };
}

/// What one delivery to ops@example.com ended with, against such a server.
std::string end_with(const SmtpStub::Script& script, std::chrono::nanoseconds deadline = 10s) {
  SmtpStub stub(script);
  host h;
  configure(h, stub.port(), plain);
  const auto end = deliver(h, message_to("ops@example.com"), deadline);
  CHECK(h.broken().empty());
  const auto name = peer(stub.port());
  auto text = end.summary;
  for (auto found = text.find(name); found != text.npos; found = text.find(name)) text.replace(found, name.size(), "SERVER");
  return (end.is(delivery_status::delivered) ? "delivered: " : end.is(delivery_status::retry) ? "retry: " : "drop: ") + text;
}

}  // namespace

TEST_CASE("a server that greylists gets the mail later, once", "[smtp]") {
  for (const char* reply : {"450 4.7.1 greylisted", "451 4.7.1 try again in five minutes", "421 4.3.2 too busy"}) {
    SmtpStub stub(at("RCPT", reply, 2));
    host h;
    configure(h, stub.port(), plain);
    auto smtp = notifier(h);
    auto m = message_to("ops@example.com");
    for (m.attempt = 1; m.attempt <= 2; ++m.attempt) {
      const auto end = smtp.deliver(m);
      CHECK(end.is(delivery_status::retry));
      CHECK(end.summary == peer(stub.port()) + " cannot take mail to ops@example.com now (at RCPT): " + reply);
    }
    CHECK(smtp.deliver(m).is(delivery_status::delivered));
    CHECK(smtp.deliver(m).summary == "the mail to ops@example.com was taken before");
    REQUIRE(stub.mails().size() == 1);
    CHECK(stub.mails()[0].from == "MAIL FROM:<ronda@example.com>");
    CHECK(stub.mails()[0].to == "RCPT TO:<ops@example.com>");
    CHECK(h.broken().empty());
  }
}

TEST_CASE("a 4 or a 5 counts at every step", "[smtp]") {
  CHECK(end_with(at("GREETING", "421 down for maintenance")) ==
        "retry: SERVER cannot take mail to ops@example.com now (at its greeting): 421 down for maintenance");
  CHECK(end_with(at("GREETING", "554 no mail here")) == "drop: SERVER refuses mail to ops@example.com (at its greeting): 554 no mail here");
  CHECK(end_with(at("MAIL", "452 4.3.1 no space")) ==
        "retry: SERVER cannot take mail to ops@example.com now (at MAIL): 452 4.3.1 no space");
  CHECK(end_with(at("MAIL", "553 5.7.1 not your address")) ==
        "drop: SERVER refuses mail to ops@example.com (at MAIL): 553 5.7.1 not your address");
  CHECK(end_with(at("RCPT", "550-5.1.1 no such user\r\n550 5.1.1 here")) ==
        "drop: SERVER refuses mail to ops@example.com (at RCPT): 550-5.1.1 no such user 550 5.1.1 here");
  CHECK(end_with(at("DATA", "451 later")) == "retry: SERVER cannot take mail to ops@example.com now (at DATA): 451 later");
  CHECK(end_with(at(".", "452 4.3.1 no space")) == "retry: SERVER cannot take mail to ops@example.com now (at DATA): 452 4.3.1 no space");
  CHECK(end_with(at(".", "554 5.7.1 looks like spam")) ==
        "drop: SERVER refuses mail to ops@example.com (at DATA): 554 5.7.1 looks like spam");
}

TEST_CASE("a connection that breaks anywhere leaves the message owed", "[smtp]") {
  for (const char* step : {"GREETING", "EHLO", "MAIL", "RCPT", "DATA"}) {
    INFO(step);
    CHECK_THAT(end_with(at(step, SmtpStub::close)), Catch::StartsWith("retry: SERVER broke the connection ("));
  }
  CHECK_THAT(end_with(at("BODY", SmtpStub::close)), Catch::StartsWith("retry: SERVER broke the connection"));
  CHECK_THAT(end_with(at(".", SmtpStub::close)),
             Catch::StartsWith("retry: SERVER broke the connection after the whole mail was sent, perhaps it was taken (at DATA)"));
}

TEST_CASE("a mail whose last answer was lost comes once more with the same id", "[smtp]") {
  SmtpStub stub(at(".", SmtpStub::close, 1));
  host h;
  configure(h, stub.port(), plain);
  auto smtp = notifier(h);
  auto m = message_to("ops@example.com");
  CHECK(smtp.deliver(m).is(delivery_status::retry));
  h.advance(300s);
  m.attempt = 2;
  CHECK(smtp.deliver(m).is(delivery_status::delivered));
  const auto mails = stub.mails();
  REQUIRE(mails.size() == 2);
  CHECK(read_mail(mails[0].text).raw("Message-ID") == "<m-1@example.com>");
  CHECK(read_mail(mails[1].text).raw("Message-ID") == "<m-1@example.com>");
  CHECK(read_mail(mails[0].text).body == read_mail(mails[1].text).body);
}

TEST_CASE("of three recipients the refused one is told, the owed one is tried again, and the others have theirs once", "[smtp]") {
  int times = 0;
  SmtpStub stub([&](const std::string& command, int connection) -> std::string {
    if (command != "RCPT") return "";
    if (connection == 1) return "550 5.1.1 no such user";
    return connection == 2 && times++ == 0 ? "450 4.2.0 mailbox busy" : "";
  });
  host h;
  configure(h, stub.port(), plain);
  auto smtp = notifier(h);
  const auto m = message_to("gone@example.com,busy@example.com,ops@example.com");
  auto end = smtp.deliver(m);
  CHECK(end.is(delivery_status::retry));
  CHECK(end.summary == peer(stub.port()) + " cannot take mail to busy@example.com now (at RCPT): 450 4.2.0 mailbox busy; " +
                           peer(stub.port()) + " refuses mail to gone@example.com (at RCPT): 550 5.1.1 no such user; taken: 1");
  REQUIRE(stub.mails().size() == 1);
  CHECK(stub.mails()[0].to == "RCPT TO:<ops@example.com>");
  // a later instance, as after a restart
  auto later = notifier(h);
  later.deliver(m);
  std::vector<std::string> to;
  for (const auto& mail : stub.mails()) to.push_back(mail.to);
  CHECK(std::count(to.begin(), to.end(), "RCPT TO:<ops@example.com>") == 1);
  CHECK(std::count(to.begin(), to.end(), "RCPT TO:<busy@example.com>") == 1);
}

TEST_CASE("a server that does not answer costs no more than the time there is", "[smtp]") {
  for (const char* step : {"GREETING", "EHLO", "RCPT", "DATA", "."}) {
    INFO(step);
    const auto begin = std::chrono::steady_clock::now();
    CHECK_THAT(end_with(at(step, SmtpStub::silence), 500ms), Catch::StartsWith("retry: SERVER did not answer within "));
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
  }
}

TEST_CASE("a connection that nobody takes is given up after connect_timeout, for all mails of the message", "[smtp]") {
  Blackhole hole;
  host h;
  configure(h, hole.port(), plain);
  h.set("connect_timeout", 200ms);
  const auto begin = std::chrono::steady_clock::now();
  const auto end = deliver(h, message_to("a@example.com,b@example.com"), 20s);
  CHECK(std::chrono::steady_clock::now() - begin < 8s);
  CHECK(end.is(delivery_status::retry));
  CHECK_THAT(end.summary, Catch::StartsWith(peer(hole.port()) + " did not answer within "));
  CHECK_THAT(end.summary, Catch::EndsWith(" (no connection); the mail to b@example.com was not tried"));
}

TEST_CASE("a server that lets one wait for its greeting has until the deadline, not connect_timeout", "[smtp]") {
  SmtpStub stub([](const std::string& command, int) -> std::string {
    if (command == "GREETING") std::this_thread::sleep_for(1500ms);  // that long it takes
    return "";
  });
  host h;
  configure(h, stub.port(), plain);
  h.set("connect_timeout", 200ms);
  CHECK(deliver(h, message_to("ops@example.com"), 20s).is(delivery_status::delivered));
}

TEST_CASE("a server that takes the mail and never says goodbye has taken it", "[smtp]") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(end_with(at("QUIT", SmtpStub::silence)) == "delivered: SERVER took the mail to ops@example.com");
  CHECK(end_with([](const std::string& command, int) -> std::string {
          return command == "RCPT" ? "550 no" : command == "QUIT" ? SmtpStub::silence : "";
        }) == "drop: SERVER refuses mail to ops@example.com (at RCPT): 550 no");
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
}

TEST_CASE("a delivery that is cancelled ends at once and is owed", "[smtp]") {
  SmtpStub stub(at("RCPT", SmtpStub::silence));
  host h;
  configure(h, stub.port(), plain);
  auto smtp = notifier(h);
  std::thread other([&] {
    while (stub.lines().size() < 3) std::this_thread::yield();
    smtp.cancel();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto end = smtp.deliver(message_to("ops@example.com"));
  other.join();
  CHECK(end.is(delivery_status::retry));
  CHECK(end.summary == "cancelled before " + peer(stub.port()) + " had taken the mail to ops@example.com");
  CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("a server that is not there, or whose name is none, is said and tried again", "[smtp]") {
  host h;
  const int port = free_port();
  configure(h, port, plain);
  auto end = deliver(h, message_to("ops@example.com"));
  CHECK(end.is(delivery_status::retry));
  CHECK(end.summary == "cannot connect to " + peer(port) + ": Connection refused");
  h.set("server", "mail.test.invalid:25");
  end = deliver(h, message_to("a@example.com,b@example.com"));
  CHECK(end.is(delivery_status::retry));
  CHECK(end.summary == "the name of mail server mail.test.invalid:25 cannot be resolved; the mail to b@example.com was not tried");
}

TEST_CASE("a server that babbles is no mail server, and costs no memory", "[smtp]") {
  CHECK_THAT(end_with(at("GREETING", "HTTP/1.1 400 Bad Request"), 500ms), Catch::StartsWith("retry: SERVER did not answer within "));
  std::string endless = "250-stub";
  for (int i = 0; i < 20000; ++i) endless += "\r\n250-FEATURE" + std::to_string(i);
  CHECK_THAT(end_with(at("EHLO", endless + "\r\n250 HELP")), Catch::StartsWith("retry: SERVER broke the connection (at EHLO): "));
  CHECK(end_with(at("RCPT", "550 " + std::string(900, 'x'))).size() < 500);
}

TEST_CASE("dots at the beginnings of lines arrive", "[smtp]") {
  SmtpStub stub(at("", ""));
  host h;
  configure(h, stub.port(), plain);
  auto m = message_to("ops@example.com");
  m.body = ".\n..\n.x\n\n.\nQUIT\n.\n";
  CHECK(deliver(h, m).is(delivery_status::delivered));
  REQUIRE(stub.mails().size() == 1);
  CHECK(read_mail(stub.mails()[0].text).body == m.body);
  // nothing of a mail was taken for a command
  const std::vector<std::string> lines = {"EHLO agent.test.invalid", "MAIL FROM:<ronda@example.com>", "RCPT TO:<ops@example.com>", "DATA",
                                          "QUIT"};
  CHECK(stub.lines() == lines);
}

TEST_CASE("an address that is none reaches no server", "[smtp]") {
  SmtpStub stub(at("", ""));
  host h;
  configure(h, stub.port(), plain);
  const auto end = deliver(h, message_to("ops@example.com>\r\nRCPT TO:<evil@example.com"));
  CHECK(end.is(delivery_status::drop));
  CHECK_THAT(end.summary, Catch::StartsWith("\"ops@example.com>\\x0d\\x0aRCPT TO:<evil@example.com\" is no mail address: "));
  CHECK(stub.connections() == 0);
}

TEST_CASE("a wrong address among others spoils no other", "[smtp]") {
  SmtpStub stub(at("", ""));
  host h;
  configure(h, stub.port(), plain);
  const auto end = deliver(h, message_to("a@example.com,nobody,b@example.com"));
  CHECK(end.is(delivery_status::drop));
  CHECK(end.summary == "\"nobody\" is no mail address: there is no @ in it; taken: 2");
  CHECK(stub.mails().size() == 2);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "a@example.com,";
  CHECK(deliver(h, message_to(many)).summary == "there are more than 100 recipients");
}

TEST_CASE("what ends all mails alike is tried once, and counts for all", "[smtp]") {
  SmtpStub stub(at("GREETING", "554 no mail here"));
  host h;
  configure(h, stub.port(), plain);
  const auto end = deliver(h, message_to("a@example.com,b@example.com"));
  CHECK(end.is(delivery_status::drop));
  CHECK(end.summary ==
        peer(stub.port()) + " refuses mail to a@example.com (at its greeting): 554 no mail here; the mail to b@example.com was not tried");
  CHECK(stub.connections() == 1);
}

TEST_CASE("options that do not go together are refused when the notifier is made", "[smtp]") {
  const auto refusal = [](const std::function<void(host&)>& change) {
    host h;
    configure(h, 25, plain);
    change(h);
    return plugin().create(h, RONDA_KIND_NOTIFIER, "smtp").error();
  };
  CHECK(refusal([](host& h) { h.set("username", "ronda").set_secret("password", "x"); }) ==
        "security = \"none\" would send the password in plain text: use \"starttls\" or \"implicit\", or take username and password away");
  CHECK(refusal([](host& h) { h.set("username", "ronda").set("security", "starttls"); }) ==
        "username and password belong together: one of them is missing");
  CHECK(refusal([](host& h) { h.set("from", "nobody"); }) == "from: \"nobody\" is no mail address: there is no @ in it");
  CHECK(refusal([](host& h) { h.set("to", node::list{"a@b.c", "d"}); }) == "to[1]: \"d\" is no mail address: there is no @ in it");
  for (const char* server :
       {"mail.example.com", "mail.example.com:", "mail:0", "mail:70000", ":25", "a b:25", "a/b:25", "user@mail:25", "[::1:25", "mail:25x"})
    CHECK(refusal([&](host& h) { h.set("server", server); }) ==
          "server is host:port, as mail.example.com:587 or [2001:db8::1]:25, not \"" + std::string(server) + "\"");
  CHECK(refusal([](host& h) { h.set("server", "[::1]:25"); }).empty());
}
