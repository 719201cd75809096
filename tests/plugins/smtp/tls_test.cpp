// SPDX-License-Identifier: Apache-2.0
// Whom the plugin trusts, and that it sends nothing to anybody else.
#include <catch.hpp>

#include "fixture.hpp"
#include "stub.hpp"

namespace {

struct Case {
  TempDir dir;
  Case() { make_mail_certificates(dir.path()); }
  std::string file(const std::string& name) const { return dir.path() + "/" + name; }
  SmtpStub::Options with(const std::string& certificate) const {
    SmtpStub::Options options;
    options.certificate = file(certificate + ".crt"), options.key = file(certificate + ".key");
    return options;
  }
};

SmtpStub::Script usual() {
  return [](const std::string&, int) { return std::string(); };
}

/// Nothing of a mail or of a login came, in plain text or not.
void check_nothing_came(const SmtpStub& stub) {
  CHECK(stub.mails().empty());
  for (const auto& line : stub.lines()) {
    INFO(line);
    CHECK((line.substr(0, 4) == "EHLO" || line.substr(0, 4) == "QUIT" || line == "STARTTLS"));
  }
}

}  // namespace

TEST_CASE("a mail goes over an encrypted connection to a server that is known", "[smtp]") {
  const Case c;
  SmtpStub stub(c.with("server"), usual());
  host h;
  configure(h, stub.port(), {"starttls", c.file("ca.crt")});
  CHECK(deliver(h, message_to("ops@example.com")).is(delivery_status::delivered));
  REQUIRE(stub.mails().size() == 1);
  CHECK(stub.mails()[0].encrypted);
}

TEST_CASE("a server whose certificate is wrong gets neither mail nor password", "[smtp]") {
  const Case c;
  const auto wrong = [&](const std::string& certificate, const std::string& ca, const std::string& security) {
    auto options = c.with(certificate);
    options.tls_at_once = security == "implicit";
    SmtpStub stub(options, usual());
    host h;
    configure(h, stub.port(), {security, ca});
    const auto end = deliver(h, message_to("ops@example.com"));
    CHECK(end.is(delivery_status::retry));
    check_nothing_came(stub);
    CHECK_THAT(end.summary, Catch::StartsWith("TLS with mail server localhost:" + std::to_string(stub.port()) + ": "));
    return end.summary;
  };
  for (const char* security : {"starttls", "implicit"}) {
    INFO(security);
    CHECK_THAT(wrong("expired", c.file("ca.crt"), security),
               Catch::EndsWith("certificate has expired; renew the server's certificate; nothing was sent"));
    CHECK_THAT(wrong("other", c.file("ca.crt"), security),
               Catch::EndsWith("; use the name that is in the certificate as `server`; nothing was sent"));
    CHECK_THAT(wrong("own", c.file("ca.crt"), security),
               Catch::EndsWith("; name the file of the authority that signed it in tls.ca; nothing was sent"));
    CHECK_THAT(wrong("server", "", security),
               Catch::EndsWith("; name the file of the authority that signed it in tls.ca; nothing was sent"));
  }
}

TEST_CASE("where STARTTLS was taken out of what a server offers nothing is sent", "[smtp]") {
  SmtpStub::Options stripped;
  stripped.features = {"AUTH PLAIN LOGIN"};
  SmtpStub stub(stripped, usual());
  host h;
  configure(h, stub.port(), {});
  const auto end = deliver(h, message_to("ops@example.com"));
  CHECK(end.is(delivery_status::drop));
  CHECK(end.summary ==
        "mail server localhost:" + std::to_string(stub.port()) +
            " offers no STARTTLS, and nothing is sent in plain text: enable it there, or use security = \"implicit\" with port 465");
  check_nothing_came(stub);
}

TEST_CASE("a server that refuses STARTTLS for now is asked again, one that refuses it for good is not", "[smtp]") {
  for (const auto& [reply, status] :
       {std::pair("454 4.7.0 not now", delivery_status::retry), std::pair("502 5.5.1 never", delivery_status::drop)}) {
    SmtpStub stub([reply = reply](const std::string& command, int) { return command == "STARTTLS" ? std::string(reply) : std::string(); });
    host h;
    configure(h, stub.port(), {});
    const auto end = deliver(h, message_to("ops@example.com"));
    CHECK(end.is(status));
    CHECK_THAT(end.summary, Catch::EndsWith("(at STARTTLS): " + std::string(reply)));
    check_nothing_came(stub);
  }
}

TEST_CASE("what was slipped in before the handshake is not believed after it", "[smtp]") {
  const Case c;
  // the answer to STARTTLS and, in the same breath, one to the EHLO that follows: a server in the middle speaks for the real one
  SmtpStub stub(c.with("server"), [](const std::string& command, int) {
    return command == "STARTTLS" ? std::string("220 go ahead\r\n250-evil\r\n250 AUTH PLAIN") : std::string();
  });
  host h;
  configure(h, stub.port(), {"starttls", c.file("ca.crt")});
  const auto end = deliver(h, message_to("ops@example.com"));
  CHECK(end.is(delivery_status::retry));
  check_nothing_came(stub);
}

TEST_CASE("a server that hangs up instead of a handshake leaves the message owed", "[smtp]") {
  SmtpStub stub(SmtpStub::Options{}, usual());
  host h;
  configure(h, stub.port(), {});
  const auto end = deliver(h, message_to("ops@example.com"));
  CHECK(end.is(delivery_status::retry));
  check_nothing_came(stub);
}

TEST_CASE("implicit TLS to a port that begins in plain text says what to do", "[smtp]") {
  SmtpStub stub(usual());
  host h;
  configure(h, stub.port(), {"implicit", ""});
  const auto end = deliver(h, message_to("ops@example.com"));
  CHECK(end.is(delivery_status::retry));
  CHECK_THAT(end.summary, Catch::EndsWith("; does it begin in plain text? then security is \"starttls\"; nothing was sent"));
}

TEST_CASE("a file of authorities that cannot be read is told at once", "[smtp]") {
  const Case c;
  SmtpStub stub(c.with("server"), usual());
  host h;
  configure(h, stub.port(), {"starttls", "/nonexistent/ca.pem"});
  const auto end = deliver(h, message_to("ops@example.com"));
  CHECK(end.is(delivery_status::drop));
  CHECK_THAT(end.summary, Catch::StartsWith("the certificates in tls.ca cannot be read: "));
}
