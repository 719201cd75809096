// SPDX-License-Identifier: Apache-2.0
// PagerDuty's Events API v2 as its documents describe it.
#include "catch.hpp"

#include <ronda/testing_catch.hpp>

#include <boost/json.hpp>

#include "sink.hpp"
#include "under_test.hpp"

namespace json = boost::json;
using ronda::testing::Ended;

namespace {

const std::string key = "0123456789abcdefCANARYCANARY0123";
const std::string taken = R"({"status":"success","message":"Event processed","dedup_key":"INC-7"})";

message_options message(const std::string& event = "open") {
  message_options m;
  m.id = "m-1", m.title = "The shop is down", m.body = "HTTP 500", m.level = "p1", m.event = event, m.incident = "INC-7";
  m.fields = {{"alert", "api-down"}, {"check", "api-status"}, {"service", "shop"}, {"opened_at", "2026-11-29T00:55:00Z"}};
  return m;
}

json::value sent(const message_options& m) {
  Sink sink(http_answer(202, taken));
  host h;
  prepare(h, sink.base());
  CHECK_THAT(deliver(h, m), Ended(delivery_status::delivered, "accepted as INC-7"));
  REQUIRE(sink.requests().size() == 1);
  CHECK(sink.requests()[0].target == "/v2/enqueue");
  CHECK(sink.requests()[0].header("Content-Type") == "application/json");
  return json::parse(sink.requests()[0].body);
}

}  // namespace

const UnderTest& under_test() {
  static const UnderTest pagerduty{"pagerduty",
                                   [](host& h, const std::string& base) {
                                     h.set("api_base", base);
                                     h.set_secret("routing_key", key);
                                   },
                                   taken,
                                   {key},
                                   message()};
  return pagerduty;
}

TEST_CASE("an incident that opens triggers an alert of its id", "[pagerduty]") {
  auto m = message();
  m.fields["incident_url"] = "https://ronda.example/i/7";
  CHECK(sent(m) == json::parse(R"({"routing_key":"0123456789abcdefCANARYCANARY0123","event_action":"trigger","dedup_key":"INC-7",
    "payload":{"summary":"The shop is down","source":"test-host","severity":"critical","timestamp":"2026-11-29T00:55:00Z",
      "component":"api-status","group":"shop","class":"api-down",
      "custom_details":{"body":"HTTP 500","message_id":"m-1","attempt":1,"alert":"api-down","check":"api-status","service":"shop","opened_at":"2026-11-29T00:55:00Z",
        "incident_url":"https://ronda.example/i/7"}},
    "links":[{"href":"https://ronda.example/i/7","text":"incident"}],"client":"Ronda"})"));
}

TEST_CASE("an alert leads to where people meet, and to no place that is none", "[pagerduty]") {
  auto m = message();
  m.fields["war_room"] = "https://meet.example/INC-7-x";
  CHECK(sent(m).at("links") == json::parse(R"([{"href":"https://meet.example/INC-7-x","text":"war room"}])"));
  m.fields["war_room"] = "room 4";
  CHECK_FALSE(sent(m).as_object().contains("links"));
}

TEST_CASE("each event is one of three actions", "[pagerduty]") {
  const auto [event, state, action] = GENERATE(table<std::string, std::string, std::string>({{"open", "open", "trigger"},
                                                                                             {"update", "open", "trigger"},
                                                                                             {"update", "acknowledged", "acknowledge"},
                                                                                             {"acknowledge", "", "acknowledge"},
                                                                                             {"escalation", "acknowledged", "trigger"},
                                                                                             {"resolve", "acknowledged", "resolve"},
                                                                                             {"update", "resolved", "resolve"},
                                                                                             {"update", "closed", "resolve"},
                                                                                             {"reminder", "resolved", "resolve"},
                                                                                             {"open", "resolved", "resolve"},
                                                                                             {"update", "mitigating", "acknowledge"},
                                                                                             {"escalation", "mitigating", "trigger"},
                                                                                             {"open", "mitigating", "trigger"}}));
  auto m = message(event);
  m.fields["state"] = state;
  CHECK(sent(m).at("event_action").as_string() == action);
}

TEST_CASE("a test is an alert of its own key at info, whatever its level, and is resolved at once", "[pagerduty]") {
  Sink sink(http_answer(202, taken));
  host h;
  prepare(h, sink.base());
  CHECK_THAT(deliver(h, message("test")), Ended(delivery_status::delivered, "accepted as INC-7"));
  REQUIRE(sink.requests().size() == 2);
  const json::value trigger = json::parse(sink.requests()[0].body), resolve = json::parse(sink.requests()[1].body);
  CHECK(trigger.at("event_action").as_string() == "trigger");
  CHECK(trigger.at("payload").at("severity").as_string() == "info");
  CHECK(trigger.at("dedup_key").as_string() == "m-1");
  CHECK(resolve.at("event_action").as_string() == "resolve");
  CHECK(resolve.at("dedup_key").as_string() == "m-1");
  CHECK(resolve.at("routing_key").as_string() == json::string_view(key));
}

TEST_CASE("a test that PagerDuty leaves open is not called delivered", "[pagerduty]") {
  const auto [status, expected] = GENERATE(table<int, delivery_status>({{500, delivery_status::retry}, {400, delivery_status::drop}}));
  CAPTURE(status);
  Sink sink([code = status](const SinkRequest& request) {
    return json::parse(request.body).at("event_action").as_string() == "trigger" ? http_answer(202, taken) : http_answer(code);
  });
  host h;
  prepare(h, sink.base());
  CHECK_THAT(deliver(h, message("test")), Ended(expected, "the test was triggered and is not resolved: HTTP " + std::to_string(status)));
}

TEST_CASE("a test is triggered whatever state it names", "[pagerduty]") {
  Sink sink(http_answer(202, taken));
  host h;
  prepare(h, sink.base());
  auto m = message("test");
  m.fields["state"] = "resolved";
  CHECK_THAT(deliver(h, m), Ended(delivery_status::delivered));
  REQUIRE(sink.requests().size() == 2);
  CHECK(json::parse(sink.requests()[0].body).at("event_action").as_string() == "trigger");
}

TEST_CASE("each attempt of a message carries its id and its number, which no field of that name hides", "[pagerduty]") {
  auto m = message();
  m.attempt = 3;
  m.fields["attempt"] = "no", m.fields["message_id"] = "no";
  const auto details = sent(m).at("payload").at("custom_details");
  CHECK(details.at("message_id") == "m-1");
  CHECK(details.at("attempt") == 3);
}

TEST_CASE("each level has its severity", "[pagerduty]") {
  const auto [level, severity] =
      GENERATE(table<std::string, std::string>({{"p1", "critical"}, {"p2", "error"}, {"p3", "warning"}, {"p4", "info"}, {"", "info"}}));
  auto m = message();
  m.level = level;
  CHECK(sent(m).at("payload").at("severity").as_string() == severity);
}

TEST_CASE("summary and key stay within PagerDuty's limits", "[pagerduty]") {
  auto m = message();
  m.title = std::string(1022, 'x') + "ññññ";
  m.incident = std::string(300, 'i');
  const auto event = sent(m);
  CHECK(event.at("payload").at("summary").as_string() == std::string(1022, 'x') + "ñ…");
  CHECK(event.at("dedup_key").as_string().size() == 254 + 3);  // 254 and "…"
  m.incident = "";
  CHECK(sent(m).at("dedup_key") == "m-1");
}

TEST_CASE("a time that is none is not passed on", "[pagerduty]") {
  auto m = message();
  m.fields["opened_at"] = "five minutes ago";
  CHECK(sent(m).at("payload").at("timestamp") == "2026-11-29T01:00:00.000Z");
}

TEST_CASE("what PagerDuty refuses is dropped, what it cannot take now is not", "[pagerduty]") {
  const auto [status, body, expected, summary] = GENERATE(table<int, std::string, delivery_status, std::string>({
      {400, R"({"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' is wrong"]})", delivery_status::drop,
       "HTTP 400: {\"status\":\"invalid event\""},
      {429, R"({"status":"throttle exceeded"})", delivery_status::retry, "HTTP 429"},
      {500, "", delivery_status::retry, "HTTP 500"},
      {202, R"({"status":"invalid event"})", delivery_status::drop, "HTTP 202, but not PagerDuty's word that it took the event: "},
      {200, "<html>", delivery_status::drop, "HTTP 200, but not PagerDuty's word that it took the event: <html>; is api_base right?"},
  }));
  Sink sink(http_answer(status, body));
  host h;
  prepare(h, sink.base());
  CHECK_THAT(deliver(h, message()), Ended(expected, summary));
}
