// SPDX-License-Identifier: Apache-2.0
// Twilio's API for messages as its documents describe it.
#include "catch.hpp"

#include <ronda/testing_catch.hpp>

#include "sink.hpp"
#include "under_test.hpp"

using ronda::testing::Ended;

namespace {

const std::string sid = "AC00000000000000000000000000000000", token = "the-auth-token-canary";
const std::string queued = R"({"sid":"SM0123","status":"queued","error_code":null,"error_message":null,"num_segments":"1"})";

message_options message() {
  message_options m;
  m.title = "P1 INC-7: shop is down", m.body = "HTTP 500 & more", m.to = "+5491155550000", m.incident = "INC-7";
  return m;
}

report answered(int status, const std::string& body, const std::string& headers = {}) {
  Sink sink(http_answer(status, body, headers));
  host h;
  prepare(h, sink.base());
  return deliver(h, message());
}

/// The form that was posted.
std::map<std::string, std::string> posted(
    const message_options& m, const std::function<void(host&)>& also = [](host&) {}) {
  Sink sink(http_answer(201, queued));
  host h;
  prepare(h, sink.base());
  also(h);
  CHECK_THAT(deliver(h, m), Ended(delivery_status::delivered, "accepted as SM0123: queued"));
  REQUIRE(sink.requests().size() == 1);
  return sink.requests()[0].form();
}

}  // namespace

const UnderTest& under_test() {
  static const UnderTest sms{"sms",
                             [](host& h, const std::string& base) {
                               h.set("api_base", base).set("account_sid", sid).set("from", "+15005550006");
                               h.set_secret("auth_token", token);
                             },
                             queued,
                             {token, "QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDp0aGUtYXV0aC10b2tlbi1jYW5hcnk"},
                             message()};
  return sms;
}

TEST_CASE("a message is a form with To, From and Body, and a login", "[sms]") {
  Sink sink(http_answer(201, queued));
  host h;
  prepare(h, sink.base());
  CHECK_THAT(deliver(h, message()), Ended(delivery_status::delivered, "accepted as SM0123: queued"));
  REQUIRE(sink.requests().size() == 1);
  const auto request = sink.requests()[0];
  CHECK(request.target == "/2010-04-01/Accounts/" + sid + "/Messages.json");
  CHECK(request.header("Content-Type") == "application/x-www-form-urlencoded");
  // of "AC00000000000000000000000000000000:the-auth-token-canary", by base64(1)
  CHECK(request.header("Authorization") == "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDp0aGUtYXV0aC10b2tlbi1jYW5hcnk=");
  CHECK(request.body == "To=%2B5491155550000&From=%2B15005550006&Body=P1%20INC-7%3A%20shop%20is%20down%0AHTTP%20500%20%26%20more");
}

TEST_CASE("a messaging service and a name send, too", "[sms]") {
  const auto service = posted(message(), [](host& h) { h.set("from", "MG0123456789abcdef0123456789abcdef"); });
  CHECK(service.at("MessagingServiceSid") == "MG0123456789abcdef0123456789abcdef");
  CHECK(service.count("From") == 0);
  CHECK(posted(message(), [](host& h) { h.set("from", "Ronda"); }).at("From") == "Ronda");
}

TEST_CASE("what is no telephone number is dropped before anything is sent", "[sms]") {
  const std::string to = GENERATE(as<std::string>(), "", "5491155550000", "+0123456789", "+549115555000012345", "+54 911 5555", "+12345",
                                  "+1234567a", "whatsapp:+5491155550000");
  Sink sink(http_answer(201, queued));
  host h;
  prepare(h, sink.base());
  auto m = message();
  m.to = to;
  CHECK_THAT(deliver(h, m), Ended(delivery_status::drop, "`to` is \"" + to + "\": a telephone number is written like +5491155550000"));
  CHECK(sink.requests().empty());
}

TEST_CASE("the code to acknowledge comes last, in the language of the agent, unless the text has it", "[sms]") {
  auto m = message();
  m.fields = {{"ack_code", "4821"}};
  CHECK(posted(m).at("Body") == "P1 INC-7: shop is down\nHTTP 500 & more\nReply 4821 to acknowledge.");
  CHECK(posted(m, [](host& h) { h.set_fact("language", "es"); }).at("Body") ==
        "P1 INC-7: shop is down\nHTTP 500 & more\nResponda 4821 para confirmar.");
  m.fields["language"] = "es";  // of the one it goes to
  CHECK(posted(m).at("Body") == "P1 INC-7: shop is down\nHTTP 500 & more\nResponda 4821 para confirmar.");
  m.body = "HTTP 500, ack 4821";
  CHECK(posted(m).at("Body") == "P1 INC-7: shop is down\nHTTP 500, ack 4821");
}

TEST_CASE("a long text is cut to max_segments, the code is not", "[sms]") {
  auto m = message();
  m.body = std::string(5000, 'x');
  m.fields = {{"ack_code", "4821"}};
  const auto body = posted(m, [](host& h) { h.set("max_segments", 3); }).at("Body");
  CHECK(body.size() == 3 * 153);
  CHECK_THAT(body, Catch::EndsWith("x...\nReply 4821 to acknowledge."));
}

TEST_CASE("a code that the text has is not lost where the text is cut", "[sms]") {
  auto m = message();
  m.body = std::string(200, 'x') + " ACK 4821";
  m.fields = {{"ack_code", "4821"}};
  CHECK(posted(m).at("Body") == "P1 INC-7: shop is down\n" + m.body);
  const auto body = posted(m, [](host& h) { h.set("max_segments", 1); }).at("Body");
  CHECK(body.size() == 160);
  CHECK_THAT(body, Catch::EndsWith("x...\nReply 4821 to acknowledge."));
}

TEST_CASE("with transliterate off the text leaves as it is", "[sms]") {
  auto m = message();
  m.title = "“quoted” – á";
  CHECK(posted(m).at("Body") == "\"quoted\" - a\nHTTP 500 & more");
  CHECK(posted(m, [](host& h) { h.set("transliterate", false); }).at("Body") == "“quoted” – á\nHTTP 500 & more");
}

TEST_CASE("an error of the gateway's is one with any status", "[sms]") {
  const auto [status, body, expected, summary] = GENERATE(table<int, std::string, delivery_status, std::string>({
      {400, R"({"code":21211,"message":"The 'To' number is not a valid phone number.","status":400})", delivery_status::drop,
       "the gateway says 21211: The 'To' number is not a valid phone number.; is the contact's number right, and one of a mobile "
       "telephone?"},
      {200, R"({"code":21211,"message":"invalid","status":400})", delivery_status::drop, "the gateway says 21211: invalid"},
      {201, R"({"sid":"SM1","status":"failed","error_code":30003,"error_message":"Unreachable"})", delivery_status::drop,
       "the gateway says 30003: Unreachable"},
      {201, R"({"sid":"SM1","status":"failed","error_code":null})", delivery_status::drop, "the gateway says that it is failed"},
      {401, R"({"code":20003,"message":"Authenticate"})", delivery_status::drop,
       "the gateway says 20003: Authenticate; are account_sid and auth_token right?"},
      {429, R"({"code":20429,"message":"Too Many Requests"})", delivery_status::retry, "the gateway says 20429: Too Many Requests"},
      {200, R"({"code":20429,"message":"Too Many Requests"})", delivery_status::retry, "the gateway says 20429: Too Many Requests"},
      {400, R"({"code":30001,"message":"Queue overflow"})", delivery_status::retry, "the gateway says 30001: Queue overflow"},
      {503, R"({"code":21211,"message":"confused"})", delivery_status::retry, "the gateway says 21211: confused"},
      {200, "<html>Welcome</html>", delivery_status::drop,
       "HTTP 200, but not the gateway's word that it took the message: <html>Welcome</html>; is api_base right?"},
      {200, "{}", delivery_status::drop, "HTTP 200, but not the gateway's word that it took the message: {}; is api_base right?"},
  }));
  const auto report = answered(status, body);
  INFO(report.summary);
  CHECK_THAT(report, Ended(expected, summary));
}

TEST_CASE("a limit on the rate is waited for", "[sms]") {
  const auto report = answered(429, R"({"code":20429,"message":"Too Many Requests"})", "Retry-After: 30\r\n");
  CHECK(report.again_at == ronda::wall_time(std::chrono::seconds(test_now_s + 30)));
}
