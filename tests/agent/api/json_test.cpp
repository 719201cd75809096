// SPDX-License-Identifier: Apache-2.0
#include "api/json.hpp"

#include <boost/json.hpp>
#include <limits>

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
