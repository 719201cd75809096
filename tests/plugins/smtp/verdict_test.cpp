// SPDX-License-Identifier: Apache-2.0
#include "verdict.hpp"

#include <curl/curl.h>

#include <catch.hpp>
#include <cerrno>

using namespace smtp;

namespace {

std::string judged(const Ending& ending, const std::vector<std::string>& secrets = {}) {
  const auto d = judge(ending, "mail.example.com:587", "ops@example.com", secrets);
  const char* words[] = {"delivered: ", "retry: ", "drop: "};
  return words[static_cast<int>(d.status)] + d.summary;
}

Ending replied(int code, const std::string& text, const std::string& command, int curl_code = CURLE_SEND_ERROR) {
  Ending e;
  e.code = curl_code, e.reply = code, e.reply_text = text, e.command = command;
  return e;
}

}  // namespace

TEST_CASE("a server's 4 is tried again, its 5 is for good, and what it said is told", "[smtp]") {
  CHECK(judged(replied(450, "450 4.2.0 greylisted, come back\r\n", "RCPT")) ==
        "retry: mail server mail.example.com:587 cannot take mail to ops@example.com now (at RCPT): 450 4.2.0 greylisted, come back");
  CHECK(judged(replied(550, "550-5.1.1 no such user\r\n550 here\r\n", "RCPT")) ==
        "drop: mail server mail.example.com:587 refuses mail to ops@example.com (at RCPT): 550-5.1.1 no such user 550 here");
  CHECK(judged(replied(421, "421 too busy\r\n", "", CURLE_WEIRD_SERVER_REPLY)) ==
        "retry: mail server mail.example.com:587 cannot take mail to ops@example.com now (at its greeting): 421 too busy");
  CHECK(judged(replied(535, "535 5.7.8 wrong\r\n", "AUTH", CURLE_LOGIN_DENIED)) ==
        "drop: mail server mail.example.com:587 refuses the login (at AUTH): 535 5.7.8 wrong; are username and password right?");
  CHECK(judged(replied(454, "454 4.7.0 later\r\n", "AUTH", CURLE_LOGIN_DENIED)) ==
        "retry: mail server mail.example.com:587 cannot take the login now (at AUTH): 454 4.7.0 later");
}

TEST_CASE("a connection that broke is tried again, and it is said how far it came", "[smtp]") {
  auto ending = replied(354, "354 go on\r\n", "DATA", CURLE_SEND_ERROR);
  ending.text = "response reading failed";
  CHECK(judged(ending) == "retry: mail server mail.example.com:587 broke the connection (at DATA): response reading failed");
  ending.body_sent = true;
  CHECK(judged(ending) ==
        "retry: mail server mail.example.com:587 broke the connection after the whole mail was sent, perhaps it was taken (at DATA): "
        "response "
        "reading failed");
  Ending refused;
  refused.code = CURLE_COULDNT_CONNECT, refused.os_errno = ECONNREFUSED;
  CHECK(judged(refused) == "retry: cannot connect to mail server mail.example.com:587: Connection refused");
  Ending late = replied(220, "220 hello\r\n", "EHLO", CURLE_OPERATION_TIMEDOUT);
  late.seconds = 1.5;
  CHECK(judged(late) == "retry: mail server mail.example.com:587 did not answer within 1.5s (at EHLO)");
  Ending nameless;
  nameless.code = CURLE_COULDNT_RESOLVE_HOST;
  CHECK(judged(nameless) == "retry: the name of mail server mail.example.com:587 cannot be resolved");
}

TEST_CASE("a server without STARTTLS gets nothing", "[smtp]") {
  CHECK(judged(replied(250, "250 HELP\r\n", "EHLO", CURLE_USE_SSL_FAILED)) ==
        "drop: mail server mail.example.com:587 offers no STARTTLS, and nothing is sent in plain text: enable it there, or use security = "
        "\"implicit\" with port 465");
  CHECK(judged(replied(454, "454 TLS not available\r\n", "STARTTLS", CURLE_USE_SSL_FAILED)) ==
        "retry: mail server mail.example.com:587 cannot take mail to ops@example.com now (at STARTTLS): 454 TLS not available");
}

TEST_CASE("a password that a server says back is not told, in no form of a login", "[smtp]") {
  const auto forms = forms_of_password("ronda", "canary-secret");
  for (const auto& form :
       {std::string("canary-secret"), std::string("Y2FuYXJ5LXNlY3JldA=="), std::string("AHJvbmRhAGNhbmFyeS1zZWNyZXQ=")}) {
    const auto text = judged(replied(535, "535 bad " + form + "\r\n", "AUTH", CURLE_LOGIN_DENIED), forms);
    CHECK(text == "drop: mail server mail.example.com:587 refuses the login (at AUTH): 535 bad ***; are username and password right?");
  }
}

TEST_CASE("a reply cannot turn a person's screen", "[smtp]") {
  CHECK(judged(replied(550, "550 \x1b[2J\xe2\x80\xae gone\r\n", "MAIL")) ==
        "drop: mail server mail.example.com:587 refuses mail to ops@example.com (at MAIL): 550 \\x1b[2J\\xe2\\x80\\xae gone");
}
