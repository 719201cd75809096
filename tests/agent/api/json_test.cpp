// SPDX-License-Identifier: Apache-2.0
#include "api/json.hpp"

#include <boost/json.hpp>
#include <limits>

#include "api/incident_json.hpp"
#include "base/text.hpp"
#include "catch.hpp"

using namespace ronda;
using namespace ronda::api;

TEST_CASE("an error is JSON whatever it quotes", "[api]") {
  const Response response = error_response(404, "no check is named '\xff\"\\\n\x1b'");
  CHECK(response.status == 404);
  CHECK(response.body == repair_utf8(response.body, 1000));
  boost::system::error_code error;
  const auto value = boost::json::parse(response.body, error);
  REQUIRE_FALSE(error);
  CHECK(value.at("error").as_string() == "no check is named '\\xff\"\\\\x0a\\x1b'");
}

TEST_CASE("only perfdata follows a bar in a Nagios line", "[api]") {
  schedule::Entry entry;
  entry.spec.name = "one";
  entry.has_result = true;
  entry.status = plugin::CheckStatus::ok;
  entry.summary = "a | b";
  entry.detail = "first | x=1\nsecond | y=2";
  entry.grade_reason = "c|d";
  CHECK(nagios_line(entry) == "OK - one: a / b (c/d)\nfirst / x=1\nsecond / y=2");
}

TEST_CASE("what has not run yet says so", "[api]") {
  schedule::Entry entry;
  entry.spec.name = "one";
  CHECK(nagios_line(entry) == "UNKNOWN - one: has not run yet");
  entry.summary = "spawn-failed";
  CHECK(nagios_line(entry) == "UNKNOWN - one: spawn-failed");
}

TEST_CASE("an integer metric is shown with all of its digits", "[api]") {
  std::string encoded;
  wire::Writer writer(encoded);
  wire::encode_metric(writer, {"most", 0, true, false, "", "", "", {}, std::numeric_limits<std::int64_t>::max()});
  wire::encode_metric(writer, {"least", 0, true, false, "B", "", "", {}, std::numeric_limits<std::int64_t>::min()});
  wire::encode_metric(writer, {"odd", 0, true, true, "", "", "", {}, 9'007'199'254'740'993});
  const auto shown = metrics_json(encoded);
  CHECK(shown.at("most").at("value").as_int64() == std::numeric_limits<std::int64_t>::max());
  CHECK(shown.at("least").at("value").as_int64() == std::numeric_limits<std::int64_t>::min());
  CHECK(shown.at("odd").at("value").as_int64() == 9'007'199'254'740'993);
}

TEST_CASE("a viewer is not told the room where people talk, nor what a notifier said of another machine", "[api]") {
  incident::Incident one;
  one.id = "INC-20261129-K7Q2M4XD3A";
  one.title = "api: over its limit";
  one.war_room = "https://meet.example/room";
  incident::Event failed;
  failed.kind = incident::Kind::notice_failed;
  failed.subject = "cto";
  failed.text = "connecting to mail.inside:25";
  incident::Event note;
  note.kind = incident::Kind::note;
  note.text = "the hinge is loose";
  store::OutboxRow row;
  row.id = "m1";
  row.last_error = "connecting to mail.inside:25";
  boost::json::object shown = incident_json(one, 0);
  shown["timeline"] = timeline_json(std::vector{failed, note});
  shown["deliveries"] =
      deliveries_json(std::vector{row}, std::vector<store::DeliveryAttempt>{{"m1", 1, 1, 2, "retry", "connecting to mail.inside:25"}});
  const std::string all = boost::json::serialize(shown);
  REQUIRE(all.find("meet.example") != std::string::npos);
  REQUIRE(all.find("mail.inside") != std::string::npos);
  hide_from_viewer(shown);
  const std::string less = boost::json::serialize(shown);
  CHECK(less.find("meet.example") == std::string::npos);
  CHECK(less.find("mail.inside") == std::string::npos);
  CHECK(less.find("api: over its limit") != std::string::npos);
  CHECK(less.find("the hinge is loose") != std::string::npos);
  CHECK(shown.at("timeline").at(0).at("kind") == "notice_failed");
  CHECK(shown.at("timeline").at(0).at("subject") == "cto");
  CHECK(shown.at("deliveries").at(0).at("trail").at(0).at("outcome") == "retry");
}

TEST_CASE("what the other side only took is accepted, also where another message carried it, and a viewer is told no more than that",
          "[api]") {
  using store::OutboxState;
  const auto row = [](std::string id, OutboxState state, std::string carrier = "") {
    store::OutboxRow out;
    out.id = std::move(id);
    out.state = state;
    out.carrier = std::move(carrier);
    return out;
  };
  const std::vector rows{row("m1", OutboxState::delivered), row("m2", OutboxState::delivered, "m1"), row("m3", OutboxState::delivered),
                         row("m4", OutboxState::queued)};
  const std::vector<store::DeliveryAttempt> trail{{"m1", 1, 1, 2, "retry", "HTTP 503"},
                                                  {"m1", 2, 3, 4, "delivered", "accepted as SM1: queued"},
                                                  {"m3", 1, 1, 2, "delivered", "handed to 10.0.0.7"},
                                                  {"m4", 1, 1, 2, "retry", "accepted nothing"}};
  boost::json::object shown{{"deliveries", deliveries_json(rows, trail)}};
  const auto accepted = [&](std::size_t i) { return shown.at("deliveries").at(i).at("accepted"); };
  CHECK(accepted(0) == "accepted as SM1: queued");
  CHECK(accepted(1) == "accepted as SM1: queued");
  CHECK(accepted(2).is_null());
  CHECK(accepted(3).is_null());
  hide_from_viewer(shown);
  CHECK(accepted(0) == "accepted");
  CHECK(accepted(2).is_null());
}

TEST_CASE("of a notifier a viewer is shown how it stands, and none of its words", "[api]") {
  const std::string words = "connecting to mail.inside:25";
  boost::json::object shown{
      {"name", "mail"},
      {"status", "critical"},
      {"summary", words},
      {"detail", words},
      {"line", "CRITICAL - mail: " + words},
      {"attempts", boost::json::object{{"made", 1}, {"of", 2}, {"last", words}}},
      {"trail", boost::json::array{boost::json::object{{"part", "plugin"}, {"text", "finished after 1s"}},
                                   boost::json::object{{"part", "schedule"}, {"text", "does not count yet, attempt 1 of 2: " + words}},
                                   boost::json::object{{"part", "grade"}, {"text", "no result: crashed: " + words}}}}};
  hide_words_of_notifier(shown);
  CHECK(boost::json::serialize(shown).find("mail.inside") == std::string::npos);
  CHECK(shown.at("line") == "critical - mail");
  CHECK(shown.at("trail").at(0).at("text") == "finished after 1s");
  CHECK(shown.at("trail").at(1).at("text") == "does not count yet");
  CHECK(shown.at("trail").at(2).at("text") == "no result");
}
