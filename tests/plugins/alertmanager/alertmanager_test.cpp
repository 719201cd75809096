// SPDX-License-Identifier: Apache-2.0
// Against Debian's Alertmanager: what it takes, what it makes of it, and that the webhook of version 4 which webhook.so sends
// is the one that it sends.
#include "catch.hpp"

#include <poll.h>

#include <ronda/testing_catch.hpp>

#include <boost/json.hpp>

#include "../manifest_defaults.hpp"
#include "server.hpp"
#include "sink.hpp"
#include "under_test.hpp"

namespace json = boost::json;
using ronda::testing::Ended;

namespace {

struct Real {
  Sink webhook{http_answer(200)};
  AlertmanagerServer server{webhook.base() + "/from-alertmanager"};

  json::array alerts() const { return json::parse(server.alerts()).as_array(); }

  /// The alert of an incident with that state, active or suppressed; null when there is none.
  json::value alert_of(const std::string& incident, const std::string& severity) const {
    for (const auto& alert : alerts())
      if (alert.at("labels").at("incident").as_string() == incident && alert.at("labels").at("severity").as_string() == severity)
        return alert;
    return nullptr;
  }

  /// The newest webhook about an incident with that status; waits for it.
  json::value told(const std::string& incident, const std::string& status) const {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < end) {
      for (const auto& request : webhook.requests()) {
        auto body = json::parse(request.body);
        if (body.at("groupLabels").at("incident").as_string() == incident && body.at("status").as_string() == status) return body;
      }
      poll(nullptr, 0, 50);
    }
    return nullptr;
  }
};

Real& real() {
  static Real only;
  return only;
}

message_options message(const std::string& incident, const std::string& event = "open", const std::string& level = "p1") {
  message_options m;
  m.id = "m-1", m.title = "The shop is down", m.body = "HTTP 500\n\"since\" 5 min", m.level = level, m.event = event, m.incident = incident;
  m.fields = {{"alert", "api-down"}, {"service", "shop"}, {"incident_url", "https://ronda.example/i/7"}};
  return m;
}

void prepare_real(host& h) {
  prepare(h, "");
  h.set("url", real().server.base());
  h.set_wall(ronda::wall_time(std::chrono::system_clock::now()));
}

/// Names of members and kinds of values, of lists those of the first item.
json::value shape_of(const json::value& value) {
  if (const auto* object = value.if_object()) {
    json::object out;
    for (const auto& [key, member] : *object) out[key] = shape_of(member);
    return out;
  }
  if (const auto* list = value.if_array()) return list->empty() ? json::array{} : json::array{shape_of(list->front())};
  if (value.is_string()) return "text";
  return value.is_number() ? json::value("number") : json::value("other");
}

}  // namespace

const UnderTest& under_test() {
  static const UnderTest alertmanager{"alertmanager",
                                      [](host& h, const std::string& base) { h.set_secret("url", base + "/prefix-that-is-secret"); },
                                      "",
                                      {"prefix-that-is-secret"},
                                      message("INC-1")};
  return alertmanager;
}

TEST_CASE("the request has labels, annotations and an end", "[alertmanager]") {
  Sink sink(http_answer(200));
  host h;
  prepare(h, sink.base());
  h.set("labels", node::table{{"team", "ops"}, {"severity", "page"}});
  auto m = message("INC-1");
  m.fields["opened_at"] = "2026-11-29T00:55:00Z";
  CHECK_THAT(deliver(h, m), Ended(delivery_status::delivered, "HTTP 200"));
  REQUIRE(sink.requests().size() == 1);
  CHECK(sink.requests()[0].target == "/prefix-that-is-secret/api/v2/alerts");
  CHECK(json::parse(sink.requests()[0].body) == json::parse(R"([{"labels":{"alertname":"api-down","incident":"INC-1","instance":"test-host",
    "service":"shop","severity":"page","team":"ops"},"annotations":{"summary":"The shop is down","description":"HTTP 500\n\"since\" 5 min"},
    "startsAt":"2026-11-29T00:55:00Z","endsAt":"2026-12-29T01:00:00.000Z","generatorURL":"https://ronda.example/i/7"}])"));
}

TEST_CASE("a test is over after five minutes", "[alertmanager]") {
  Sink sink(http_answer(200));
  host h;
  prepare(h, sink.base());
  deliver(h, message("", "test"));
  REQUIRE(sink.requests().size() == 1);
  const auto alert = json::parse(sink.requests()[0].body).at(0);
  CHECK(alert.at("endsAt") == "2026-11-29T01:05:00.000Z");
  CHECK_FALSE(alert.at("labels").as_object().contains("incident"));
}

TEST_CASE("what is said after the end of an incident ends at once too", "[alertmanager]") {
  Sink sink(http_answer(200));
  host h;
  prepare(h, sink.base());
  auto m = message("INC-1", "update");
  m.fields["state"] = "resolved";
  deliver(h, m);
  REQUIRE(sink.requests().size() == 1);
  CHECK(json::parse(sink.requests()[0].body).at(0).at("endsAt") == "2026-11-29T01:00:00.000Z");
  CHECK(h.kept().empty());
}

TEST_CASE("a real Alertmanager has the alert, tells of it, and tells of its end", "[alertmanager]") {
  host h;
  prepare_real(h);
  CHECK_THAT(deliver(h, message("INC-2")), Ended(delivery_status::delivered));
  const auto alert = real().alert_of("INC-2", "p1");
  REQUIRE_FALSE(alert.is_null());
  CHECK(alert.at("labels") ==
        json::parse(R"({"alertname":"api-down","severity":"p1","instance":"test-host","incident":"INC-2","service":"shop"})"));
  CHECK(alert.at("annotations") == json::parse(R"({"summary":"The shop is down","description":"HTTP 500\n\"since\" 5 min"})"));
  CHECK(alert.at("generatorURL") == "https://ronda.example/i/7");
  CHECK_FALSE(real().told("INC-2", "firing").is_null());
  CHECK_THAT(deliver(h, message("INC-2", "resolve")), Ended(delivery_status::delivered));
  CHECK(real().alert_of("INC-2", "p1").is_null());
  CHECK_FALSE(real().told("INC-2", "resolved").is_null());
  CHECK(h.kept().empty());
}

TEST_CASE("a real Alertmanager holds what nobody says anything more of for weeks, and ends it when it ends", "[alertmanager]") {
  host h;
  prepare_real(h);
  const auto until = [](std::chrono::hours after) {
    const std::time_t at = std::time(nullptr) + std::chrono::seconds(after).count();
    char text[32];
    std::tm parts{};
    gmtime_r(&at, &parts);
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts));
  };
  CHECK_THAT(deliver(h, message("INC-8")), Ended(delivery_status::delivered));
  const auto alert = real().alert_of("INC-8", "p1");
  REQUIRE_FALSE(alert.is_null());
  CHECK(std::string(alert.at("endsAt").as_string()) > until(24h * 29));  // it goes by this, not by its own resolve_timeout
  CHECK(std::string(alert.at("endsAt").as_string()) < until(24h * 31));
  CHECK_THAT(deliver(h, message("INC-8", "resolve")), Ended(delivery_status::delivered));
  CHECK(real().alert_of("INC-8", "p1").is_null());
}

TEST_CASE("an alert that is told again is still one", "[alertmanager]") {
  host h;
  prepare_real(h);
  for (int i = 0; i < 3; ++i) deliver(h, message("INC-3", i == 0 ? "open" : "update"));
  int count = 0;
  for (const auto& alert : real().alerts()) count += alert.at("labels").at("incident") == "INC-3";
  CHECK(count == 1);
}

TEST_CASE("when the level of an incident changes the alert with the old one ends", "[alertmanager]") {
  host h;
  prepare_real(h);
  deliver(h, message("INC-4", "open", "p2"));
  CHECK_FALSE(real().alert_of("INC-4", "p2").is_null());
  deliver(h, message("INC-4", "update", "p1"));
  CHECK(real().alert_of("INC-4", "p2").is_null());
  CHECK_FALSE(real().alert_of("INC-4", "p1").is_null());
  deliver(h, message("INC-4", "resolve", "p1"));
  CHECK(real().alert_of("INC-4", "p1").is_null());
}

TEST_CASE("a login in the URL is sent and not told", "[alertmanager]") {
  Sink sink([](const SinkRequest& request) { return http_answer(401, "who is " + request.header("Authorization") + ", pass-word?"); });
  host h;
  prepare(h, sink.base());
  h.set_secret("url", "http://ronda:pass-word@" + sink.peer());
  const auto report = deliver(h, message("INC-1"));
  REQUIRE(sink.requests().size() == 1);
  CHECK(sink.requests()[0].header("Authorization") == "Basic cm9uZGE6cGFzcy13b3Jk");
  CHECK(report.summary == "HTTP 401: who is Basic ***, ***?; are the credentials right, and may they do this?");
}

TEST_CASE("damaged state does no harm", "[alertmanager]") {
  const std::string kept = GENERATE(as<std::string>(), "nonsense", "{}", "[]", R"({"alertname":1})", R"({"x":"y"})");
  host h;
  prepare_real(h);
  h.keep("labels/INC-5", kept);
  CHECK_THAT(deliver(h, message("INC-5")), Ended(delivery_status::delivered));
}

TEST_CASE("what a real Alertmanager refuses is dropped with its reason", "[alertmanager]") {
  host h;
  prepare_real(h);
  h.set("labels", node::table{{"0-no-label", "x"}});  // the manifest refuses it before
  const auto report = deliver(h, message("INC-6"));
  CHECK(report.is(delivery_status::drop));
  CHECK_THAT(report.summary, Catch::StartsWith("HTTP 400: "));
}

TEST_CASE("webhook.so in format alertmanager sends what a real Alertmanager sends", "[alertmanager]") {
  host h;
  prepare_real(h);
  deliver(h, message("INC-7"));
  const auto theirs = real().told("INC-7", "firing");
  REQUIRE_FALSE(theirs.is_null());

  Sink sink(http_answer(200));
  host webhook;
  set_defaults(webhook, RONDA_SOURCE_DIR "/plugins/webhook/plugin.toml", "webhook");
  webhook.set("format", "alertmanager").set("url", sink.base() + "/");
  const ronda::testing::library file(RONDA_BINARY_DIR "/plugins/webhook.so");
  auto subject = file.create(webhook, RONDA_KIND_NOTIFIER, "webhook");
  CHECK_THAT(subject.deliver(message("INC-7")), Ended(delivery_status::delivered));
  REQUIRE(sink.requests().size() == 1);
  const auto ours = json::parse(sink.requests()[0].body);
  CHECK(shape_of(ours) == shape_of(theirs));
  for (const char* same : {"version", "status", "truncatedAlerts", "groupLabels", "commonLabels", "commonAnnotations"}) {
    INFO(same);
    CHECK(ours.at(same) == theirs.at(same));
  }
  for (const char* same : {"status", "labels", "annotations", "generatorURL", "fingerprint"}) {
    INFO(same);
    CHECK(ours.at("alerts").at(0).at(same) == theirs.at("alerts").at(0).at(same));
  }
}
