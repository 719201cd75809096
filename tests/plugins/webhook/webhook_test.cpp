// SPDX-License-Identifier: Apache-2.0
// The webhook's body, headers and signature, as a receiver sees them.
#include "catch.hpp"

#include <ronda/testing_catch.hpp>

#include <boost/json.hpp>
#include <cstdio>

#include "sink.hpp"
#include "under_test.hpp"

namespace json = boost::json;

namespace {

const std::string path = "/hook/a-path-that-is-secret", key = "0123456789abcdef-the-key";

/// The HMAC as the program openssl makes it.
std::string hmac_by_openssl(const std::string& text) {
  TempDir dir;
  const auto file = dir.path() + "/text";
  auto* out = std::fopen(file.c_str(), "w");
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
  auto* in = popen(("openssl dgst -sha256 -hmac " + key + " -r " + file).c_str(), "r");
  char line[256] = "";
  REQUIRE(std::fgets(line, sizeof line, in) != nullptr);
  pclose(in);
  return std::string(line).substr(0, 64);
}

message_options message() {
  message_options m;
  m.id = "01J-message", m.title = "The \"shop\" is down", m.body = "HTTP 500\nsince 5 min", m.level = "p1", m.event = "open";
  m.incident = "INC-7", m.attempt = 2;
  m.fields = {
      {"alert", "api-down"}, {"service", "shop"}, {"opened_at", "2026-11-29T00:55:00Z"}, {"incident_url", "https://ronda.example/i/7"}};
  return m;
}

json::value parsed(const SinkRequest& request) {
  return json::parse(request.body);
}

}  // namespace

const UnderTest& under_test() {
  static const UnderTest webhook{"webhook",
                                 [](host& h, const std::string& base) {
                                   h.set_secret("url", base + path);
                                   h.set_secret("secret", key);
                                 },
                                 "",
                                 {path, "a-path-that-is-secret", key},
                                 message()};
  return webhook;
}

TEST_CASE("format ronda has stable keys", "[webhook]") {
  Sink sink(http_answer(204));
  host h;
  prepare(h, sink.base());
  auto sent = message();
  sent.to = "ana@example.com";
  CHECK_THAT(deliver(h, sent), ronda::testing::Ended(delivery_status::delivered, "HTTP 204"));
  REQUIRE(sink.requests().size() == 1);
  const auto request = sink.requests()[0];
  CHECK(request.target == path);
  CHECK(request.header("Content-Type") == "application/json");
  CHECK(request.header("User-Agent").find("ronda/") == 0);
  CHECK(parsed(request) == json::parse(R"({"id":"01J-message","attempt":2,"test":false,"event":"open","level":"p1","incident":"INC-7",
    "to":"ana@example.com","title":"The \"shop\" is down","body":"HTTP 500\nsince 5 min",
    "fields":{"alert":"api-down","service":"shop","opened_at":"2026-11-29T00:55:00Z","incident_url":"https://ronda.example/i/7"},
    "host":"test-host","at":"2026-11-29T01:00:00.000Z"})"));
}

TEST_CASE("a test says that it is one", "[webhook]") {
  Sink sink(http_answer(200));
  host h;
  prepare(h, sink.base());
  auto m = message();
  m.event = "test";
  deliver(h, m);
  REQUIRE(sink.requests().size() == 1);
  CHECK(parsed(sink.requests()[0]).at("test") == true);
}

TEST_CASE("the signature is the HMAC of timestamp and body, and leaves with the key alone", "[webhook]") {
  Sink sink(http_answer(200));
  host h;
  prepare(h, sink.base());
  deliver(h, message());
  REQUIRE(sink.requests().size() == 1);
  const auto request = sink.requests()[0];
  CHECK(request.header("X-Ronda-Timestamp") == std::to_string(test_now_s));
  CHECK(request.header("X-Ronda-Signature") == "sha256=" + hmac_by_openssl(std::to_string(test_now_s) + "." + request.body));

  host unsigned_host;
  prepare(unsigned_host, sink.base());
  unsigned_host.set("secret", node());
  deliver(unsigned_host, message());
  REQUIRE(sink.requests().size() == 2);
  CHECK(sink.requests()[1].header("X-Ronda-Signature").empty());
}

TEST_CASE("when the answer is lost the next attempt has the same id", "[webhook]") {
  int count = 0;
  Sink sink([&](const SinkRequest&) { return ++count == 1 ? std::string() : http_answer(200); });
  host h;
  prepare(h, sink.base());
  auto m = message();
  m.attempt = 1;
  CHECK(deliver(h, m).is(delivery_status::retry));
  m.attempt = 2;
  CHECK(deliver(h, m).is(delivery_status::delivered));
  REQUIRE(sink.requests().size() == 2);
  const auto first = sink.requests()[0], second = sink.requests()[1];
  CHECK(first.header("Idempotency-Key") == "01J-message");
  CHECK(second.header("Idempotency-Key") == "01J-message");
  CHECK(parsed(first).at("attempt") == 1);
  CHECK(parsed(second).at("attempt") == 2);
}

TEST_CASE("an id with a line's end makes no header of its own", "[webhook]") {
  Sink sink(http_answer(200));
  host h;
  prepare(h, sink.base());
  auto m = message();
  m.id = "a\r\nX-Evil: yes";
  CHECK(deliver(h, m).is(delivery_status::delivered));
  REQUIRE(sink.requests().size() == 1);
  CHECK(sink.requests()[0].header("Idempotency-Key") == "a__X-Evil:_yes");
  CHECK(sink.requests()[0].header("X-Evil").empty());
}

TEST_CASE("an answer that is taken may be as long as it likes", "[webhook]") {
  Sink sink(http_answer(200, std::string(1 << 20, 'x')));
  host h;
  prepare(h, sink.base());
  CHECK(deliver(h, message()).is(delivery_status::delivered));
}

TEST_CASE("format alertmanager is the webhook of version 4", "[webhook]") {
  Sink sink(http_answer(200));
  host h;
  prepare(h, sink.base());
  h.set("format", "alertmanager");
  deliver(h, message());
  auto m = message();
  m.event = "resolve";
  deliver(h, m);
  REQUIRE(sink.requests().size() == 2);
  const auto firing = parsed(sink.requests()[0]), resolved = parsed(sink.requests()[1]);
  const auto fingerprint = firing.at("alerts").at(0).at("fingerprint").as_string();
  CHECK(fingerprint.size() == 16);
  const auto labels = json::parse(R"({"alertname":"api-down","incident":"INC-7","instance":"test-host","service":"shop","severity":"p1"})");
  const auto annotations = json::parse(R"({"summary":"The \"shop\" is down","description":"HTTP 500\nsince 5 min"})");
  CHECK(firing == json::value{{"version", "4"},
                              {"groupKey", "{}:{incident=\"INC-7\"}"},
                              {"truncatedAlerts", 0},
                              {"status", "firing"},
                              {"receiver", "ronda"},
                              {"groupLabels", {{"incident", "INC-7"}}},
                              {"commonLabels", labels},
                              {"commonAnnotations", annotations},
                              {"externalURL", "https://ronda.example/i/7"},
                              {"alerts", json::array{{{"status", "firing"},
                                                      {"labels", labels},
                                                      {"annotations", annotations},
                                                      {"startsAt", "2026-11-29T00:55:00Z"},
                                                      {"endsAt", "0001-01-01T00:00:00Z"},
                                                      {"generatorURL", "https://ronda.example/i/7"},
                                                      {"fingerprint", fingerprint}}}}});
  CHECK(resolved.at("status") == "resolved");
  CHECK(resolved.at("groupKey") == firing.at("groupKey"));
  CHECK(resolved.at("alerts").at(0).at("status") == "resolved");
  CHECK(resolved.at("alerts").at(0).at("endsAt") == "2026-11-29T01:00:00.000Z");
  CHECK(resolved.at("alerts").at(0).at("fingerprint") == fingerprint);
  m.event = "update", m.fields["state"] = "resolved";
  deliver(h, m);
  REQUIRE(sink.requests().size() == 3);
  CHECK(parsed(sink.requests()[2]).at("alerts").at(0).at("status") == "resolved");
}
