// SPDX-License-Identifier: Apache-2.0
// The door on TCP: whom it lets in, what it reads of others, and what it shows. Most of this is hostile.
#include "api/door.hpp"

#include <sys/socket.h>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>

#include "api/door_acks.hpp"
#include "api/door_page.hpp"
#include "api/inbound.hpp"
#include "api/tcp.hpp"
#include "catch.hpp"
#include "config/build.hpp"
#include "plugin/hmac.hpp"

using namespace ronda;
using namespace ronda::api;
using namespace std::chrono_literals;

namespace {

DoorRules rules() {
  DoorRules out;
  out.hosts = {"ronda.example", "ops.example:8443", "localhost", "127.0.0.1", "[::1]"};
  out.origins = {"https://ronda.example"};
  return out;
}

Request request(std::vector<std::pair<std::string, std::string>> headers, std::string target = "/v1/status", std::string method = "POST") {
  Request out;
  out.method = std::move(method);
  out.path = out.target = std::move(target);
  out.headers = std::move(headers);
  return out;
}

int judged(const Request& one) {
  const auto refusal = judge_request(rules(), one);
  return refusal ? refusal->status : 0;
}

const std::vector<std::string> services = {"shop"};
const InboundContext context{"prometheus", services, 1'000'000'000};

std::string webhook(const std::string& alerts) {
  return R"({"version": "4", "groupKey": "{}:{}", "status": "firing", "receiver": "ronda", "alerts": [)" + alerts + "]}";
}

std::vector<Token> tokens_of(const std::string& text, std::string& told) {
  config::Diagnostics diagnostics;
  config::Sources sources;
  sources.push_back({"conf.d/10.toml", text, false});
  const config::Generation generation = config::build_generation(sources, {}, diagnostics);
  auto out = read_tokens(generation, diagnostics);
  for (const config::Diagnostic& one : diagnostics.all()) {
    if (one.severity == config::Severity::error) told += one.message + "\n";
  }
  return out;
}

const std::string hash_of_open = plugin::sha256_hex(std::string_view("open"));

}  // namespace

TEST_CASE("the codes of authentication are those of the standards", "[api]") {
  const auto hex = [](std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
      constexpr std::string_view digits = "0123456789abcdef";
      out += digits[static_cast<unsigned char>(c) >> 4U];
      out += digits[static_cast<unsigned char>(c) & 15U];
    }
    return out;
  };
  // RFC 4231 and RFC 2202, test case 2; RFC 4648, 10
  CHECK(hex(plugin::hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(plugin::hmac_sha1("Jefe", "what do ya want for nothing?")) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  CHECK(plugin::base64("") == "");
  CHECK(plugin::base64("f") == "Zg==");
  CHECK(plugin::base64("fo") == "Zm8=");
  CHECK(plugin::base64("foobar") == "Zm9vYmFy");
  CHECK(plugin::base64_url("\xfb\xff") == "-_8");
  CHECK(plugin::is_same_secret("abc", "abc"));
  CHECK_FALSE(plugin::is_same_secret("abc", "abd"));
  CHECK_FALSE(plugin::is_same_secret("abc", "ab"));
}

TEST_CASE("Host and Origin are looked at before anything else", "[api]") {
  CHECK(judged(request({{"host", "ronda.example"}})) == 0);
  CHECK(judged(request({{"host", "RONDA.example:443"}})) == 0);
  CHECK(judged(request({{"host", "127.0.0.1:8080"}})) == 0);
  CHECK(judged(request({{"host", "[::1]:8080"}})) == 0);
  CHECK(judged(request({{"host", "[::1]"}})) == 0);
  CHECK(judged(request({{"host", "ops.example:8443"}})) == 0);
  CHECK(judged(request({{"host", "ronda.example"}, {"origin", "https://ronda.example"}})) == 0);
  struct Bad {
    int status;
    Request one;
  };
  const Bad bad[] = {
      {421, request({})},
      {421, request({{"host", ""}})},
      {421, request({{"host", "evil.example"}})},
      {421, request({{"host", "ronda.example.evil.example"}})},
      {421, request({{"host", "evil.example:ronda.example"}})},
      {421, request({{"host", "ops.example"}})},
      {421, request({{"host", "ops.example:80"}})},
      {421, request({{"host", "ronda.example"}, {"host", "ronda.example"}})},
      {403, request({{"host", "ronda.example"}, {"origin", "https://evil.example"}})},
      {403, request({{"host", "ronda.example"}, {"origin", "null"}})},
      {403, request({{"host", "ronda.example"}, {"origin", "http://ronda.example"}})},
      {403, request({{"host", "ronda.example"}, {"origin", ""}})},
      {403, request({{"host", "ronda.example"}, {"origin", "https://ronda.example"}, {"origin", "https://evil.example"}})},
      {400, request({{"host", "ronda.example"}, {"authorization", "Bearer a"}, {"authorization", "Bearer b"}})},
      {400, request({{"host", "ronda.example"}}, "http://ronda.example/v1/status")},
      {400, request({{"host", "ronda.example"}}, "//evil.example/")},
      {400, request({{"host", "ronda.example"}}, "*")},
      {400, request({{"host", "ronda.example"}}, "")},
      {400, request({{"host", "ronda.example"}}, "/a\tb")},
      {400, request({{"host", "ronda.example"}}, "/a\xff")},
      {405, request({{"host", "ronda.example"}}, "/v1/status", "DELETE")},
      {405, request({{"host", "ronda.example"}}, "/v1/status", "OPTIONS")},
  };
  for (const Bad& one : bad) {
    INFO(one.one.target << " " << one.one.header("host") << " " << one.one.header("origin"));
    CHECK(judged(one.one) == one.status);
  }
}

TEST_CASE("a token is known by its hash alone, and what is wrong with one is told", "[api]") {
  std::string told;
  const auto tokens = tokens_of("[token.wall]\nrole = \"viewer\"\nsha256 = \"" + hash_of_open + "\"\n", told);
  CHECK(told.empty());
  REQUIRE(tokens.size() == 1);
  REQUIRE(find_token(tokens, "open") != nullptr);
  CHECK(find_token(tokens, "open")->role == Role::viewer);
  for (const std::string& bad : {std::string(), std::string("Open"), std::string("open "), hash_of_open, std::string(100'000, 'x')})
    CHECK(find_token(tokens, bad) == nullptr);

  CHECK(bearer_of(request({{"authorization", "Bearer open"}})) == "open");
  CHECK(bearer_of(request({{"authorization", "bearer open"}})) == "open");
  for (const char* bad : {"", "Bearer", "Basic open", "open", "Bearer\topen"}) CHECK(bearer_of(request({{"authorization", bad}})).empty());

  const std::string sha = "sha256 = \"" + hash_of_open + "\"\n";
  told.clear();
  CHECK(tokens_of("[token.a]\nrole = \"reporter\"\n" + sha, told).empty());
  CHECK(told == "token `a` is a reporter's and lacks `inbox`: to which it may post\n");
  told.clear();
  CHECK(tokens_of("[token.a]\nrole = \"viewer\"\ninbox = [\"x\"]\n" + sha, told).empty());
  CHECK(told == "`inbox` is for role reporter alone; viewer has no use for it\n");
  told.clear();
  CHECK(tokens_of("[token.a]\nrole = \"viewer\"\ncontact = \"cfo\"\n" + sha, told).empty());
  CHECK(told.find("there is no contact `cfo`") != std::string::npos);
  told.clear();
  CHECK(tokens_of("[token.a]\nrole = \"viewer\"\n" + sha + "[token.b]\nrole = \"operator\"\n" + sha, told).size() == 1);
  CHECK(told == "token `b` is the same as token `a`; make each its own\n");
  told.clear();
  CHECK(tokens_of("[token.a]\nrole = \"viewer\"\nexpires = \"x\"\n" + sha, told).empty());
  CHECK(told.find("unknown key `expires`") != std::string::npos);
}

TEST_CASE("so much at once and as much a second after that, whatever the clock does", "[api]") {
  Allowance allowance(3, 1);
  for (int i = 0; i < 3; ++i) CHECK(allowance.take(10s));
  CHECK_FALSE(allowance.take(10s));
  CHECK_FALSE(allowance.take(10s + 900ms));
  CHECK(allowance.take(11s + 1ms));
  CHECK_FALSE(allowance.take(5s));
  CHECK_FALSE(allowance.take(11s + 1ms));
  for (int i = 0; i < 3; ++i) CHECK(allowance.take(100s));
  CHECK_FALSE(allowance.take(100s));
}

TEST_CASE("the webhook of Alertmanager becomes alerts that are known again by their fingerprint", "[api]") {
  const auto batch = parse_alertmanager(webhook(R"({"status": "firing", "labels": {"alertname": "Slow", "severity": "critical",
    "service": "shop", "instance": "db1:9100"}, "annotations": {"summary": "it is slow"}, "startsAt": "2026-01-05T00:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p/", "fingerprint": "9af3c2d1e0f91827"},
    {"status": "resolved", "labels": {"alertname": "Full", "severity": "odd", "service": "unknown"}, "annotations": {}, "fingerprint": "00"})"),
                                        context);
  REQUIRE(batch);
  CHECK(batch->source == "alertmanager");
  REQUIRE(batch->alerts.size() == 2);
  const auto& slow = batch->alerts[0];
  CHECK(slow.name == "inbound/prometheus/9af3c2d1e0f91827");
  CHECK(slow.check == "inbound/prometheus/Slow@shop");
  CHECK(slow.service == "shop");
  CHECK(slow.level == config::Level::p1);
  CHECK(slow.reason == "Slow on db1:9100: it is slow");
  CHECK(slow.until_ns == context.now_ns + repeated_within_ns);
  CHECK(batch->alerts[1].level == config::Level::none);
  CHECK(batch->alerts[1].service.empty());
}

TEST_CASE("labels are data: none of them is a name here, and no line is broken", "[api]") {
  const auto read = [](const std::string& alert) {
    const auto batch = parse_alertmanager(webhook(alert), context);
    REQUIRE(batch);
    return batch->alerts.at(0);
  };
  const auto alert = read(R"({"status": "firing", "labels": {"alertname": "../../ronda/store", "instance": "a\nb\u001b[31m"},
    "annotations": {"summary": "<script>\r\nx\u0000y"}, "fingerprint": "../x y"})");
  CHECK(alert.name.starts_with("inbound/prometheus/"));
  CHECK(alert.name.find('/', 19) == std::string::npos);
  CHECK(alert.name.size() == 19 + 32);
  CHECK(alert.check.find('/', 19) == std::string::npos);
  CHECK(alert.reason.find_first_of(std::string_view("\r\n\0\x1b", 4)) == std::string::npos);
  CHECK(alert.reason.size() <= 300);
  CHECK(read(R"({"status": "firing", "labels": {}, "annotations": {"summary": ")" + std::string(9000, 'x') + R"("}})").reason.size() <=
        300);
  // without a fingerprint the same labels are the same alert
  const std::string same = R"({"status": "firing", "labels": {"b": "2", "a": "1"}})";
  CHECK(read(same).name == read(R"({"status": "resolved", "labels": {"a": "1", "b": "2"}})").name);
  CHECK(read(same).name != read(R"({"status": "firing", "labels": {"a": "12", "b": ""}})").name);
}

TEST_CASE("what is no webhook and no event is refused, with the reason", "[api]") {
  std::string many = R"({"status": "firing", "labels": {}})", labels;
  for (int i = 0; i < 200; ++i) many += R"(,{"status": "firing", "labels": {}})";
  for (int i = 0; i < 65; ++i) labels += (i == 0 ? "\"l" : ",\"l") + std::to_string(i) + "\": \"\"";
  const std::string bad[] = {"",
                             "x",
                             "[]",
                             "null",
                             "{}",
                             R"({"version": "3", "alerts": []})",
                             R"({"version": 4, "alerts": []})",
                             R"({"version": "4"})",
                             R"({"version": "4", "alerts": {}})",
                             webhook("1"),
                             webhook("{}"),
                             webhook(R"({"status": "odd", "labels": {}})"),
                             webhook(R"({"status": "firing", "labels": []})"),
                             webhook(R"({"status": "firing", "labels": {"a": 1}})"),
                             webhook(many),
                             webhook(R"({"status": "firing", "labels": {)" + labels + "}}"),
                             webhook("").substr(0, 40),
                             std::string(60'000, '['),
                             std::string("\xff\xfe\0{}", 5)};
  for (const std::string& one : bad) {
    INFO(one.substr(0, 80));
    CHECK_FALSE(parse_alertmanager(one, context));
  }
  const std::string bad_events[] = {"",
                                    "x",
                                    "{}",
                                    R"({"alert": "", "status": "firing"})",
                                    R"({"alert": " ", "status": "firing"})",
                                    R"({"alert": "a"})",
                                    R"({"alert": "a", "status": "odd"})",
                                    R"({"alert": 1, "status": "firing"})",
                                    R"({"alert": "a", "status": "firing", "level": "p5"})",
                                    R"({"alert": "a", "status": "firing", "level": 1})",
                                    R"({"alert": "a", "status": "firing", "service": "none"})",
                                    R"({"alert": "a", "status": "firing", "for": "-1s"})",
                                    R"({"alert": "a", "status": "firing", "for": "5"})",
                                    R"({"alert": "a", "status": "firing", "author": "cto"})",
                                    R"({"alert": ")" + std::string(200, 'a') + R"(", "status": "firing"})"};
  for (const std::string& one : bad_events) {
    INFO(one.substr(0, 80));
    CHECK_FALSE(parse_event(one, context));
  }
  const auto good =
      parse_event(R"({"alert": "nas", "status": "firing", "level": "p2", "text": "disk 3", "service": "shop", "for": "1h"})", context);
  REQUIRE(good);
  CHECK(good->alerts.at(0).name == "inbound/prometheus/nas");
  CHECK(good->alerts.at(0).reason == "nas: disk 3");
  CHECK(good->alerts.at(0).until_ns == context.now_ns + 3'600'000'000'000);
}

TEST_CASE("a form is read strictly, and signed as the gateway signs it", "[api]") {
  constexpr std::string_view type = "application/x-www-form-urlencoded";
  const auto form = parse_form(type, "CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212");
  REQUIRE(form);
  CHECK(value_in(*form, "From") == "+14158675310");
  // the gateway's own example
  CHECK(twilio_signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", *form) == "GvWf1cFY/Q7PnoempGyD5oXAezc=");
  CHECK_FALSE(parse_form(type, "a=1&a=2"));
  CHECK_FALSE(parse_form("text/plain", "a=1"));
  CHECK_FALSE(parse_form("", "a=1"));
  CHECK(parse_form("application/x-www-form-urlencoded; charset=utf-8", "a=1"));
  std::string many;
  for (int i = 0; i < 101; ++i) many += std::to_string(i) + "=&";
  CHECK_FALSE(parse_form(type, many));
  CHECK(parse_form(type, "&&=&%=%zz&%0")->size() == 3);
}

TEST_CASE("codes are found among words, however they are written", "[api]") {
  using Codes = std::vector<std::string>;
  CHECK(codes_in("7KQ2MX") == Codes{"7KQ2MX"});
  CHECK(codes_in("ack 7kq2mx, thanks!") == Codes{"7KQ2MX", "THANKS"});
  CHECK(codes_in("7KQ2MO") == Codes{"7KQ2M0"});
  CHECK(codes_in("iKQ2Ml") == Codes{"1KQ2M1"});
  CHECK(codes_in("").empty());
  CHECK(codes_in("7KQ2MXX 7KQ2M \xff\xf0").empty());
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "ABCDEF ";
  CHECK(codes_in(many).size() == 8);
}

TEST_CASE("the pages escape what they show, run nothing and load nothing", "[api]") {
  incident::Incident incident;
  incident.id = "INC-20260105-K7Q2M4XD3A";
  incident.title = "<script>alert(1)</script>\"'&";
  incident.service = "<img src=x onerror=y>";
  incident.level = config::Level::p1;
  incident.sequence = 12;
  const Response page = ack_form_page(incident, "<b>Ana</b>", "today", notify::Language::en);
  CHECK(page.status == 200);
  CHECK(page.body.find("<script") == std::string::npos);
  CHECK(page.body.find("<img") == std::string::npos);
  CHECK(page.body.find("<b>") == std::string::npos);
  CHECK(page.body.find("&lt;script&gt;") != std::string::npos);
  CHECK(page.body.find("name=\"based_on\" value=\"12\"") != std::string::npos);
  CHECK(page.body.find("name=\"name\"") == std::string::npos);
  const Response room = ack_form_page(incident, "<b>Ops</b>", "today", notify::Language::es, true);
  CHECK(room.body.find("Su nombre <input name=\"name\" maxlength=\"80\" required>") != std::string::npos);
  CHECK(room.body.find("Tomarlo para &lt;b&gt;Ops&lt;/b&gt;") != std::string::npos);
  CHECK(room.body.find("<b>") == std::string::npos);
  const auto csp = std::ranges::find(page.headers, std::string("Content-Security-Policy"), [](const auto& one) { return one.first; });
  REQUIRE(csp != page.headers.end());
  CHECK(csp->second == "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
  CHECK(sms_reply("<Redirect>").body.find("<Redirect>") == std::string::npos);
  CHECK(ack_word_page(410, AckWord::used, "", notify::Language::es).body.find("Este enlace ya se us") != std::string::npos);
}

TEST_CASE("the door opens on loopback only", "[api]") {
  boost::asio::io_context loop;
  const auto nothing = [](const Request&, const Respond& respond) { respond({200, "{}", "application/json"}); };
  for (const char* bad :
       {"", ":0", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.com:0"}) {
    INFO(bad);
    CHECK_FALSE(TcpServer::open(loop, bad, nothing));
  }
  const auto good = TcpServer::open(loop, "localhost:0", nothing);
  REQUIRE(good);
  CHECK((*good)->address().starts_with("127.0.0.1:"));
}
